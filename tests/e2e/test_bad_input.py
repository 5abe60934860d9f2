"""What a person gets who made a mistake: one reason, the place, the next step, a status."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.engine.claim import Claim
from tests.e2e.world import World
from tests.real.git_server import Content, Link
from tests.real.registry import Registry

pytestmark = pytest.mark.real


def pachops(world: World, *arguments: str, **environ: str) -> tuple[int, dict[str, Any], str]:
    """Exit status, the last JSON line, and all that was said."""
    clean = {name: None for name in os.environ if name.startswith(("PACHOPS_", "DOCKER_"))}
    result = CliRunner().invoke(app, arguments, env=clean | world.environ | environ)
    assert "Traceback" not in result.output
    assert isinstance(result.exception, SystemExit) or result.exception is None
    return result.exit_code, json.loads(result.output.splitlines()[-1]), result.output


def deploy(world: World, *arguments: str, **environ: str) -> tuple[int, dict[str, Any], str]:
    return pachops(world, "deploy", world.address, "--json", *arguments, **environ)


def good(world: World) -> dict[str, Content]:
    return {"Dockerfile": world.dockerfile(), "pipeline.json": world.spec()}


Change = Callable[[World], Mapping[str, Content]]

WRONG_FILES: Mapping[str, tuple[Change, str]] = {
    "no Dockerfile": (lambda _: {"Dockerfile": None}, "dockerfile_missing"),
    "no spec": (lambda _: {"pipeline.json": None}, "spec_missing"),
    "broken spec": (lambda _: {"pipeline.json": '{"pipeline": '}, "spec_invalid"),
    "unknown field": (
        lambda world: {"pipeline.json": world.spec(transfrom={})},
        "spec_field_unknown",
    ),
    "1.x spec": (lambda world: {"pipeline.json": world.spec(standby=True)}, "spec_outdated"),
    "image without repository": (
        lambda world: {"pipeline.json": world.spec(image="edges")},
        "image_name_invalid",
    ),
    "name that pachd refuses": (
        lambda world: {"pipeline.json": world.spec("two words")},
        "spec_invalid",
    ),
    "secret that the operator has not": (
        lambda world: {
            ".pachops.yml": f"images: {{a: {{repository: '{world.image()}', secrets: [npm]}}}}"
        },
        "build_secret_missing",
    ),
    "broken Dockerfile": (lambda _: {"Dockerfile": "FORM busybox\n"}, "dockerfile_invalid"),
    "images in a circle": (
        lambda world: {
            "a/Dockerfile": f"FROM {world.image('b')}\n",
            "b/Dockerfile": f"FROM {world.image('a')}\n",
            ".pachops.yml": f"images: {{a: {{context: a, repository: '{world.image('a')}'}}, "
            f"b: {{context: b, repository: '{world.image('b')}'}}}}",
        },
        "dockerfile_invalid",
    ),
    "tag that none can be": (
        lambda world: {
            ".pachops.yml": f"images: {{a: {{repository: '{world.image()}', tags: ['v 1']}}}}"
        },
        "tag_invalid",
    ),
    "project file that is a link to elsewhere": (
        lambda _: {".pachops.yml": Link("/etc/passwd")},
        "project_invalid",
    ),
    "project file that is a folder": (
        lambda _: {".pachops.yml/images": "edges"},
        "project_invalid",
    ),
    "broken project file": (lambda _: {".pachops.yml": "imagse: {}\n"}, "project_invalid"),
}


@pytest.mark.parametrize("name", WRONG_FILES)
def test_a_wrong_file_is_named_and_nothing_is_touched(world: World, name: str) -> None:
    change, code = WRONG_FILES[name]
    world.commit({**good(world), **change(world)})
    status, finished, _ = deploy(world)
    assert (status, finished["outcome"], finished["reason"]["code"]) == (2, "refused", code)
    assert not world.pachd.has_pipeline("edges")


def test_the_nearest_known_field_is_named(world: World) -> None:
    world.commit(good(world) | {"pipeline.json": world.spec(transfrom={})})
    _, finished, _ = deploy(world)
    assert "transform" in finished["reason"]["next_step"]
    assert finished["reason"]["where"].startswith("pipeline.json")


def test_a_ref_that_is_not_there(world: World) -> None:
    world.commit(good(world))
    status, finished, _ = deploy(world, "--ref", "mian")
    assert (status, finished["reason"]["code"]) == (2, "ref_unknown")
    assert "main" in finished["reason"]["next_step"] + finished["reason"]["fact"]


def test_an_environment_that_is_not_there(world: World) -> None:
    world.commit(good(world))
    status, finished, _ = deploy(world, "--to", "production")
    assert (status, finished["reason"]["code"]) == (2, "environment_unknown")


@pytest.mark.parametrize("named", ["{folder}", "{folder}/nowhere", "", "ext::sh -c true"])
def test_a_folder_that_is_no_repository(world: World, tmp_path: Path, named: str) -> None:
    repository = named.format(folder=tmp_path)
    status, finished, _ = pachops(world, "deploy", repository, "--json")
    assert (status, finished["outcome"]) == (2, "refused")
    assert finished["reason"]["code"] == "repository_unknown"


def test_a_repository_whose_server_is_not_there(world: World) -> None:
    status, finished, _ = pachops(world, "deploy", "http://127.0.0.1:1/r.git", "--json")
    assert (status, finished["reason"]["code"]) == (1, "repository_unreadable")


def test_a_registry_that_refuses(world: World) -> None:
    world.commit(good(world))
    with Registry(login=True) as closed:
        image = f"{closed.address}/vision/edges"
        world.commit({"pipeline.json": world.spec(image=image)})
        status, finished, _ = deploy(world)
    assert (status, finished["outcome"], finished["reason"]["code"]) == (
        1,
        "failed",
        "registry_refused",
    )


def test_an_engine_that_is_not_there(world: World) -> None:
    world.commit(good(world))
    status, finished, _ = deploy(world, DOCKER_HOST="unix:///nowhere/docker.sock")
    assert (status, finished["reason"]["code"]) == (1, "engine_unreachable")


def test_a_pachd_that_is_not_there(world: World) -> None:
    world.commit(good(world))
    status, finished, _ = deploy(world, PACHOPS_PACHD_ADDRESS="grpc://127.0.0.1:1")
    assert (status, finished["reason"]["code"]) == (1, "pachd_unreachable")


def test_an_engine_with_a_full_disk(world: World) -> None:
    world.commit(good(world))
    status, finished, _ = deploy(world, PACHOPS_MINIMUM_FREE_SPACE="900000g")
    assert (status, finished["reason"]["code"]) == (1, "disk_full")


def test_a_tag_template_is_named_with_its_place(world: World) -> None:
    image = f"{{repository: '{world.image()}', tags: ['{{sah}}']}}"
    world.commit(good(world) | {".pachops.yml": f"images: {{edges: {image}}}"})
    _, finished, _ = deploy(world)
    assert finished["reason"]["where"] == ".pachops.yml: images.edges.tags"


def test_a_database_that_another_bot_uses(world: World) -> None:
    world.commit(good(world))
    deploy(world, "--dry-run")
    claim = Claim(world.folder / "data" / "pachops.db")
    try:
        status, finished, _ = deploy(world)
    finally:
        claim.release()
    assert (status, finished["reason"]["code"]) == (3, "database_in_use")
    assert str(os.getpid()) in finished["reason"]["fact"]


def test_a_setting_that_is_wrong(world: World) -> None:
    status, finished, _ = deploy(world, PACHOPS_PACHD_ADDRESS="pachd.example.com")
    assert (status, finished["reason"]["code"]) == (2, "bad_settings")
    assert "PACHOPS_PACHD_ADDRESS" in json.dumps(finished["reason"])


@pytest.mark.parametrize("command", ["show", "cancel"])
def test_a_deployment_that_is_not_there(world: World, command: str) -> None:
    clean: Mapping[str, str | None] = world.environ
    result = CliRunner().invoke(app, [command, "zzz"], env=clean)
    assert (result.exit_code, "deployment" in result.output) == (2, True)


def test_people_get_the_reason_in_words(world: World) -> None:
    world.commit(good(world) | {"Dockerfile": None})
    result = CliRunner().invoke(app, ["deploy", world.address], env=world.environ)
    assert "There is no Dockerfile" in result.output
    assert "Commit one" in result.output
