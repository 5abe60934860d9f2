"""What an environment in a project file says of who may deploy what to it, and when."""

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from bot.domain.gate_rules import EnvironmentRules, Follow
from bot.domain.github import Permission
from bot.project_values import (
    Branches,
    Channel,
    Declared,
    Login,
    Team,
    Text,
    each_once,
    empty_is_default,
)

_Named = Literal["checks", "review", "fresh"]


class On(Declared):
    """Which events deploy to the environment."""

    push: tuple[Branches, ...] = ()
    """Branches of which every push is deployed."""
    pull_request: Literal["command", "always", "never"] = "command"
    """Whether a pull request is deployed when somebody asks, with every push, or not at all."""
    release: Literal["published", "never"] = "never"


class Deployers(Declared):
    """Who may deploy; where users or teams are named, nobody else."""

    users: Annotated[tuple[Login, ...], Field(min_length=1)] = ()
    teams: Annotated[tuple[Team, ...], Field(min_length=1)] = ()
    permission: Literal["write", "maintain", "admin"] = "write"
    """The least permission in the repository, also of those who are named."""


class RequiredChecks(Declared):
    """Certain checks instead of all."""

    checks: Annotated[tuple[Text, ...], Field(min_length=1)]


def _kind_of_requirement(value: object) -> str:
    return "<checks>" if isinstance(value, dict | RequiredChecks) else "<name>"


def _is_known(value: object) -> object:
    if isinstance(value, dict | RequiredChecks) or value in get_args(_Named):
        return value
    raise ValueError("must be checks, review, fresh or {checks: [NAME, ...]}")


def _each_once(value: tuple[_Named | RequiredChecks, ...]) -> tuple[_Named | RequiredChecks, ...]:
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


class Gated(Declared):
    """What the gate asks of a deployment to an environment."""

    on: Annotated[On, BeforeValidator(empty_is_default, json_schema_input_type=On | None)] = On()
    branches: tuple[Branches, ...] | None = None
    """Branches that may be asked for; without it the default branch and those of on: push."""
    deployers: Annotated[
        Deployers, BeforeValidator(empty_is_default, json_schema_input_type=Deployers | None)
    ] = Deployers()
    requires: Annotated[tuple[Requirement, ...], AfterValidator(_each_once)] = ()
    """What must be so of the commit: checks succeeded, review approved, no commit of the base
    branch missing."""
    forks: bool = False
    """Whether pull requests from forks may be deployed, by their commit's whole SHA."""
    drafts: bool = False
    notify: Annotated[tuple[Channel, ...], Field(max_length=10), AfterValidator(each_once)] = ()
    """Slack channels in which deployments are told of: `#name`, or a channel's id."""

    def rules(self) -> EnvironmentRules:
        """The same for the gate."""
        return EnvironmentRules(
            push=self.on.push,
            pull_request=Follow(self.on.pull_request),
            release=self.on.release == "published",
            branches=self.branches,
            users=frozenset(each.lower() for each in self.deployers.users),
            teams=frozenset(each.lower() for each in self.deployers.teams),
            permission=Permission[self.deployers.permission.upper()],
            checks=self._checks(),
            review="review" in self.requires,
            fresh="fresh" in self.requires,
            forks=self.forks,
            drafts=self.drafts,
            notify=self.notify,
        )

    def _checks(self) -> tuple[str, ...] | None:
        for each in self.requires:
            if isinstance(each, RequiredChecks):
                return each.checks
        return () if "checks" in self.requires else None
