"""What is nearly a command: it is answered, and not carried out."""

import threading

import pytest

from bot.domain.command_form import Mistake
from handlers.github import comment as comment_delivery
from handlers.github.comment_text import CommandLines, read_comment
from tests.handlers.github.world import EDGES, World
from tests.standins.github.faults import error
from tests.standins.github.state import PullRequest


async def opened(world: World) -> PullRequest:
    world.declare("  staging: {}\n")
    return await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})


async def test_a_slip_in_the_word_gets_the_command(world: World) -> None:
    pull = await opened(world)
    comment = await world.comment(pull, "/pachop deploy staging")
    (answer,) = world.answers(pull)
    assert "Did you mean `/pachops deploy staging`? Write another comment" in answer
    assert world.reactions(comment) == []
    assert await world.asked() == []


async def test_a_command_that_goes_on_with_a_quote_is_answered(world: World) -> None:
    pull = await opened(world)
    await world.comment(pull, "> ship it?\n/pachops deploy staging")
    (answer,) = world.answers(pull)
    assert "the quote" in answer
    assert "`/pachops deploy staging`? Write another comment" in answer
    assert await world.asked() == []


async def test_a_comment_is_read_while_others_are_answered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: list[threading.Thread] = []

    def read(body: str, word: str) -> tuple[CommandLines, tuple[str, Mistake] | None]:
        readers.append(threading.current_thread())
        return read_comment(body, word)

    monkeypatch.setattr(comment_delivery, "read_comment", read)
    await world.comment(await opened(world), "/pachops status")
    assert readers
    assert threading.current_thread() not in readers


@pytest.mark.parametrize("command", ["lock", "unlock", "resume", "rollback", "plan"])
async def test_what_was_meant_is_the_same_command(world: World, command: str) -> None:
    world.declare("  staging: {}\n  production: {}\n")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.github.comment(pull, f"/pachops {command} prodution")
    await world.settled()
    (answer,) = world.answers(pull)
    assert f"Did you mean `/pachops {command} production`?" in answer


async def test_a_slip_beside_a_command_is_answered_and_the_command_carried_out(
    world: World,
) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops deploy staging\n/pachops-status")
    assert (await world.only()).request.environment == "staging"
    (answer,) = world.answers(pull)
    assert "`/pachops status`" in answer


async def test_a_slip_that_is_delivered_twice_is_answered_once(world: World) -> None:
    pull = await opened(world)
    world.github.fail("POST", "*/issues/*/comments", error(502, after=True))
    await world.comment(pull, "/pachop deploy staging")
    assert len(world.answers(pull)) == 1


@pytest.mark.parametrize("body", ["/deploy staging", ".deploy staging", "/lgtm", "/test all"])
async def test_commands_of_other_bots_get_silence(world: World, body: str) -> None:
    pull = await opened(world)
    await world.settled()
    before = len(world.github.calls)
    await world.comment(pull, body)
    assert world.answers(pull) == []
    assert len(world.github.calls) == before


async def test_a_secret_in_a_slip_is_not_repeated(world: World) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachop deploy staging --reason hunter2hunter2")
    (answer,) = world.answers(pull)
    assert "hunter2" not in answer
