"""What the handlers of GitHub's events work with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.github import ReleaseNow
from bot.services.github import CheckReport, Conclusion, OwnCheck, Reaction
from bot.store.deliveries import Deliveries
from handlers.commands import desk
from handlers.reports.github.safe import Safe


class Client(desk.Client, Protocol):
    """A repository on GitHub that can be written to; RepositoryClient is one."""

    async def name_of(self, number: int) -> str | None:
        """What the repository of a number is called now; None where nobody says so."""

    async def react(self, comment: int, content: Reaction) -> None:
        """A second time changes nothing."""

    def knows_comment(self, comment: int, node: str | None) -> None:
        """Note GraphQL's id of somebody's comment."""

    async def find_comment(self, number: int, marker: str) -> int | None:
        """Our own comment that ends with the marker."""

    async def create_comment(self, number: int, body: str, *, marker: str) -> int:
        """Comment; the marker is put at its end."""

    async def edit_comment(self, comment: int, body: str, *, marker: str = "") -> bool:
        """Replace its text; False where it is gone."""

    async def file_at(self, path: str, sha: str) -> bytes | None:
        """A file of a commit, a fork's too."""

    async def commit_of_tag(self, tag: str) -> str:
        """Its full SHA, where git does not say it."""

    async def release(self, identity: int) -> ReleaseNow | None:
        """As it is now; None where it is gone."""

    async def find_check(self, sha: str, name: str, *, external_id: str) -> int | None:
        """Our own check of this name on a commit."""

    async def set_status(self, sha: str, context: str, text: str, *, passes: bool) -> None:
        """Say how a commit stands where no check can be written."""

    async def has_status(self, sha: str, context: str) -> bool:
        """Whether anybody has said so."""

    async def create_check(
        self, sha: str, name: str, report: CheckReport, *, external_id: str
    ) -> int:
        """Report a check on a commit."""

    async def update_check(self, check: int, report: CheckReport) -> None:
        """Show this instead."""

    async def checks_of_suite(self, suite: int) -> Sequence[OwnCheck]:
        """Our latest check of each name on a suite's commit."""

    async def end_check(self, check: int, conclusion: Conclusion) -> None:
        """Give it its end back; what it shows stays."""

    async def resume_check(self, check: int) -> None:
        """Show that it goes on; likewise."""


class GitHub(desk.GitHub, Protocol):
    """GitHub with our login."""

    @property
    def is_app(self) -> bool:
        """Whether checks can be written."""

    def for_repository(self, owner: str, name: str, installation: int | None = None) -> Client:
        """One repository."""


@dataclass(frozen=True, kw_only=True)
class Desk(desk.Desk):
    """Everything that a handler needs beside the delivery."""

    github: GitHub
    safe: Safe
    """Writes what comes from outside into Markdown."""
    app_id: int | None = None
    """Ours, by which our own checks are known."""
    deliveries: Deliveries | None = None
    """Where what brought a commit waits for its checks; None: it is refused instead."""
