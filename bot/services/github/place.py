"""A repository as the place of calls: which login they go out with, and how they are named."""

from collections.abc import Collection
from typing import TypeVar

from github import Github
from github.Repository import Repository as GithubRepository

from bot.services.github.access import Access
from bot.services.github.connection import MISSING, Connection, Work

T = TypeVar("T")


class Place:
    """What every kind of call on a repository needs."""

    def __init__(
        self, access: Access, owner: str, name: str, installation: int | None = None
    ) -> None:
        self._access = access
        self._owner, self._name = owner, name
        self._installation = installation
        self._path = f"/repos/{owner}/{name}"

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self._owner}/{self._name}"

    def _repository(self, github: Github) -> GithubRepository:
        """PyGithub's, which is not fetched."""
        return github.get_repo(self.full_name)

    async def _ask(self, call: str, work: Work[T]) -> T:
        return await (await self._connection()).ask(self._named(call), work)

    async def _try_once(self, call: str, work: Work[T]) -> T:
        return await (await self._connection()).try_once(self._named(call), work)

    async def _find(
        self, call: str, work: Work[T], *, none_for: Collection[int] = MISSING
    ) -> T | None:
        connection = await self._connection()
        return await connection.find(self._named(call), work, none_for=none_for)

    async def _create(self, call: str, work: Work[T], find: Work[T | None]) -> T:
        return await (await self._connection()).create(self._named(call), work, find)

    async def _connection(self) -> Connection:
        return await self._access.connection(self.full_name, self._installation)

    def _named(self, call: str) -> str:
        return f"{call} in {self.full_name}"
