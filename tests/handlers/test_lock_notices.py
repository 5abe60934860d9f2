"""Owners of locks are told what becomes of them: on the pull request, or in Slack."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from bot.domain.deployment import Actor
from bot.domain.lock import Lock, Notice
from bot.domain.reasons import Code, StoppedError
from bot.redact import Redactor
from bot.store.database import Database
from bot.store.identities import Identities
from bot.store.locks import Locks
from handlers.github.lock_notices import tell_on_pull_request
from handlers.lock_notices import LockNotices
from handlers.slack.lock_notices import ChannelMessages, DirectMessages
from tests.handlers.github.world import EDGES, World, opened
from tests.handlers.slack.world import World as SlackWorld
from tests.handlers.slack.world import listening

START = 1_700_000_000.0
ADA = Actor("ada", "github")


class Clock:
    """Put forward by hand."""

    now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def world(tmp_path: Path, database: Database) -> AsyncIterator[World]:
    async with opened(tmp_path, database) as world:
        yield world


@pytest.fixture
async def slack(tmp_path: Path, database: Database) -> AsyncIterator[SlackWorld]:
    async with listening(tmp_path, database) as world:
        yield world


@pytest.fixture
def clock() -> Clock:
    return Clock()


def lock(repository: str, owner: Actor = ADA, pull_request: int | None = None) -> Lock:
    return Lock("1", repository, "staging", owner, "", START, START + 7200, pull_request)


async def test_the_owner_is_reminded_and_told_of_the_end_on_the_pull_request(
    world: World, clock: Clock
) -> None:
    world.declare("  staging: {}\n")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    locks = world.deployer.locks
    address = f"{world.github.url}/{EDGES}.git"
    await locks.take(lock(address, pull_request=pull.number), START)
    notices = LockNotices(locks, [partial(tell_on_pull_request, world.desk)], clock=clock)
    await notices.once()
    assert world.answers(pull) == []
    clock.now = START + 7200 - 600
    await notices.once()
    await notices.once()
    (reminder,) = world.answers(pull)
    assert reminder.startswith("@ada Your lock of staging in acme/edges ends at")
    assert "`/pachops lock staging --for 1h` keeps it longer." in reminder
    clock.now = START + 7200
    await notices.once()
    assert "has ended: its time is over." in world.answers(pull)[-1]
    assert await locks.list(address, clock.now) == ()


async def test_who_took_it_in_slack_is_told_in_a_direct_message(
    slack: SlackWorld, database: Database, clock: Clock
) -> None:
    await slack.links(slack.ann, "ada")
    locks, owner = Locks(database), Actor("ada", "slack", "github:ada")
    await locks.take(lock("https://github.com/acme/edges.git", owner), START)
    direct = DirectMessages(slack.client, Identities(database), Redactor([]))
    clock.now = START + 7200
    await LockNotices(locks, [direct.tell], clock=clock).once()
    (message,) = slack.slack.own_messages(slack.slack.direct(slack.ann))
    assert "Your lock of staging in acme/edges has ended" in message.text


@pytest.mark.parametrize(
    ("owner", "command"),
    [
        (Actor("ann", "cli"), "pachops lock --to staging --for 1h"),
        (Actor("ann", "slack", "github:ann"), "/pachops lock staging --for 1h"),
    ],
    ids=["at a terminal", "no longer joined with a login"],
)
async def test_who_is_reached_nowhere_else_is_named_once_in_the_environments_channel(
    slack: SlackWorld, database: Database, clock: Clock, owner: Actor, command: str
) -> None:
    asked: list[tuple[str, str | None]] = []

    async def channels(repository: str, environment: str | None) -> list[str]:
        asked.append((repository, environment))
        return ["#nowhere", "#ml"]

    locks, address = Locks(database), "https://github.com/acme/edges.git"
    await locks.take(lock(address, owner), START)
    direct = DirectMessages(slack.client, Identities(database), Redactor([]))
    named = ChannelMessages(slack.client, channels, Redactor([]))
    notices = LockNotices(locks, [direct.tell, named.tell], clock=clock)
    clock.now = START + 7200 - 600
    await notices.once()
    await notices.once()
    (message,) = slack.slack.own_messages(slack.ml)
    assert message.text.startswith("ann: Your lock of staging in acme/edges ends at")
    assert command in message.text
    assert asked == [(address, "staging")]
    at_terminal = await locks.show(Actor("ann", "cli"), clock.now)
    assert len(at_terminal) == (owner.surface == "cli")


async def test_what_cannot_be_told_is_told_later(database: Database, clock: Clock) -> None:
    told: list[Notice] = []
    is_down = [True]

    async def tell(notice: Notice) -> bool:
        if is_down[0]:
            raise StoppedError(Code.GITHUB_UNREACHABLE, "it is away")
        told.append(notice)
        return True

    locks = Locks(database)
    await locks.take(lock("r"), START)
    notices = LockNotices(locks, [tell], clock=clock)
    clock.now = START + 7200
    await notices.once()
    assert told == []
    is_down[0] = False
    await notices.once()
    await notices.once()
    assert [each.lock.id for each in told] == ["1"]


async def test_where_one_place_refuses_it_the_next_is_tried(
    database: Database, clock: Clock
) -> None:
    told: list[Notice] = []

    async def refuse(_notice: Notice) -> bool:
        raise StoppedError(Code.GITHUB_REFUSED, "the conversation is locked")

    async def tell(notice: Notice) -> bool:
        told.append(notice)
        return True

    locks = Locks(database)
    await locks.take(lock("r"), START)
    clock.now = START + 7200
    await LockNotices(locks, [refuse, tell], clock=clock).once()
    assert [each.lock.id for each in told] == ["1"]


async def test_of_two_processes_one_tells(database: Database, clock: Clock) -> None:
    told: list[Notice] = []

    async def tell(notice: Notice) -> bool:
        told.append(notice)
        return True

    locks = Locks(database)
    await locks.take(lock("r"), START)
    clock.now = START + 7200
    for _ in range(2):
        await LockNotices(Locks(database), [tell], clock=clock).once()
    assert len(told) == 1
