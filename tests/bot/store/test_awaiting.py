"""What awaits the checks of its commit, as it is kept."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.domain.awaiting import Awaited
from bot.domain.deployment import Actor
from bot.store.awaiting import Awaiting, Wait
from bot.store.database import Database
from bot.store.deliveries import Deliveries, DeliveryState
from bot.store.deployments import CancelResult, Deployments
from tests.handlers.reports import example

ADA = Actor("ada", "github")
REQUEST = example.request()
STAGING = Awaited("06gaaaaaaaaa0001", REQUEST, 1.0, "the check unit is missing", 7)
PRODUCTION = replace(STAGING, id="06gaaaaaaaaa0002")
WAIT = Wait(example.SHA, "a push", 400.0, "awaits")


@pytest.fixture
def awaiting(database: Database) -> Awaiting:
    return Awaiting(database)


async def begins(
    database: Database, delivery: str = "1", left: Sequence[Awaited] = (STAGING, PRODUCTION)
) -> None:
    await Deliveries(database).take(delivery, "push", "acme/vision", "{}")
    await Awaiting(database).begin(delivery, WAIT, left)


async def test_it_comes_back_as_it_was(database: Database, awaiting: Awaiting) -> None:
    await begins(database)
    assert await awaiting.list() == (STAGING, PRODUCTION)


async def test_of_another_repository_there_is_nothing(
    database: Database, awaiting: Awaiting
) -> None:
    await begins(database)
    assert await awaiting.list("https://h/acme/other.git") == ()


async def test_an_older_delivery_about_the_same_gives_way(
    database: Database, awaiting: Awaiting
) -> None:
    await begins(database)
    again = replace(STAGING, id="06gaaaaaaaaa0003")
    await begins(database, "2", [again])
    assert await awaiting.list() == (again,)


async def test_what_is_stopped_goes_on_and_is_not_listed(
    database: Database, awaiting: Awaiting
) -> None:
    await begins(database)
    assert await Deployments(database).request_cancel(STAGING.id, ADA) is CancelResult.AWAITED
    assert await awaiting.list() == (PRODUCTION,)
    assert await awaiting.of("1") == (replace(STAGING, stopped_by=ADA), PRODUCTION)
    assert await Deliveries(database).state("1") == (DeliveryState.PENDING, "awaits")


async def test_who_stopped_it_first_stays(database: Database, awaiting: Awaiting) -> None:
    await begins(database)
    deployments = Deployments(database)
    for who in ("ada", "grace"):
        await deployments.request_cancel(STAGING.id, Actor(who, "github"))
    assert (await awaiting.of("1"))[0].stopped_by == ADA


async def test_what_nothing_is_known_of_cannot_be_stopped(database: Database) -> None:
    await begins(database)
    unknown = await Deployments(database).request_cancel("06gaaaaaaaaa0009", ADA)
    assert unknown is CancelResult.UNKNOWN


async def test_a_stop_while_it_is_handled_is_not_lost(
    database: Database, awaiting: Awaiting
) -> None:
    await begins(database)
    await awaiting.checks_ended("acme/vision", example.SHA)
    await asyncio.gather(
        Deployments(database).request_cancel(STAGING.id, ADA),
        awaiting.begin("1", WAIT, [STAGING, PRODUCTION]),
    )
    assert (await awaiting.of("1"))[0].stopped_by == ADA


async def test_what_is_done_awaits_nothing(database: Database, awaiting: Awaiting) -> None:
    await begins(database)
    await awaiting.look_again([STAGING.id])
    await Deliveries(database).done("1", "deployed")
    assert await awaiting.list() == ()
