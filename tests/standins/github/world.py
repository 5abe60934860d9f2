"""Everything that this GitHub knows."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.real.git_server import Repository
from tests.standins.github.app import App, Installation, Token
from tests.standins.github.clock import Clock
from tests.standins.github.errors import not_found
from tests.standins.github.state import (
    Comment,
    Issue,
    PullRequest,
    Push,
    Repo,
    Team,
    User,
)

Emit = Callable[[str, dict[str, Any], Repo], None]


@dataclass
class World:
    """The state; every change of it tells those who wait for something."""

    folder: Path
    app: App
    clock: Clock = field(default_factory=Clock)
    users: dict[str, User] = field(default_factory=dict)
    teams: dict[tuple[str, str], Team] = field(default_factory=dict)
    repos: dict[str, Repo] = field(default_factory=dict)
    installations: dict[int, Installation] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    manifests: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Apps that were just made, by the code that fetches them once."""
    token_life: float = 3600.0
    """Seconds that an installation's token is good for."""
    has_graphql: bool = True
    writes_with_graphql: bool = True
    """Whether Apps may change anything with it."""
    has_rulesets: bool = True
    decides_reviews: bool = True
    """Whether its graph has the decision that reviews come to, as all have since 2020."""
    """Whether GraphQL knows of them; that of old servers does not."""
    has_activity: bool = True
    shows_collaborators: bool = True
    """Whether GraphQL tells the App who may do what; REST always does."""
    root: str = ""
    """The server's address."""

    def __post_init__(self) -> None:
        self._ids = itertools.count(1001)
        self.changed = asyncio.Condition()

    @property
    def api(self) -> str:
        """The API's address."""
        return f"{self.root}/api/v3"

    def new_id(self) -> int:
        """An id that nothing else has."""
        return next(self._ids)

    def user(self, login: str, kind: str = "User") -> User:
        """A user, who is made when first named."""
        if login not in self.users:
            self.users[login] = User(self.new_id(), login, kind)
        return self.users[login]

    @property
    def bot(self) -> User:
        """Who the App's comments are by."""
        return self.user(f"{self.app.slug}[bot]", "Bot")

    def repo(self, full_name: str) -> Repo:
        """A repository; names are the same in any case."""
        wanted = full_name.lower()
        found = next((each for name, each in self.repos.items() if name.lower() == wanted), None)
        if found is None:
            raise not_found()
        return found

    def new_repo(self, full_name: str, *, private: bool, fork_of: Repo | None = None) -> Repo:
        """An empty repository, with its git."""
        owner, _, name = full_name.partition("/")
        git = Repository(self.folder / f"{full_name}.git")
        # GitHub gives out any commit that it has, by its SHA.
        git.git("config", "uploadpack.allowAnySHA1InWant", "true")
        kind = "User" if fork_of else "Organization"
        made = Repo(
            self.new_id(), self.user(owner, kind), name, git, private=private, fork_of=fork_of
        )
        self.repos[full_name] = made
        return made

    def installation_of(self, repo: Repo) -> Installation | None:
        """The App's installation that includes the repository."""
        return next(
            (each for each in self.installations.values() if repo.full_name in each.repos), None
        )

    def issue(self, repo: Repo, number: int) -> Issue:
        """An issue or a pull request."""
        if number not in repo.issues:
            raise not_found()
        return repo.issues[number]

    def pull(self, repo: Repo, number: int) -> PullRequest:
        """A pull request."""
        found = self.issue(repo, number)
        if not isinstance(found, PullRequest):
            raise not_found()
        return found

    def add_comment(self, repo: Repo, number: int, author: User, body: str) -> Comment:
        """Somebody comments."""
        now = self.clock.tick()
        made = Comment(self.new_id(), number, author, body, now, now, bodies=[body])
        repo.comments[made.id] = made
        return made

    def add_push(self, repo: Repo, branch: str, before: str, after: str, by: User) -> Push:
        """Note that a branch has moved."""
        kind = "push" if before.strip("0") else "branch_creation"
        made = Push(
            self.new_id(), f"refs/heads/{branch}", before, after, kind, by, self.clock.tick()
        )
        repo.pushes.append(made)
        return made

    async def tell(self) -> None:
        """Let those look who wait for something."""
        async with self.changed:
            self.changed.notify_all()
