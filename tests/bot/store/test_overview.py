from collections.abc import Awaitable, Callable

import pytest

from bot.domain.deployment import Deployment, Outcome
from bot.store.database import Database
from bot.store.deployments import Deployments
from bot.store.overview import Filter, Overview, Standing

Add = Callable[..., Awaitable[Deployment]]


async def test_a_place_has_what_runs_there_and_what_was_asked_last(
    database: Database, add: Add
) -> None:
    deployments = Deployments(database)
    good, bad, waiting = await add(), await add(), await add()
    await deployments.finish(good.id, Outcome.SUCCEEDED)
    await deployments.finish(bad.id, Outcome.FAILED)
    (place,) = await Overview(database).places(None)
    assert place.current is not None
    assert (place.current.id, place.latest.id) == (good.id, waiting.id)


async def test_only_what_one_may_see_is_listed(database: Database, add: Add) -> None:
    mine, other = await add(repository="git@x:mine"), await add(repository="git@x:other")
    overview = Overview(database)
    assert await overview.repositories() == ("git@x:mine", "git@x:other")
    allowed = frozenset({"git@x:mine"})
    assert [each.latest.id for each in await overview.places(allowed)] == [mine.id]
    found = await overview.deployments(Filter(allowed, text=other.id), limit=10)
    assert found == ()
    assert await overview.environments(frozenset()) == ()


@pytest.mark.parametrize(
    ("standing", "outcome"),
    [
        (Standing.SUCCEEDED, Outcome.SUCCEEDED),
        (Standing.FAILED, Outcome.ROLLED_BACK),
        (Standing.FAILED, Outcome.REFUSED),
        (Standing.CANCELLED, Outcome.CANCELLED),
        (Standing.CANCELLED, Outcome.SUPERSEDED),
        (Standing.WAITING, None),
    ],
)
async def test_standings_are_told_apart(
    database: Database, add: Add, standing: Standing, outcome: Outcome | None
) -> None:
    deployment = await add()
    if outcome:
        await Deployments(database).finish(deployment.id, outcome)
    overview = Overview(database)
    found = {
        each for each in Standing if await overview.deployments(Filter(standing=each), limit=10)
    }
    assert found == {standing}


async def test_a_text_is_looked_for_in_what_people_see(database: Database, add: Add) -> None:
    deployment = await add()
    overview, request = Overview(database), deployment.request
    seen = [
        deployment.id,
        request.repository,
        request.environment,
        request.commit.sha[:9].upper(),
        request.commit.ref,
        request.actor.name,
    ]
    for text in seen:
        found = await overview.deployments(Filter(text=text), limit=10)
        assert [each.id for each in found] == [deployment.id], text
    # Names of fields, signs of JSON, and wildcards are none of it.
    for text in ("actor", "surface", '":', "{", "%", "_"):
        assert await overview.deployments(Filter(text=text), limit=10) == (), text
