"""What an environment in a project file says of who may deploy what to it, and when."""

from datetime import date
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from bot.domain import gate_rules
from bot.domain.calendar import Calendar, Period, parse_period
from bot.domain.gate_rules import MOST_APPROVALS, EnvironmentRules, Follow
from bot.domain.github import Permission
from bot.domain.people import People
from bot.project_values import (
    Branches,
    Channel,
    Declared,
    Login,
    SlackGroup,
    Team,
    Text,
    WrittenPeriod,
    each_once,
    empty_is_default,
)
from bot.units import Timeout, lasting

_Named = Literal["checks", "review", "fresh"]


def _is_true(value: object) -> object:
    if value is not True:
        raise ValueError("must be true, or left out: who is named is at no terminal without it")
    return value


class On(Declared):
    """Which events deploy to the environment."""

    push: tuple[Branches, ...] = ()
    """Branches of which every push is deployed."""
    pull_request: Literal["command", "always", "never"] = "command"
    """Whether a pull request is deployed when somebody asks, with every push, or not at all."""
    release: Literal["published", "released", "never"] = "never"
    """Whether every published release is deployed, or all but pre-releases (`released`)."""


class NamedPeople(Declared):
    """Certain people; where users, teams or Slack user groups are named, nobody else."""

    users: Annotated[tuple[Login, ...], Field(min_length=1)] = ()
    """Logins on GitHub."""
    teams: Annotated[tuple[Team, ...], Field(min_length=1)] = ()
    """Teams on GitHub: `acme/ml-platform`."""
    slack_groups: Annotated[tuple[SlackGroup, ...], Field(min_length=1)] = ()
    """Slack user groups by their handle or id."""
    permission: Literal["write", "maintain", "admin"] = "write"
    """The least permission in the repository, also of those who are named."""
    terminal: Annotated[
        Literal[True] | None, BeforeValidator(_is_true, json_schema_input_type=Literal[True])
    ] = None
    """Whether also whoever deploys at a terminal, or by a workflow's step, where others are named."""

    @model_validator(mode="after")
    def _lets_more_than_terminals_in(self) -> "NamedPeople":
        """Alone it would mean everybody with the permission."""
        if self.terminal and not self.people().is_named:
            raise ValueError(
                "has terminal: true and names no users, teams or slack_groups: without them a "
                "terminal is let in anyway, with everybody who has the permission"
            )
        return self

    def people(self) -> People:
        """The same for the gate."""
        return People(
            frozenset(each.lower() for each in self.users),
            frozenset(each.lower() for each in self.teams),
            frozenset(each.lower() for each in self.slack_groups),
            Permission[self.permission.upper()],
            terminal=self.terminal is True,
        )


def is_said(value: object) -> object:
    """A rule whose lines were taken away must not open what it closed."""
    if value is None:
        raise ValueError("must not be empty; without such a rule, leave it out")
    return value


def _names_somebody(value: object) -> object:
    if value is None or value == {}:
        raise ValueError("must name users, teams, slack_groups or a permission")
    return value


def _number_is_count(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | dict | Approvals):
        raise ValueError("must be a number, or a mapping with count, who and deadline")  # noqa: TRY004 - pydantic's
    return {"count": value} if isinstance(value, int) else value


def _one_or_several(value: object) -> object:
    # A day without quotes is none of YAML's texts.
    return [value] if isinstance(value, str | date) else value


class Approvals(Declared):
    """How many other people must approve what a deployment is about to do."""

    count: Annotated[int, Field(ge=0, le=MOST_APPROVALS, strict=True)] = 1
    """How many."""
    who: Annotated[
        NamedPeople,
        BeforeValidator(_names_somebody, json_schema_input_type=NamedPeople),
    ] = NamedPeople()
    """Who counts; never who asked. Without it everybody with write permission."""
    deadline: Timeout = lasting("24h")
    """How long it waits."""

    def approvals(self) -> gate_rules.Approvals:
        """The same for the gate."""
        who = self.who.people()
        named = (who,) if who != People() else ()
        return gate_rules.Approvals(self.count, named, self.deadline)


def periods(written: tuple[str, ...]) -> tuple[Period, ...]:
    """What was written, read."""
    return tuple(parse_period(each) for each in written)


