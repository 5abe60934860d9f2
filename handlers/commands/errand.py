"""One thing to do: where, for whom, asked when, and what was already looked up for it."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from bot.domain.deployment import GITHUB, Actor, derived_deployment_id
from bot.domain.gate_facts import Facts, Unknown
from bot.domain.gate_rules import Rules
from bot.domain.github import Permission, PullRequest, Repository
from bot.domain.reasons import Code, StoppedError
from bot.project import PROJECT_FILE, misplaced, parse_project
from bot.services.git import repository_address
from bot.services.github import NOTHING_MORE, Further, Question
from bot.services.once import Once
from bot.services.together import both
from bot.store.values import JSON
from handlers.commands.desk import Client, Desk

if TYPE_CHECKING:
    from bot.domain.command import OnEnvironment

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """A repository on GitHub, and the App as it is installed there."""

    repository: Repository
    installation: int | None = None
    """None with a token, or where the App is to ask."""


@dataclass(frozen=True)
class Person:
    """Who asks."""

    login: str
    """On GitHub."""
    surface: str
    is_bot: bool = False


@dataclass(frozen=True)
class Source:
    """The delivery that asks."""

    id: str
    received_at: float
    """Seconds since the epoch."""
    is_repeat: bool = False
    """Whether an earlier attempt may have done some of it."""
    is_last: bool = False
    """Whether nobody tries again: what passes is a reason for who asked."""
    notes: Mapping[str, JSON] = field(default_factory=lambda: MappingProxyType({}))
    """What the surface keeps with each deployment that it leads to."""
    has_awaited: bool = False
    """Whether it has waited for checks, which people were told."""


class Errand:
    """What the handling of a delivery shares. Each fact is asked for once.

    Errors, from every method: github_unreachable and github_limited, after which the delivery
    is tried again; a refusal of GitHub is an unknown fact.
    """

    client: Client

    def __init__(self, desk: Desk, place: Place, person: Person, source: Source) -> None:
        self.desk = desk
        self.place = place
        self.person = person
        self.source = source
        self.client = desk.github.for_repository(
            place.repository.owner, place.repository.name, place.installation
        )
        self.spoken: OnEnvironment | None = None
        """The command that is carried out, where it is none to deploy."""
        self.written_at: float | None = None
        """When that was written, in seconds since the epoch, where GitHub's clock says it."""
        self.facts: Facts | None = None
        """What the last decision was made from."""
        self._rules: Rules | None = None
        self._has_no_file = False
        self._permission: Permission | Unknown | None = None
        self._least_permissions: Mapping[str, Permission] = {}
        self._pulls: dict[int, PullRequest | Unknown] = {}
        self._members: dict[str, bool | Unknown] = {}
        self._in_groups: dict[str, bool | Unknown] = {}
        self.question = NOTHING_MORE
        self.answered = NOTHING_MORE
        """The question, where one call has answered it."""
        self._further = Once(self._look_further)

    @property
    def repository(self) -> Repository:
        """Where it happens."""
        return self.place.repository

    @property
    def address(self) -> str:
        """The repository as deployments name it."""
        return address_of(self.repository)

    @property
    def actor(self) -> Actor:
        """Who asks, for a deployment."""
        login, surface = self.person.login, self.person.surface
        known_as = f"{GITHUB}:{login.lower()}"
        own = f"{surface}:{login.lower()}"
        return Actor(login, surface, known_as if own != known_as else None)

    def deployment_id(self, part: str) -> str:
        """The same for the same part of this delivery, however often it is handled."""
        return derived_deployment_id(self.source.received_at, self.source.id, part)

    def once(self, part: str) -> str:
        """What a part's deed is known by in the audit, whose row is written in its transaction."""
        return f"done:{self.deployment_id(part)}"

    async def sent_at(self) -> float:
        """When we were told, or should have been, in seconds since the epoch."""
        return self.source.received_at

    def of(self, person: Person) -> "Errand":
        """The same for another person: what was said of the rules and of them is not asked again."""
        other = Errand(self.desk, self.place, person, self.source)
        other._rules = self._rules
        other._least_permissions = self._least_permissions
        return other

    async def look(self, number: int, *others: str) -> None:
        """Look up in one call what most commands on a pull request need, as far as that goes.

        With it, what is foreseen, and what others may do, by their logins.
        """
        if number in self._pulls:
            return
        logins, question = (self.person.login, *others), self.question
        asking = self.client.look(number, path=PROJECT_FILE, logins=logins, question=question)
        found = await known("", asking)
        if found is None or isinstance(found, Unknown):
            return
        self._pulls[number] = found.pull_request
        self._least_permissions = found.permissions
        self._has_no_file = found.is_file_known and found.file is None
        if found.file is not None and self._rules is None:
            self._rules = await asyncio.to_thread(self._narrowed, found.file)
        if found.further is not None:
            self._further = Once(partial(_as_it_is, found.further))

    def foresee(self, question: Question) -> None:
        """What will be asked for beyond that is looked up in one call, when the first of it is.

        Foreseen before the first look, it is a part of that.
        """
        if question == self.question:
            return
        self.question, self.answered = question, NOTHING_MORE
        self._further = Once(self._look_further)

    async def further(self) -> Further | None:
        """The answer; None where REST is asked, whose refusals say of each fact why it is not known."""
        return await self._further.get()

    async def _look_further(self) -> Further | None:
        if self.question.is_empty:
            return None
        found = await known("", self.client.further(self.question))
        if found is None or isinstance(found, Unknown):
            return None
        self.answered = self.question
        return found

    async def rules(self) -> Rules:
        """Those of the default branch. Errors: also github_refused, project_invalid."""
        if self._rules is None:
            text = await self._file()
            # A large one takes seconds.
            self._rules = await asyncio.to_thread(self._narrowed, text)
        return self._rules

    async def _file(self) -> bytes | None:
        text = None
        if not self._has_no_file:
            text = await self.client.default_branch_file(PROJECT_FILE)
        if text is None:
            there = await self.client.names_at_root(self.repository.default_branch)
            if (wrong := misplaced(there)) is not None:
                raise wrong
        return text

    def _narrowed(self, text: bytes | None) -> Rules:
        """The repository's own rules, with what the operator's settings add to them."""
        return self.desk.deployer.narrow(_own_rules(text or b""), self.address)

    async def permission(self, least: Permission = Permission.ADMIN) -> Permission | Unknown:
        """What whoever asks may really do; where they may do `least`, perhaps not all of it."""
        login = self.person.login
        at_least = self._least_permissions.get(login)
        if at_least is not None and at_least >= least:
            return at_least
        if self._permission is None:
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

    async def completed(
        self, pull: PullRequest, *, behind: bool, moved: bool, checks: bool, review: bool
    ) -> PullRequest | Unknown:
        """The pull request with what takes further calls."""
        asking = both(
            both(
                self._behind_by(pull) if behind else _as_it_is(pull.behind_by),
                self.client.head_moved_at(pull) if moved else _as_it_is(pull.head_moved_at),
            ),
            both(
                both(self.client.checks_of_head(pull), self.client.required_checks(pull))
                if checks
                else _as_it_is((pull.checks, pull.required_checks)),
                self.client.review(pull) if review else _as_it_is(pull.review),
            ),
        )
        found = await known(f"pull request {pull.number}", asking)
        if isinstance(found, Unknown):
            return found
        (behind_by, moved_at), ((its_checks, required), its_review) = found
        self._pulls[pull.number] = replace(
            pull,
            behind_by=behind_by,
            head_moved_at=moved_at,
            checks=its_checks,
            required_checks=required,
            review=its_review,
        )
        return self._pulls[pull.number]

    async def _behind_by(self, pull: PullRequest) -> int | None:
        if self.question.base == pull.base_ref and self.question.sha == pull.head_sha:
            found = await self.further()
            if found is not None and found.behind_by is not None:
                return found.behind_by
        return await self.client.behind_by(pull)

    async def is_member(self, team: str) -> bool | Unknown:
        """Whether whoever asks is in `org/slug`."""
        if team not in self._members:
            self._members[team] = await self._ask_is_member(team)
        return self._members[team]

    async def _ask_is_member(self, team: str) -> bool | Unknown:
        found = await self.further() if team in self.question.teams else None
        members = found.members if found is not None else {}
        is_there, is_in_it = team in members, members.get(team)
        # Who seems to be in none of them is asked about by name: a search may miss somebody.
        if is_in_it is not None and any(members.values()):
            return is_in_it
        asking = self.client.is_team_member(team, self.person.login, is_there=is_there)
        return await known(f"the members of {team}", asking)

    async def is_in_group(self, group: str) -> bool | Unknown:
        """Whether whoever asks is in a user group in Slack."""
        groups = self.desk.groups
        if groups is None:
            return _without_slack(group)
        if group not in self._in_groups:
            self._in_groups[group] = await groups.is_member(group, self.person.login)
        return self._in_groups[group]

    async def is_group_there(self, group: str) -> bool | Unknown:
        """Whether there is such a user group in Slack, whoever asks."""
        groups = self.desk.groups
        return _without_slack(group) if groups is None else await groups.is_there(group)


@lru_cache(maxsize=32)
def _own_rules(text: bytes) -> Rules:
    """Each command asks for them, and they seldom change."""
    return parse_project(text).rules()


def address_of(repository: Repository) -> str:
    """A repository as deployments name it."""
    return repository_address(repository.clone_url, Path("/"))


def _without_slack(group: str) -> Unknown:
    return Unknown(f"the members of @{group}", "this bot is in no Slack")


async def _as_it_is(fact: T) -> T:
    return fact


async def known(call: str, asking: Awaitable[T]) -> T | Unknown:
    """The answer, or that GitHub will not give it; what passes is raised."""
    try:
        return await asking
    except StoppedError as stopped:
        if stopped.reason.code is not Code.GITHUB_REFUSED:
            raise
        return Unknown(call, stopped.reason.fact)
