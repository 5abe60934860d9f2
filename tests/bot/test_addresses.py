"""One repository that is written in several ways has one line."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.addresses import Addresses
from bot.domain.deployment import (
    Actor,
    Commit,
    Deployment,
    Kind,
    Request,
    Trigger,
    new_deployment_id,
)
from bot.domain.lock import Lock
from bot.domain.reasons import Code, StoppedError
from bot.services.git import Git
from bot.store.database import Database
from bot.store.deployments import insert
from bot.store.locks import Locks
from tests.migrated import migrated
from tests.real.git_server import Repository

ADA = Actor("ada", "cli")
HTTPS, SSH = "https://github.com/ACME/Edges", "git@github.com:acme/edges.git"

Deployed = Callable[[str], Awaitable[None]]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(migrated(tmp_path / "pachops.db"))
    yield opened
    await opened.close()


@pytest.fixture
def addresses(database: Database, tmp_path: Path) -> Addresses:
    return Addresses(database, Git(tmp_path / "mirrors"), "https://git.acme.io")


@pytest.fixture
def deployed(database: Database) -> Deployed:
    """To production, by this address."""

    async def deployed(address: str) -> None:
        commit = Commit("a" * 40, "main")
        request = Request(Kind.DEPLOY, address, "production", commit, Trigger.CLI, ADA)
        made = Deployment(new_deployment_id(), request)
        await database.write(lambda connection: insert(connection, made))

    return deployed


@pytest.fixture
def clone(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "clone", bare=False)
    repository.git("remote", "add", "origin", HTTPS)
    return repository


@pytest.mark.parametrize(
    ("kept", "typed"),
    [
        (HTTPS, "https://github.com/acme/edges"),
        (HTTPS, "https://GitHub.com/acme/edges.git/"),
        ("https://git.acme.io/ACME/Edges.git", "https://git.acme.io/acme/edges"),
        ("https://elsewhere.io/edges", "https://elsewhere.io/edges.git"),
    ],
)
async def test_a_repository_is_named_as_it_is_kept(
    addresses: Addresses, deployed: Deployed, kept: str, typed: str
) -> None:
    await deployed(kept)
    assert await addresses.typed(typed) == kept


async def test_what_is_not_kept_is_named_as_it_is_typed(
    addresses: Addresses, deployed: Deployed
) -> None:
    await deployed("https://elsewhere.io/ACME/Edges")
    assert await addresses.typed("https://elsewhere.io/acme/edges/") == (
        "https://elsewhere.io/acme/edges"
    )


async def test_of_several_spellings_the_one_that_was_deployed_last_counts(
    addresses: Addresses, deployed: Deployed
) -> None:
    for each in ("https://github.com/acme/edges", "https://github.com/Acme/Edges", HTTPS):
        await deployed(each)
    assert await addresses.typed("https://github.com/acme/edges") == HTTPS
    assert len(await addresses.other_spellings(HTTPS)) == 2


async def test_a_folder_and_its_url_are_one(
    addresses: Addresses, deployed: Deployed, clone: Repository
) -> None:
    await deployed(f"file://{clone.path}")
    assert await addresses.typed(str(clone.path)) == f"file://{clone.path}"


async def refusal(addresses: Addresses, address: str, environment: str | None) -> Code | None:
    try:
        await addresses.check_goes_first(address, environment)
    except StoppedError as stopped:
        return stopped.reason.code
    return None


@pytest.mark.parametrize("environment", ["production", None])
async def test_a_clone_of_what_is_deployed_by_its_url_is_not_deployed(
    addresses: Addresses, deployed: Deployed, clone: Repository, environment: str | None
) -> None:
    path = str(clone.path)
    assert await refusal(addresses, path, environment) is None
    await deployed(HTTPS)
    for each in (path, f"file://{path}"):
        assert await refusal(addresses, each, environment) is Code.OTHER_ADDRESS
    assert await refusal(addresses, path, "mine") is None


async def test_what_was_deployed_by_a_clone_last_is_taken_back_by_it(
    addresses: Addresses, deployed: Deployed, clone: Repository
) -> None:
    path = str(clone.path)
    await deployed(HTTPS)
    await deployed(path)
    await addresses.check_goes_first(path, "production", takes_back=True)
    await deployed(HTTPS)
    with pytest.raises(StoppedError) as stopped:
        await addresses.check_goes_first(path, "production", takes_back=True)
    assert stopped.value.reason.code is Code.OTHER_ADDRESS


@pytest.mark.parametrize("environment", ["production", None])
async def test_but_past_no_lock_of_its_url(
    addresses: Addresses,
    deployed: Deployed,
    database: Database,
    clone: Repository,
    environment: str | None,
) -> None:
    path = str(clone.path)
    await deployed(HTTPS)
    await deployed(path)
    lock = Lock("1", HTTPS, environment, ADA, "fire", 1.0)
    await Locks(database).take(lock, 1.0)
    with pytest.raises(StoppedError) as stopped:
        await addresses.check_goes_first(path, "production", takes_back=True)
    assert stopped.value.reason.code is Code.OTHER_ADDRESS


@pytest.mark.parametrize(
    "remote", [SSH, "https://ada:s3cret@github.com/acme/edges", "gh:acme/edges"]
)
async def test_so_is_a_clone_whose_remote_is_written_in_another_way(
    addresses: Addresses, deployed: Deployed, clone: Repository, remote: str
) -> None:
    clone.git("config", "url.https://github.com/.insteadOf", "gh:")
    clone.git("remote", "rename", "origin", "upstream")
    clone.git("remote", "set-url", "upstream", remote)
    await deployed(HTTPS)
    assert await refusal(addresses, str(clone.path), "production") is Code.OTHER_ADDRESS


async def test_what_it_has_as_a_further_remote_is_something_else(
    addresses: Addresses, deployed: Deployed, clone: Repository
) -> None:
    clone.git("remote", "add", "template", "https://github.com/acme/template")
    await deployed("https://github.com/acme/template")
    assert await refusal(addresses, str(clone.path), "production") is None


async def test_a_lock_is_one_of_the_repository_too(
    addresses: Addresses, database: Database, clone: Repository
) -> None:
    await Locks(database).take(Lock("1", HTTPS, None, ADA, "", 1.0), 1.0)
    assert await refusal(addresses, str(clone.path), "staging") is Code.OTHER_ADDRESS


async def test_what_needs_a_key_gives_way_to_what_everybody_reads(
    addresses: Addresses, deployed: Deployed
) -> None:
    await deployed(SSH)
    await deployed(HTTPS)
    assert await refusal(addresses, SSH, "production") is Code.OTHER_ADDRESS
    assert await refusal(addresses, HTTPS, "production") is None


async def test_a_folder_that_is_gone_is_a_clone_of_nothing(
    addresses: Addresses, deployed: Deployed, tmp_path: Path
) -> None:
    await deployed(HTTPS)
    assert await refusal(addresses, str(tmp_path / "gone"), "production") is None


async def test_a_clone_of_something_else_is_deployed(
    addresses: Addresses, deployed: Deployed, clone: Repository
) -> None:
    await deployed("https://github.com/acme/corners")
    assert await refusal(addresses, str(clone.path), "production") is None
