"""A repository on GitHub in memory, that fails when it is told to."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.domain.reasons import Code, StoppedError
from bot.services.github import (
    Annotation,
    CheckReport,
    CheckUpdate,
    CommentEdit,
    DeploymentState,
    NewCheck,
    NewComment,
    NewStatus,
    Order,
    Outcome,
    React,
    Reaction,
    Undone,
    Written,
)


class CrashError(BaseException):
    """The bot's process ends here, after GitHub has done what it was asked."""


@dataclass
class Comment:
    number: int
    body: str
    marker: str
    edits: int = 0


@dataclass
class CheckRun:
    sha: str
    name: str
    external_id: str
    reports: list[CheckReport]
    annotations: tuple[Annotation, ...] = ()


@dataclass
class GitHubDeployment:
    sha: str
    environment: str
    payload: Mapping[str, str]
    states: list[str] = field(default_factory=list)


class FakeRepository:
    """Every method is one call; `refuses` and `crash_after` name methods.

    `down` has why nothing is done; None: it is.
    """

    def __init__(self) -> None:
        self.comments: dict[int, Comment] = {}
        self.checks: dict[int, CheckRun] = {}
        self.deployments: dict[int, GitHubDeployment] = {}
        self.reactions: dict[int, set[str]] = {}
        self.calls: list[str] = []
        self.down: Code | None = None
        self.refuses: set[str] = set()
        self.crash_after: str | None = None
        self.writes_one_by_one = False
        self.leaves: set[type[Order]] = set()
        """The orders that a call for several does not carry out."""
        self.hides: set[type[Order]] = set()
        """Those of which it does not say that it has."""
        self.down_for: set[str] = set()
        """The methods that are not answered."""
        self.reacted = asyncio.Event()
        self._last_id = 100

    async def react(self, comment: int, content: Reaction) -> None:
        self._called("react")
        self.reactions.setdefault(comment, set()).add(content)
        self.reacted.set()
        self._done("react")

    async def create_comment(self, number: int, body: str, *, marker: str) -> int:
        self._called("create_comment")
        self.comments[self._new_id()] = Comment(number, body, marker)
        return self._done("create_comment")

    async def edit_comment(self, comment: int, body: str, *, marker: str = "") -> bool:
        self._called("edit_comment")
        found = self.comments.get(comment)
        if found is None:
            return False
        found.body, found.marker = body, marker
        found.edits += 1
        self._done("edit_comment")
        return True

    async def find_comment(self, number: int, marker: str) -> int | None:
        self._called("find_comment")
        return next(
            (
                identity
                for identity, each in self.comments.items()
                if (each.number, each.marker) == (number, marker)
            ),
            None,
        )

    async def create_check(
        self, sha: str, name: str, report: CheckReport, *, external_id: str
    ) -> int:
        self._called("create_check")
        self.checks[self._new_id()] = CheckRun(sha, name, external_id, [report], report.annotations)
        return self._done("create_check")

    async def find_check(self, sha: str, name: str, *, external_id: str) -> int | None:
        self._called("find_check")
        return next(
            (
                identity
                for identity, each in self.checks.items()
                if (each.sha, each.name, each.external_id) == (sha, name, external_id)
            ),
            None,
        )

    async def update_check(
        self, check: int, report: CheckReport, *, was_annotated: bool = True
    ) -> None:
        self._called("update_check")
        found = self.checks[check]
        if report.annotations and not (was_annotated and found.annotations):
            found.annotations += report.annotations
        found.reports.append(report)
        self._done("update_check")

    async def create_deployment(
        self, sha: str, environment: str, *, payload: Mapping[str, str], description: str = ""
    ) -> int:
        del description
        self._called("create_deployment")
        self.deployments[self._new_id()] = GitHubDeployment(sha, environment, payload)
        return self._done("create_deployment")

    async def find_deployment(
        self, sha: str, environment: str, *, payload: Mapping[str, str]
    ) -> int | None:
        self._called("find_deployment")
        return next(
            (
                identity
                for identity, each in self.deployments.items()
                if (each.sha, each.environment, each.payload) == (sha, environment, payload)
            ),
            None,
        )

    async def deployment_status(
        self,
        deployment: int,
        state: DeploymentState,
        *,
        description: str = "",
        url: str = "",
        was_tried: bool = False,
    ) -> None:
        del description, url
        self._called("deployment_status")
        states = self.deployments[deployment].states
        if not (was_tried and states[-1:] == [state]):
            states.append(state)
        self._done("deployment_status")

    async def write(self, orders: Sequence[Order]) -> tuple[Outcome, ...] | None:
        if self.writes_one_by_one:
            return None
        self._called("write")
        written = tuple(
            Undone.UNKNOWN if type(each) in self.hides else outcome
            for each in orders
            for outcome in [self._carry_out(each)]
        )
        self._done("write")
        return written

    def _carry_out(self, order: Order) -> Outcome:
        if type(order) in self.leaves:
            return Undone.REFUSED
        match order:
            case CommentEdit(comment, body, marker):
                found = self.comments.get(comment)
                if found is None:
                    return Undone.REFUSED
                found.body, found.marker = body, marker
                found.edits += 1
            case CheckUpdate(check, report):
                self.checks[check].reports.append(report)
                self.checks[check].annotations += report.annotations
            case NewCheck(sha, name, report, external_id):
                new = CheckRun(sha, name, external_id, [report], report.annotations)
                self.checks[self._new_id()] = new
                return Written(self._last_id)
            case NewStatus(deployment, state):
                self.deployments[deployment].states.append(state)
            case React(comment, content):
                self.reactions.setdefault(comment, set()).add(content)
                self.reacted.set()
            case NewComment(number, body, marker):
                self.comments[self._new_id()] = Comment(number, body, marker)
                return Written(self._last_id)
        return Written()

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.down:
            raise StoppedError(self.down, "nothing is done")
        if name in self.down_for:
            raise StoppedError(Code.GITHUB_UNREACHABLE, "it does not answer")
        if name in self.refuses:
            raise StoppedError(Code.GITHUB_REFUSED, "it answers 403")

    def _new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _done(self, name: str) -> int:
        if self.crash_after == name:
            self.crash_after = None
            raise CrashError
        return self._last_id
