from bot.store.database import Database
from bot.store.subscriptions import Subscription, Subscriptions

EDGES = Subscription("C1", "acme/edges", ("production",), ("release",), "U1")


async def test_a_subscription_is_found_from_both_sides(database: Database) -> None:
    subscriptions = Subscriptions(database)
    await subscriptions.add(EDGES)
    assert await subscriptions.of_channel("C1") == (EDGES,)
    assert await subscriptions.of_repository("Acme/Edges") == (EDGES,)
    assert await subscriptions.of_channel("C2") == ()


async def test_a_channel_has_one_for_a_repository(database: Database) -> None:
    subscriptions = Subscriptions(database)
    await subscriptions.add(EDGES)
    await subscriptions.add(Subscription("C1", "ACME/edges"))
    assert await subscriptions.of_channel("C1") == (Subscription("C1", "acme/edges"),)


async def test_what_is_dropped_is_gone_there_and_nowhere_else(database: Database) -> None:
    subscriptions = Subscriptions(database)
    await subscriptions.add(EDGES)
    await subscriptions.add(Subscription("C2", "acme/edges"))
    assert await subscriptions.drop("C1", "acme/EDGES")
    assert not await subscriptions.drop("C1", "acme/edges")
    assert await subscriptions.all() == (Subscription("C2", "acme/edges"),)
