from pathlib import Path

import pytest

from bot.doctor.examine import examine
from bot.doctor.machine import checks, look_at_engine, look_at_git, look_at_registries
from bot.domain.finding import Level
from bot.redact import Redactor
from bot.services.logins import Login
from bot.settings import load_settings
from tests.real.registry import Registry


def nobody(_host: str) -> Login | None:
    return None


async def test_git_is_found() -> None:
    (found,) = await look_at_git()
    assert found.level is Level.GOOD


async def test_without_git_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    (found,) = await look_at_git()
    assert found.level is Level.FAULT


@pytest.mark.real
async def test_a_real_engine_is_looked_at(engine_host: str, tmp_path: Path) -> None:
    settings = load_settings({"HOME": str(tmp_path), "DOCKER_HOST": engine_host})
    findings = await look_at_engine("engine", engine_host, settings, nobody)
    assert findings[0].level is Level.GOOD
    assert "version" in findings[0].fact


@pytest.mark.real
async def test_an_engine_that_is_down_hides_no_other(engine_host: str, tmp_path: Path) -> None:
    hosts = f"unix:///nowhere.sock,{engine_host}"
    settings = load_settings({"HOME": str(tmp_path), "DOCKER_HOST": hosts})
    engines = [each for each in checks(settings, []) if "Engine" in each.what]
    found = await examine(engines, Redactor([]))
    assert [each.level for each in found[:2]] == [Level.FAULT, Level.GOOD]
    assert engine_host in found[1].what


@pytest.mark.real
async def test_a_real_registry_is_greeted_and_takes_an_upload(
    registry: Registry, tmp_path: Path
) -> None:
    settings = load_settings({"HOME": str(tmp_path)})
    findings = await look_at_registries(settings, nobody, [f"{registry.address}/vision/edges"])
    assert [each.level for each in findings] == [Level.GOOD, Level.GOOD], findings


async def test_a_registry_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    settings = load_settings({"HOME": str(tmp_path)})
    found, _ = await look_at_registries(settings, nobody, ["127.0.0.1:1/vision/edges"])
    assert found.level is Level.FAULT
