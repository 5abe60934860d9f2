"""An environment's plan reaches only its own pipelines, whatever the commit says."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from bot.app import Bot, open_bot
from bot.domain.deployment import Actor, Commit, Kind, Request, Trigger
from bot.domain.plan import Plan
from bot.domain.reasons import Code, Reason, StoppedError
from bot.project import PROJECT_FILE
from bot.services.pachyderm import Pachyderm
from bot.settings import load_settings
from bot.stages.unasked import NoCluster
from tests.real.git_server import Content, Repository

TWO = "production: {project: vision}, staging: {project: vision-staging}"


class Pachd(NoCluster):
    """One that renders every template as a pipeline of production."""

    async def render(self, template: str, args: Mapping[str, str]) -> str:  # noqa: ARG002 - a cluster's
        return spec("vision")


def spec(project: str | None = None, name: str = "edges") -> str:
    of_project = {} if project is None else {"project": {"name": project}}
    pipeline = {"name": name} | of_project
    pfs = {"repo": "r", "glob": "/"}
    return json.dumps(
        {
            "pipeline": pipeline,
            "transform": {"image": "a:1", "cmd": ["true"]},
            "input": {"pfs": pfs},
        }
    )


def files(
    environments: str = TWO, pipelines: str = "['*.json']", **specs: str
) -> dict[str, Content]:
    """A repository that builds nothing; the specs by the names of their files."""
    project = f"images: {{}}\npipelines: {pipelines}\nenvironments: {{{environments}}}\n"
    brought: dict[str, Content] = {PROJECT_FILE: project}
    for name, text in (specs or {"edges": spec()}).items():
        brought[f"{name}.json"] = text
    return brought


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "edges.git")


@pytest.fixture
async def bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bot]:
    clusters = {"default": "grpc://pachd:1", "same": "grpc://PACHD:1", "other": "grpc://pachd:2"}
    named = json.dumps({name: {"address": address} for name, address in clusters.items()})
    settings = tmp_path / "settings.yml"
    settings.write_text(f"clusters: {named}\n")
    environ = {
        "HOME": str(tmp_path),
        "PACHOPS_DATA_DIR": str(tmp_path / "data"),
        "PACHOPS_SETTINGS_FILE": str(settings),
    }
    async with open_bot(load_settings(environ)) as bot:
        monkeypatch.setattr(bot, "pachyderm", lambda _cluster: cast(Pachyderm, Pachd()))
        yield bot


class World:
    """A default branch, and commits of other branches that are planned."""

    def __init__(self, bot: Bot, repository: Repository) -> None:
        self.bot = bot
        self.repository = repository

    def request(self, sha: str, trigger: Trigger, to: str, *only: str) -> Request:
        address, actor = f"file://{self.repository.path}", Actor("ada", "github")
        return Request(Kind.DEPLOY, address, to, Commit(sha, "mine", "mine"), trigger, actor, only)

    async def plan(
        self,
        brought: Mapping[str, Content],
        *only: str,
        trigger: Trigger = Trigger.CLI,
        to: str = "staging",
    ) -> Plan:
        sha = self.repository.commit(brought, branch="mine")
        return await self.bot.plan(self.request(sha, trigger, to, *only))

    async def refusal(
        self, brought: Mapping[str, Content], trigger: Trigger = Trigger.CLI, to: str = "staging"
    ) -> Reason:
        with pytest.raises(StoppedError) as caught:
            await self.plan(brought, trigger=trigger, to=to)
        assert caught.value.reason.code is Code.PROJECT_OF_ANOTHER
        return caught.value.reason


@pytest.fixture
def world(bot: Bot, repository: Repository) -> World:
    repository.commit(files())
    return World(bot, repository)


TRIGGERS = [Trigger.CLI, Trigger.COMMENT, Trigger.SLACK, Trigger.PUSH, Trigger.ACTION]


@pytest.mark.parametrize("trigger", TRIGGERS)
async def test_a_spec_that_names_another_environments_project_is_refused(
    world: World, trigger: Trigger
) -> None:
    reason = await world.refusal(files(edges=spec("vision")), trigger)
    assert reason.where == "edges.json: pipeline.project"
    assert "vision/edges" in reason.fact


async def test_a_spec_that_names_the_environments_own_project_is_planned(world: World) -> None:
    plan = await world.plan(files(edges=spec("vision-staging")))
    assert [each.project for each in plan.pipelines] == ["vision-staging"]


async def test_a_project_that_is_nobodys_is_planned(world: World) -> None:
    plan = await world.plan(files(edges=spec("shared")))
    assert [each.project for each in plan.pipelines] == ["shared"]


async def test_each_of_several_documents_is_looked_at(world: World) -> None:
    both = f"{spec(name='first')}\n---\n{spec('vision')}"
    reason = await world.refusal(files(edges=both))
    assert reason.where == "edges.json, document 2: pipeline.project"


async def test_what_a_template_gives_is_looked_at(world: World) -> None:
    brought = files(pipelines="[{jsonnet: edges.jsonnet}]") | {"edges.jsonnet": "{}"}
    await world.refusal(brought)


@pytest.mark.parametrize("nested", [False, True])
async def test_a_cron_input_that_ticks_in_another_environments_project_is_refused(
    world: World, *, nested: bool
) -> None:
    body = json.loads(spec())
    cron = {"cron": {"name": "t", "spec": "@daily", "project": "vision", "repo": "r"}}
    body["input"] = {"cross": [body["input"], cron]} if nested else cron
    reason = await world.refusal(files(edges=json.dumps(body)))
    assert reason.where == "edges.json: input.cron.project"


async def test_another_environments_data_may_be_read(world: World) -> None:
    body = json.loads(spec())
    body["input"]["pfs"]["project"] = "vision"
    assert len((await world.plan(files(edges=json.dumps(body)))).pipelines) == 1


async def test_what_is_left_out_by_only_is_not_refused(world: World) -> None:
    plan = await world.plan(files(edges=spec(), theirs=spec("vision", "montage")), "edges")
    assert [each.name for each in plan.pipelines] == ["edges"]


async def test_pachyderms_default_project_is_that_of_an_environment_without_one(
    world: World,
) -> None:
    environments = "production: {}, staging: {project: vision-staging}"
    world.repository.commit(files(environments))
    await world.refusal(files(environments, edges=spec("default")))


async def test_a_project_that_is_shared_on_the_default_branch_is_planned(world: World) -> None:
    environments = "production: {project: vision}, staging: {project: vision}"
    world.repository.commit(files(environments))
    plan = await world.plan(files(environments, edges=spec("vision")))
    assert [each.project for each in plan.pipelines] == ["vision"]


async def test_a_commit_does_not_give_its_environment_the_project_of_another(world: World) -> None:
    reason = await world.refusal(files("production: {}, staging: {project: vision}"))
    assert reason.where == ".pachops.yml: environments.staging.project"


async def test_a_commit_does_not_take_away_whose_a_project_is(world: World) -> None:
    await world.refusal(files("staging: {project: vision-staging}", edges=spec("vision")))


async def test_a_commit_may_give_its_environment_a_project_that_is_nobodys(world: World) -> None:
    plan = await world.plan(files("staging: {project: mine}"))
    assert [each.project for each in plan.pipelines] == ["mine"]


async def test_a_project_of_the_same_name_on_another_cluster_is_another(world: World) -> None:
    environments = "production: {project: vision}, staging: {project: vision, cluster: other}"
    world.repository.commit(files(environments))
    plan = await world.plan(files(environments))
    assert [each.project for each in plan.pipelines] == ["vision"]
    await world.refusal(files("staging: {project: vision}"))


async def test_a_cluster_with_two_names_is_one_cluster(world: World) -> None:
    environments = "production: {project: vision}, staging: {project: mine, cluster: same}"
    world.repository.commit(files(environments))
    await world.refusal(files(environments, edges=spec("vision")))


@pytest.mark.parametrize("default", ["", TWO, "production: {unheard_of: 1}"])
async def test_a_dry_run_shows_what_a_commit_brings(bot: Bot, tmp_path: Path, default: str) -> None:
    """A deployment is refused for it: environments are those of the default branch."""
    world = World(bot, Repository(tmp_path / "other.git"))
    world.repository.commit(files(default) if default else {"README": "nothing"})
    plan = await world.plan(files("renamed: {project: vision}"), to="renamed")
    assert len(plan.pipelines) == 1
    both = files("renamed: {project: vision}, mine: {project: own}", edges=spec("vision"))
    await world.refusal(both, to="mine")


async def test_a_plan_without_asking_goes_by_what_the_commit_declares(world: World) -> None:
    sha = world.repository.commit(files(edges=spec("vision")), branch="mine")
    with pytest.raises(StoppedError) as caught:
        await world.bot.plan_unasked(world.request(sha, Trigger.ACTION, "staging"))
    assert caught.value.reason.code is Code.PROJECT_OF_ANOTHER


async def test_a_dry_run_goes_by_the_commit_where_the_default_branch_is_not_clear(
    bot: Bot, tmp_path: Path
) -> None:
    """A deployment is refused there; a plan changes nothing."""
    work = Repository(tmp_path / "work", bare=False)
    sha = work.commit(files(edges=spec("vision")))
    work.git("update-ref", "refs/remotes/pull/7/merge", sha)
    actor, commit = Actor("ada", "cli"), Commit(sha, "HEAD")
    request = Request(Kind.DEPLOY, str(work.path), "production", commit, Trigger.CLI, actor)
    assert len((await bot.plan(request)).pipelines) == 1
    with pytest.raises(StoppedError) as caught:
        await bot.plan(replace(request, environment="staging"))
    assert caught.value.reason.code is Code.PROJECT_OF_ANOTHER
