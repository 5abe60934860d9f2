"""What the reports ask of a repository on GitHub."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from bot.services.github import CheckReport, DeploymentState, Order, Outcome, Reaction


class Repository(Protocol):
    """As RepositoryClient does it, with its errors; each thing is found again by who made it."""

    async def react(self, comment: int, content: Reaction) -> None:
        """A second time changes nothing."""

    async def create_comment(self, number: int, body: str, *, marker: str) -> int:
        """The id."""

    async def edit_comment(self, comment: int, body: str, *, marker: str = "") -> bool:
        """False where it is gone."""

    async def find_comment(self, number: int, marker: str) -> int | None:
        """Our own that ends with the marker."""

    async def create_check(
        self, sha: str, name: str, report: CheckReport, *, external_id: str
    ) -> int:
        """The id."""

    async def find_check(self, sha: str, name: str, *, external_id: str) -> int | None:
        """The check of this deployment."""

    async def update_check(
        self, check: int, report: CheckReport, *, was_annotated: bool = True
    ) -> None:
        """Show this instead; false where its annotations cannot be there yet, which saves a look."""

    async def create_deployment(
        self, sha: str, environment: str, *, payload: Mapping[str, str], description: str = ""
    ) -> int:
        """The id."""

    async def find_deployment(
        self, sha: str, environment: str, *, payload: Mapping[str, str]
    ) -> int | None:
        """The one with this payload."""

    async def deployment_status(
        self,
        deployment: int,
        state: DeploymentState,
        *,
        description: str = "",
        url: str = "",
        was_tried: bool = False,
    ) -> None:
        """Say how it stands; what was tried may be there."""

    async def write(self, orders: Sequence[Order]) -> tuple[Outcome, ...] | None:
        """Carry them out in one call; what came of each, or None where nothing was asked.

        After an error each may have been done.
        """