class RequiredChecks(Declared):
    """Certain checks instead of all."""

    checks: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Their names on GitHub."""


def _kind_of_requirement(value: object) -> str:
    return "<checks>" if isinstance(value, dict | RequiredChecks) else "<name>"


def _is_known(value: object) -> object:
    if isinstance(value, dict | RequiredChecks) or value in get_args(_Named):
        return value
    raise ValueError("must be checks, review, fresh or {checks: [NAME, ...]}")


def required_once(
    value: tuple[_Named | RequiredChecks, ...],
) -> tuple[_Named | RequiredChecks, ...]:
    """Refuse what is asked for twice; ValueError says what."""
    kinds = ["checks" if isinstance(each, RequiredChecks) else each for each in value]
    for kind in kinds:
        if kinds.count(kind) > 1:
            text = f"has {kind} twice"
            raise ValueError(text)
    return value


Requirement = Annotated[
    Annotated[_Named, Tag("<name>")] | Annotated[RequiredChecks, Tag("<checks>")],
    Discriminator(_kind_of_requirement),
    BeforeValidator(_is_known, json_schema_input_type=_Named | RequiredChecks),
]


Someone = Annotated[
    NamedPeople | None, BeforeValidator(_names_somebody, json_schema_input_type=NamedPeople)
]
_Periods = Annotated[
    tuple[WrittenPeriod, ...],
    Field(min_length=1, max_length=50),
    BeforeValidator(_one_or_several, json_schema_input_type=str | list[str]),
]
WrittenPeriods = Annotated[
    _Periods | None, BeforeValidator(is_said, json_schema_input_type=_Periods)
]
Patterns = Annotated[
    tuple[Branches, ...] | None,
    BeforeValidator(is_said, json_schema_input_type=tuple[Branches, ...]),
]
CountedApprovals = Annotated[
    Approvals,
    BeforeValidator(_number_is_count, json_schema_input_type=int | Approvals),
]
Deployers = Annotated[
    NamedPeople, BeforeValidator(_names_somebody, json_schema_input_type=NamedPeople)
]


class Gated(Declared):
    """What the gate asks of a deployment to an environment."""

    on: Annotated[On, BeforeValidator(empty_is_default, json_schema_input_type=On | None)] = On()
    """What deploys by itself."""
    branches: Patterns = None
    """Branches that may be asked for; without it the default branch and those of on: push."""
    deployers: Deployers = NamedPeople()
    """Who may deploy."""
    requires: Annotated[tuple[Requirement, ...], AfterValidator(required_once)] = ()
    """What must be so of the commit: checks succeeded, review approved, no commit of the base
    branch missing."""
    forks: bool = False
    """Whether pull requests from forks may be deployed, by their commit's whole SHA."""
    drafts: bool = False
    """Whether pull requests that are drafts may be deployed."""
    notify: Annotated[tuple[Channel, ...], Field(max_length=10), AfterValidator(each_once)] = ()
    """Slack channels in which deployments are told of: `#name`, or a channel's id."""
    approvals: CountedApprovals = Approvals(count=0)
    """How many other people must approve, before anything is updated."""
    hours: WrittenPeriods = None
    """When deployments are taken; without it always: `Mon - Fri 09:00 - 17:00 Europe/Berlin`."""
    freezes: Annotated[WrittenPeriods, Field(alias="not")] = None
    """When they are not: `Fri 16:00 - Mon 08:00 Europe/Berlin`, or days of the calendar."""
    force: Someone = None
    """Who may skip checks, reviews, freezes, locks and approvals; without it nobody."""

    def rules(self) -> EnvironmentRules:
        """The same for the gate."""
        who = self.deployers.people()
        return EnvironmentRules(
            push=self.on.push,
            pull_request=Follow(self.on.pull_request),
            release=self.on.release != "never",
            prereleases=self.on.release != "released",
            branches=self.branches,
            users=who.users,
            teams=who.teams,
            groups=who.groups,
            permission=who.permission,
            terminal=who.terminal,
            checks=names_of_checks(self.requires),
            review="review" in self.requires,
            fresh="fresh" in self.requires,
            forks=self.forks,
            drafts=self.drafts,
            notify=self.notify,
            approvals=self.approvals.approvals(),
            calendar=calendar(self.hours, self.freezes),
            force=(self.force.people(),) if self.force else (),
        )


def names_of_checks(requires: tuple[Requirement, ...]) -> tuple[str, ...] | None:
    """The checks that must have succeeded; empty: all; None: none."""
    for each in requires:
        if isinstance(each, RequiredChecks):
            return each.checks
    return () if "checks" in requires else None


def calendar(hours: tuple[str, ...] | None, freezes: tuple[str, ...] | None) -> Calendar:
    """When deployments are taken."""
    return Calendar((periods(hours),) if hours else (), periods(freezes or ()))
