"""One delivery on its way: where it happened, who did it, and what was already looked up."""

from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

from bot.domain.deployment import Actor, derived_deployment_id
from bot.domain.gate_facts import Unknown
from bot.domain.gate_rules import Rules
from bot.domain.github import Permission, PullRequest
from bot.domain.reasons import Code, StoppedError
from bot.project import PROJECT_FILE, parse_project
from bot.services.git import repository_address
from bot.store.deliveries import Delivery
from handlers.github.desk import Desk
from handlers.github.payloads import Event
from handlers.reports.github.comment import SURFACE

T = TypeVar("T")


class Errand:
    """What the handling of a delivery shares. Each fact is asked for once.

    Errors, from every method: github_unreachable and github_limited, after which the delivery
    is tried again; a refusal of GitHub is an unknown fact.
    """

    def __init__(self, desk: Desk, delivery: Delivery, event: Event) -> None:
        self.desk = desk
        self.delivery = delivery
        self.repository = event.place
        self.sender = event.sender
        self.installation = event.installation.id if event.installation else None
        self.client = desk.github.for_repository(
            self.repository.owner, self.repository.name, self.installation
        )
        self._rules: Rules | None = None
        self._permission: Permission | Unknown | None = None
        self._pulls: dict[int, PullRequest | Unknown] = {}
        self._members: dict[str, bool | Unknown] = {}

    @property
    def is_repeat(self) -> bool:
        """Whether an earlier attempt may have done some of it."""
        return self.delivery.attempts > 1

    @property
    def address(self) -> str:
        """The repository as deployments name it."""
        return repository_address(self.repository.clone_url, Path("/"))

    @property
    def actor(self) -> Actor:
        """Who asks, for a deployment."""
        return Actor(self.sender.login, SURFACE)

    def deployment_id(self, part: str) -> str:
        """The same for the same part of this delivery, however often it is handled."""
        return derived_deployment_id(self.delivery.received_at, self.delivery.id, part)

    async def rules(self) -> Rules:
        """Those of the default branch. Errors: also github_refused, project_invalid."""
        if self._rules is None:
            text = await self.client.default_branch_file(PROJECT_FILE)
            self._rules = parse_project(text or b"").rules()
        return self._rules

    async def permission(self) -> Permission | Unknown:
        """What the sender may really do."""
        if self._permission is None:
            login = self.sender.login
            self._permission = await known(
                f"the permission of {login}", self.client.permission(login)
            )
        return self._permission

    async def pull_request(self, number: int) -> PullRequest | Unknown:
        """A pull request as it is when it is first asked for."""
        if number not in self._pulls:
            self._pulls[number] = await known(
                f"pull request {number}", self.client.pull_request(number)
            )
        return self._pulls[number]

    async def is_member(self, team: str) -> bool | Unknown:
        """Whether the sender is in `org/slug`."""
        if team not in self._members:
            self._members[team] = await known(
                f"the members of {team}", self.client.is_team_member(team, self.sender.login)
            )
        return self._members[team]


async def known(call: str, asking: Awaitable[T]) -> T | Unknown:
    """The answer, or that GitHub will not give it; what passes is raised."""
    try:
        return await asking
    except StoppedError as stopped:
        if stopped.reason.code is not Code.GITHUB_REFUSED:
            raise
        return Unknown(call, stopped.reason.fact)
