from bot.store.database import Database
from bot.store.identities import (
    CODE_SECONDS,
    MOST_TRIES,
    TRIES_SECONDS,
    Identities,
    Proof,
    SlackUser,
)

ANN = SlackUser("T1", "U-ANN")
BOB = SlackUser("T1", "U-BOB")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_a_link_is_found_from_both_sides(database: Database) -> None:
    identities = Identities(database)
    made = await identities.link(ANN, "Ann-On-GitHub", Proof.EMAIL)
    assert made.login == "ann-on-github"
    assert await identities.of_slack(ANN) == made
    assert await identities.of_login("T1", "ANN-on-github") == made


async def test_a_login_in_another_workspace_is_somebody_else(database: Database) -> None:
    identities = Identities(database)
    await identities.link(ANN, "ann", Proof.EMAIL)
    assert await identities.of_login("T2", "ann") is None


async def test_a_new_link_takes_the_place_of_the_old_ones_of_both(database: Database) -> None:
    identities = Identities(database)
    await identities.link(ANN, "ann", Proof.EMAIL)
    await identities.link(BOB, "bob", Proof.EMAIL)
    await identities.link(ANN, "bob", Proof.CODE)
    assert await identities.of_slack(BOB) is None
    assert await identities.of_login("T1", "ann") is None
    found = await identities.of_slack(ANN)
    assert found is not None
    assert found.login == "bob"


async def test_what_is_parted_is_not_found(database: Database) -> None:
    identities = Identities(database)
    await identities.link(ANN, "ann", Proof.EMAIL)
    assert await identities.unlink(ANN)
    assert not await identities.unlink(ANN)
    assert await identities.of_slack(ANN) is None


async def test_a_code_joins_who_was_given_it_and_who_says_it(database: Database) -> None:
    identities = Identities(database)
    code = await identities.new_code(ANN)
    used = await identities.use_code(f" {code.upper()} ", "Ann")
    assert used is not None
    assert (used.slack, used.login, used.proof) == (ANN, "ann", Proof.CODE)
    assert await identities.of_slack(ANN) == used


async def test_a_code_is_used_once(database: Database) -> None:
    identities = Identities(database)
    code = await identities.new_code(ANN)
    await identities.use_code(code, "ann")
    assert await identities.use_code(code, "mallory") is None


async def test_a_code_ends(database: Database) -> None:
    clock = Clock()
    identities = Identities(database, clock=clock)
    code = await identities.new_code(ANN)
    clock.now += CODE_SECONDS + 1
    assert await identities.use_code(code, "ann") is None


async def test_a_new_code_ends_the_last_one(database: Database) -> None:
    identities = Identities(database)
    first = await identities.new_code(ANN)
    second = await identities.new_code(ANN)
    assert await identities.use_code(first, "ann") is None
    assert await identities.use_code(second, "ann") is not None


async def test_a_made_up_code_joins_nobody(database: Database) -> None:
    assert await Identities(database).use_code("aaaaaaaaaa", "mallory") is None


async def test_nobody_tries_many_codes(database: Database) -> None:
    clock = Clock()
    identities = Identities(database, clock=clock)
    for number in range(MOST_TRIES):
        assert await identities.use_code(f"wrong{number}", "eve") is None
    code = await identities.new_code(ANN)
    assert await identities.use_code(code, "Eve") is None
    made = await identities.use_code(code, "ann")
    assert made is not None
    clock.now += TRIES_SECONDS
    code = await identities.new_code(BOB)
    assert await identities.use_code(code, "eve") is not None
