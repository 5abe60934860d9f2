from collections.abc import Awaitable, Callable

import pytest

from bot.domain.deployment import Deployment
from bot.store.database import Database
from bot.store.deployments import Deployments
from bot.store.reports import Owed, Reports

Add = Callable[..., Awaitable[Deployment]]


@pytest.fixture
def reports(database: Database) -> Reports:
    return Reports(database, origin="github", settled="github_settled")


async def test_owed_are_those_of_the_surface_that_are_not_settled_oldest_first(
    reports: Reports, deployments: Deployments, add: Add
) -> None:
    for identity in ("b", "a", "other", "settled"):
        await add(identity)
    for identity in ("a", "b", "settled"):
        await deployments.save(identity, "github", {"of": identity})
    await deployments.save("other", "slack", {})
    await deployments.save("settled", "github_settled", value=True)
    assert await reports.owed() == (Owed(1, "b", {"of": "b"}), Owed(2, "a", {"of": "a"}))


async def test_owed_leaves_out_what_is_known(
    reports: Reports, deployments: Deployments, add: Add
) -> None:
    for identity in ("a", "b", "c"):
        await add(identity)
        await deployments.save(identity, "github", {})
    assert [each.deployment for each in await reports.owed(1, {"b"})] == ["c"]


async def test_newest_number_counts_every_deployment(reports: Reports, add: Add) -> None:
    assert await reports.newest_number() == 0
    await add("a")
    await add("b")
    assert await reports.newest_number() == 2


async def test_latest_is_the_targets_newest_with_that_fact(
    reports: Reports, deployments: Deployments, add: Add
) -> None:
    first, second = await add("a"), await add("b")
    await add("newest")
    await add("elsewhere", environment="production")
    await deployments.save(second.id, "place", 2)
    await deployments.save(first.id, "place", 1)
    await deployments.save("elsewhere", "place", 3)
    assert await reports.latest(first.request.target, "place") == 2
    assert await reports.latest(first.request.target, "nowhere") is None
