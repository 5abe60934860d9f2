"""What environments have of Pachyderm is theirs, from the plan to the rollback."""

import json
from pathlib import Path

import pytest

from bot.domain.approval import Verdict
from bot.domain.deployment import Outcome, Stage, Trigger
from bot.domain.progress import StageStarted, Warned
from tests.e2e.test_control import VERIFY, waiting
from tests.e2e.test_main_job import simple
from tests.e2e.world import World

pytestmark = pytest.mark.real


def environments(own: str, others: str, rules: str = "drafts: false") -> str:
    """`default`, which is deployed to, and production."""
    return (
        f"environments: {{default: {{{VERIFY}, project: {own}, {rules}}},"
        f" production: {{{VERIFY}, project: {others}, deployers: {{users: [linus]}}}}}}"
    )


def in_project(spec: str, name: str) -> str:
    body = json.loads(spec)
    body["pipeline"]["project"] = {"name": name}
    return json.dumps(body)


async def test_a_branch_does_not_bring_its_pipelines_to_production(world: World) -> None:
    rules = environments("staging", "default")
    world.commit(simple(world) | {".pachops.yml": rules})
    spec = in_project(world.spec(), "default")
    sha = world.repository.commit(simple(world) | {"pipeline.json": spec}, branch="mine")
    world.address = f"file://{world.repository.path}"
    result = await world.deploy_for(Trigger.COMMENT, sha)
    assert (result.finished.outcome, result.code) == (Outcome.REFUSED, "project_of_another")
    assert not world.pachd.has_pipeline("edges")


async def test_at_a_terminal_a_branch_does_not_make_productions_project_its_own(
    world: World,
) -> None:
    world.commit(simple(world) | {".pachops.yml": environments("staging", "default")})
    mine = simple(world) | {".pachops.yml": environments("default", "elsewhere")}
    world.repository.commit(mine, branch="mine")
    world.address = f"file://{world.repository.path}"
    result = await world.deploy("mine", "default")
    assert (result.finished.outcome, result.code) == (Outcome.REFUSED, "project_of_another")
    # Before anything is built.
    begun = [each.stage for each in result.screen.of(StageStarted)]
    assert begun == [Stage.SOURCE, Stage.PLAN]


async def test_what_is_productions_by_the_time_of_the_update_is_not_updated(world: World) -> None:
    alone = f"environments: {{default: {{{VERIFY}, approvals: 1}}}}"
    world.commit(simple(world) | {".pachops.yml": alone})
    async with waiting(world) as (deploying, _):
        now = environments("staging", "default", "approvals: 1")
        world.commit({".pachops.yml": now})
        await world.vote(Verdict.APPROVE)
    assert deploying.result().code == "project_of_another"
    assert not world.pachd.has_pipeline("edges")


async def deployed_twice(world: World) -> None:
    """To what was the environment's project then."""
    for word in ("one", "two"):
        rules = environments("default", "vision")
        world.commit(simple(world) | {".pachops.yml": rules, "run.sh": f"echo {word}\n"})
        assert (await world.deploy(to="default")).finished.outcome is Outcome.SUCCEEDED


async def test_a_rollback_does_not_bring_back_what_was_given_to_production(world: World) -> None:
    await deployed_twice(world)
    before = world.running()
    world.commit({".pachops.yml": environments("staging", "default")})
    assert (await world.roll_back()).code == "project_of_another"
    assert world.running() == before


async def test_a_rollback_does_not_need_the_repository(world: World, tmp_path: Path) -> None:
    world.address = f"file://{world.repository.path}"
    await deployed_twice(world)
    world.repository.path.rename(tmp_path / "away")
    result = await world.roll_back()
    assert result.finished.outcome is Outcome.SUCCEEDED
    assert any("is not known" in each.text for each in result.screen.of(Warned))
