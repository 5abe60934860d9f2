"""A deployment that waits for others: what they see, and how they hear of it."""

import pytest

from bot.domain.deployment import Outcome, Stage
from bot.domain.progress import ApprovalNeeded, StageStarted, Voted
from handlers.reports.slack.buttons import Pressed
from handlers.reports.slack.message import Approvers
from tests.handlers.reports.slack.world import BROKEN, SHA, World
from tests.standins.slack.blocks import elements_of
from tests.standins.slack.state import Message
from tests.standins.slack.world import notifies

DIGEST = "d" * 64


def asked(changes: tuple[str, ...] = ("vision/edges: create",)) -> ApprovalNeeded:
    return ApprovalNeeded(
        "d1", SHA, DIGEST, "ann", 2, 1_800_000_000.0, changes, reprocesses=True, running_jobs=3
    )


async def waits(world: World) -> Message:
    await world.ask()
    await world.happens(StageStarted(Stage.APPROVE), asked())
    await world.passes()
    return world.message()


async def test_who_approves_sees_what_they_approve(world: World) -> None:
    message = await waits(world)
    for part in (
        "✋ Deployment of",
        "*waits for approval*",
        "Waits for 2 people other than ann; until <!date^1800000000^",
        "• `vision/edges: create`",
        "3 jobs run now and would start again",
        "Data that was processed before is computed again",
        SHA[:7],
    ):
        assert part in message.shown
    assert world.slack.buttons(message) == ["approve", "reject", "cancel"]


async def test_the_buttons_are_bound_to_the_commit_and_the_plan(world: World) -> None:
    message = await waits(world)
    values = [each["value"] for _, each in elements_of(message.blocks)]
    assert [Pressed.read(each) for each in values[:2]] == [Pressed("d1", SHA, DIGEST)] * 2
    assert Pressed.read(values[2]) == Pressed("d1")


async def test_before_it_is_known_what_is_asked_for_nobody_can_approve_it(world: World) -> None:
    await world.ask()
    await world.happens(StageStarted(Stage.APPROVE))
    await world.passes()
    assert "approve" not in world.slack.buttons(world.message())
    await world.happens(asked())
    await world.passes()
    assert world.slack.buttons(world.message()) == ["approve", "reject", "cancel"]


async def test_votes_are_shown_as_they_come(world: World) -> None:
    message = await waits(world)
    await world.happens(Voted("bob <!here>", "slack", approves=True))
    await world.passes()
    assert "2 people other than ann, 1 so far" in message.shown
    assert "👍 Approved by *bob &lt;!here&gt;*" in message.shown
    await world.happens(Voted("cy", "github", approves=False))
    await world.ends(Outcome.REFUSED, BROKEN)
    await world.passes()
    assert "👎 Rejected by *cy*" in message.shown
    assert "Waits for" not in message.shown


async def test_those_who_may_approve_are_called_once(world: World) -> None:
    world.approvers = Approvers((world.ann.id,), ("S0ONCALL",), ("acme/ml",))
    await waits(world)
    world.restart()
    await world.happens(Voted("bob", "slack", approves=True))
    await world.passes()
    (told,) = world.thread()
    assert notifies(told.shown) == {world.ann.id, "S0ONCALL"}
    assert "*acme/ml*" in told.shown
    assert not told.broadcast


async def test_where_the_rules_name_nobody_nobody_is_called(world: World) -> None:
    await waits(world)
    (told,) = world.thread()
    assert notifies(told.shown) == set()
    assert "Everybody with write permission" in told.shown


@pytest.mark.parametrize("value", ["", " ", "d1 a b c d", "d1\n"])
def test_what_a_button_says_is_read_whatever_it_is(value: str) -> None:
    assert Pressed.read(value).deployment in {"", "d1"}


async def test_what_a_spec_says_is_shown_as_it_is(world: World) -> None:
    await world.ask()
    change = "vision/edges: update version 1: cmd: cp /a/* /b -> cp /c/* <!here>"
    await world.happens(StageStarted(Stage.APPROVE), asked((change,)))
    await world.passes()
    assert "`vision/edges: update version 1: cmd: cp /a/* /b -&gt; cp /c/* &lt;!here&gt;`" in (
        world.message().shown
    )


async def test_a_plan_of_any_length_is_cut(world: World) -> None:
    await world.ask()
    changes = tuple(f"vision/edges-{number}: update " + "x" * 400 for number in range(300))
    await world.happens(StageStarted(Stage.APPROVE), asked(changes))
    await world.passes()
    assert "and 290 more" in world.message().shown
