from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from bot.doctor.pachyderm import look_at
from bot.domain.finding import Finding, Level
from bot.settings import ClusterSettings
from tests.standins.pachd import Pachd

EDGES, MONTAGE = ("vision", "edges"), ("vision", "montage")


@pytest.fixture
def pachd() -> Iterator[Pachd]:
    users = {"maker-token": "robot:maker", "reader-token": "robot:reader"}
    with Pachd(tokens=users, readers=frozenset({"robot:reader"})) as pachd:
        for project, name in (EDGES, MONTAGE):
            pachd.create_repo(name, project=project)
        yield pachd


def settings(pachd: Pachd, token: str) -> ClusterSettings:
    return ClusterSettings(address=pachd.address, token=SecretStr(token))


def bad(findings: object) -> list[Finding]:
    assert isinstance(findings, list)
    return [each for each in findings if each.level in {Level.FAULT, Level.WARNING}]


async def test_a_cluster_is_asked_who_we_are() -> None:
    with Pachd() as pachd:
        findings = await look_at("cluster", ClusterSettings(address=pachd.address), [EDGES])
    assert [each.level for each in findings] == [Level.GOOD, Level.NOTE]


async def test_who_may_make_and_update_pipelines_is_told_so(pachd: Pachd) -> None:
    findings = await look_at("cluster", settings(pachd, "maker-token"), [EDGES, MONTAGE])
    assert bad(findings) == []
    assert findings[-1].what == "cluster, project vision"


async def test_who_may_only_look_is_told_what_is_missing_and_how_to_get_it(pachd: Pachd) -> None:
    findings = await look_at("cluster", settings(pachd, "reader-token"), [EDGES, MONTAGE])
    update, make = bad(findings)
    assert (update.level, make.level) == (Level.FAULT, Level.WARNING)
    assert "edges, montage: the token lacks REPO_WRITE" in update.fact
    assert "the token lacks PROJECT_CREATE_REPO" in make.fact
    assert "pachctl auth set project vision projectOwner" in update.next_step


async def test_a_pipeline_that_is_gone_is_no_fault(pachd: Pachd) -> None:
    findings = await look_at("cluster", settings(pachd, "reader-token"), [("vision", "gone")])
    assert [each.level for each in bad(findings)] == [Level.WARNING]


async def test_a_project_that_is_gone_is_a_warning(pachd: Pachd) -> None:
    findings = await look_at("cluster", settings(pachd, "maker-token"), [("old", "edges")])
    (found,) = bad(findings)
    assert (found.level, found.what) == (Level.WARNING, "cluster, project old")


async def test_before_the_first_deployment_there_is_no_project_to_ask_about(pachd: Pachd) -> None:
    findings = await look_at("cluster", settings(pachd, "maker-token"))
    assert findings[-1].level is Level.NOTE


async def test_a_token_that_is_not_valid_is_a_fault(pachd: Pachd) -> None:
    (found,) = await look_at("cluster", settings(pachd, "no-token"), [EDGES])
    assert found.level is Level.FAULT
    assert found.next_step
