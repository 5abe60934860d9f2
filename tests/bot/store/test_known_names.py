import asyncio

from bot.store.database import Database
from bot.store.deliveries import Deliveries
from bot.store.known_names import KnownName, KnownNames, hand_on
from bot.store.names import Kind, Renamed

EDGES, CORNERS = KnownName("acme/Edges", 1), KnownName("acme/corners", 2)


async def test_a_name_is_known_in_any_capitals_and_by_its_number(database: Database) -> None:
    names = KnownNames(database)
    await names.note(EDGES)
    await names.note(CORNERS)
    assert await names.about(1, "acme/other") == [EDGES]
    assert await names.about(3, "ACME/edges") == [EDGES]
    assert {each.number for each in await names.about(1, "acme/corners")} == {1, 2}
    assert await names.number_of("acme/EDGES") == 1
    assert await names.number_of("acme/other") is None


async def test_a_name_is_of_who_was_told_of_last(database: Database) -> None:
    names = KnownNames(database)
    await names.note(EDGES)
    await names.note(KnownName("acme/edges", 3))
    assert await names.about(1, "acme/edges") == [KnownName("acme/edges", 3)]


async def test_many_that_learn_a_name_at_once_learn_it(database: Database) -> None:
    names = KnownNames(database)
    await asyncio.gather(*(names.note(EDGES) for _ in range(10)))
    assert await names.about(1, "") == [EDGES]


async def test_a_name_that_is_handed_on_is_left(database: Database) -> None:
    names = KnownNames(database)
    await names.note(EDGES)
    assert await database.write(lambda connection: hand_on(connection, 1, "acme/edges", "acme/x"))
    assert await names.about(1, "acme/edges") == [KnownName("acme/x", 1)]


async def test_nobody_hands_on_what_is_anothers(database: Database) -> None:
    names = KnownNames(database)
    await names.note(EDGES)
    assert not await database.write(lambda connection: hand_on(connection, 2, "acme/edges", "a/x"))
    assert await names.about(2, "acme/edges") == [EDGES]


async def test_a_name_is_left_once_another_is_told(database: Database) -> None:
    names = KnownNames(database)
    renamed = Renamed(Kind.REPOSITORY, 1, "acme/Edges", "acme/x")
    await Deliveries(database).note_renamed(renamed)
    assert await names.has_left(1, "acme/edges")
    assert not await names.has_left(1, "acme/x")
    assert not await names.has_left(2, "acme/edges")


async def test_who_is_on_the_way_from_a_name_is_found_by_it(database: Database) -> None:
    names = KnownNames(database)
    one = KnownName("acme/my_Edges", 1).aside(goes_on=True)
    await names.note(one)
    await names.note(KnownName("acme/my_edges", 2).aside(goes_on=False))
    assert one.had == "acme/my_Edges"
    assert one.aside(goes_on=False) == KnownName("acme/my_Edges~1", 1)
    assert await names.about(3, "acme/my_edges") == [one]
    assert await names.about(3, "acme/my-edges") == []
    assert await names.about(3, "acme/my") == []
