"""By which address a repository is known here: one that is written in several ways has one line."""

import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from bot.domain.reasons import Code, StoppedError
from bot.domain.repository import goes_before, is_here, repository_names, spelled
from bot.services.git import Git, repository_address
from bot.store.addresses import Kept, kept
from bot.store.database import Database


class Addresses:
    """Addresses as they are typed and as they are kept; `github_url` is where GitHub is."""

    def __init__(self, database: Database, git: Git, github_url: str) -> None:
        self._database = database
        self._git = git
        self._github = frozenset({"github.com", urlsplit(github_url).hostname or ""})

    async def typed(self, text: str) -> str:
        """The address that a person means, as it is kept where something is.

        Errors: login_in_url, repository_unknown.
        """
        address = repository_address(text, Path.cwd())
        return next((each.address for each in await self._alike(address)), address)

    async def other_spellings(self, address: str) -> Sequence[str]:
        """In which other ways it is kept."""
        alike = dict.fromkeys(each.address for each in await self._alike(address))
        return [each for each in alike if each != address]

    async def check_goes_first(
        self, address: str, environment: str | None, *, takes_back: bool = False
    ) -> None:
        """OTHER_ADDRESS where the environment (None: any) is deployed by another address.

        That of what a folder is a clone of, or the one that is read without a key of one's own: its
        line and locks are those that count. What `takes_back` goes by the address of what is there, but
        past no lock.
        """
        kept = [each for each in await self._kept() if _is_of(each, environment)]
        if not any(goes_before(each.address, address) for each in kept):
            return
        its_own = {repository_names(each) for each in await self._read_by(address)}
        was_last = False
        for each in kept:
            was_last = was_last or (takes_back and each.address == address)
            is_other = (
                goes_before(each.address, address) and repository_names(each.address) in its_own
            )
            if is_other and (each.is_lock or not was_last):
                raise _other_address(address, each.address, environment)

    async def is_kept(self, address: str, environment: str | None) -> bool:
        """Whether the environment (None: any) is deployed to, or locked, by this very address."""
        return any(
            each.address == address and _is_of(each, environment) for each in await self._kept()
        )

    async def _read_by(self, address: str) -> Sequence[str]:
        """The URLs of a repository."""
        if not is_here(address):
            return [address]
        try:
            return await self._git.cloned_from(address)
        except StoppedError:
            # A rollback needs no folder; who needs it says what is wrong with it.
            return ()

    async def _alike(self, address: str) -> Sequence[Kept]:
        wanted = spelled(address, self._github)
        return [
            each for each in await self._kept() if spelled(each.address, self._github) == wanted
        ]

    async def _kept(self) -> Sequence[Kept]:
        now = time.time()
        return await self._database.read(lambda connection: kept(connection, now))


def _is_of(each: Kept, environment: str | None) -> bool:
    return environment is None or each.environment in {None, environment}


def _other_address(address: str, other: str, environment: str | None) -> StoppedError:
    what = "is a clone of" if is_here(address) else "is the same repository as"
    fact = f"{address} {what} {other}, by which {environment or 'it'} is deployed or locked here"
    step = f"Name {other} in its place; what it is to deploy has to be pushed there."
    return StoppedError(Code.OTHER_ADDRESS, fact, next_step=step)
