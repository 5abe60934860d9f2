"""What was done just before the bot stopped is done once, and is not said to be refused."""

import time

import pytest

from bot.domain.deployment import Deployment, Outcome
from bot.domain.github import Permission
from bot.domain.lock import Lock
from bot.domain.reasons import Code, StoppedError
from handlers.github.errand import Errand
from handlers.reports.github.origin import ORIGIN
from tests.handlers.github.world import EDGES, World
from tests.standins.github.state import PullRequest

AFTER_ALL = "was carried out"


@pytest.fixture
def stops_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the process had ended between what a command does and its answer."""
    keep, stopped = Errand.keep_answer, list[str]()

    async def stops(self: Errand, part: str, text: str) -> None:
        if not stopped:
            stopped.append(text)
            raise StoppedError(Code.GITHUB_UNREACHABLE, "it stopped")
        await keep(self, part, text)

    monkeypatch.setattr(Errand, "keep_answer", stops)


async def deployed(world: World) -> tuple[PullRequest, Deployment]:
    """A pull request, and a deployment of it that waits."""
    world.declare("  staging: {approvals: 1}\n  production: {}\n")
    world.github.allow("grace", EDGES, Permission.WRITE)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops deploy staging")
    return pull, await world.only()


@pytest.mark.usefixtures("stops_once")
@pytest.mark.parametrize("is_named", [True, False])
async def test_a_cancel_was_carried_out(world: World, *, is_named: bool) -> None:
    pull, deployment = await deployed(world)
    await world.comment(pull, f"/pachops cancel {deployment.id if is_named else ''}")
    assert AFTER_ALL in world.answers(pull)[-1]
    assert (await world.only()).outcome is Outcome.CANCELLED


async def test_a_cancel_of_what_is_under_way_does_not_go_on_to_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull, deployment = await deployed(world)

    async def another_comes(_self: Errand, _part: str, _text: str) -> None:
        monkeypatch.undo()
        await world.was_deployed_to("production", 1)
        other = (await world.asked())[-1]
        origin = await world.origin(deployment)
        await world.deployments.save(other.id, ORIGIN, origin.to_json())
        raise StoppedError(Code.GITHUB_UNREACHABLE, "it stopped")

    monkeypatch.setattr(Errand, "keep_answer", another_comes)
    await world.comment(pull, "/pachops cancel")
    assert [each.outcome for each in await world.asked()] == [Outcome.CANCELLED, None]


@pytest.mark.usefixtures("stops_once")
async def test_an_unlock_was_carried_out(world: World) -> None:
    pull, deployment = await deployed(world)
    place = (deployment.request.repository, "staging", deployment.request.actor)
    await world.deployer.locks.take(Lock("1", *place, "", time.time()), time.time())
    await world.comment(pull, "/pachops unlock staging")
    assert AFTER_ALL in world.answers(pull)[-1]


@pytest.mark.usefixtures("stops_once")
async def test_a_resume_was_carried_out(world: World) -> None:
    pull, deployment = await deployed(world)
    await world.deployments.finish(deployment.id, Outcome.SUCCEEDED)
    await world.was_rolled_back()
    await world.comment(pull, "/pachops resume staging")
    assert AFTER_ALL in world.answers(pull)[-1]


@pytest.mark.usefixtures("stops_once")
@pytest.mark.parametrize("vote", ["approve", "reject"])
async def test_a_vote_was_carried_out(world: World, vote: str) -> None:
    pull, deployment = await deployed(world)
    await world.waits_for_approval(deployment)
    await world.comment(pull, f"/pachops {vote}", by="grace")
    assert AFTER_ALL in world.answers(pull)[-1]


@pytest.mark.usefixtures("stops_once")
async def test_what_was_refused_is_refused_again(world: World) -> None:
    pull, _ = await deployed(world)
    await world.comment(pull, "/pachops unlock staging")
    assert "not_locked" in world.answers(pull)[-1].replace("\\", "")
