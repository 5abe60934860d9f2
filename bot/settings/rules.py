"""The operator's own rules: they narrow what repositories allow, and allow nothing."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from bot.domain.gate_limits import Limits, narrow
from bot.domain.gate_rules import EnvironmentRules, Follow, Rules
from bot.domain.paths import matches
from bot.domain.people import People
from bot.domain.repository import is_here, repository_names
from bot.project_rules import (
    Approvals,
    CountedApprovals,
    Deployers,
    NamedPeople,
    Patterns,
    Requirement,
    Someone,
    WrittenPeriods,
    calendar,
    is_said,
    names_of_checks,
    required_once,
)
from bot.project_values import Declared, Text

_REPOSITORY = re.compile(r"\*\*|(?:[^\s/:@]+/)+[^\s/:@]+(?<!\.git)", re.IGNORECASE)
_ENVIRONMENT = re.compile(r"[^\s/:]+")


def _repository(value: str) -> str:
    """What fits no name would narrow nothing, and look as if it did."""
    if _REPOSITORY.fullmatch(value) is None:
        raise ValueError("must be OWNER/NAME or HOST/OWNER/NAME, or a pattern such as acme/*")
    return value


def _environment(value: str) -> str:
    if _ENVIRONMENT.fullmatch(value) is None:
        raise ValueError("must be an environment's name, or a pattern such as prod*")
    return value


_Repositories = Annotated[
    tuple[Annotated[Text, AfterValidator(_repository)], ...], Field(min_length=1)
]
_Environments = Annotated[
    tuple[Annotated[Text, AfterValidator(_environment)], ...], Field(min_length=1)
]


_No = Annotated[
    Literal[False] | None, BeforeValidator(is_said, json_schema_input_type=Literal[False])
]


class OnLimits(Declared):
    """What deploys by itself at most."""

    push: Literal["as declared", "never"] = "as declared"
    """Of pushes to branches."""
    pull_request: Literal["as declared", "command", "never"] = "as declared"
    """Of pull requests; `command`: when somebody asks."""
    release: Literal["as declared", "released", "never"] = "as declared"
    """Of published releases; `released`: no pre-releases."""


class LimitsSetting(Declared):
    """Bounds for certain environments of certain repositories; each key narrows."""

    repositories: _Repositories | None = None
    """`acme/edges`, `acme/*` or `github.com/acme/*`; without it all."""
    environments: _Environments | None = None
    """Names or patterns; without it all."""
    on: OnLimits = OnLimits()
    """Bounds for what deploys by itself."""
    branches: Patterns = None
    """Branches must match one of these too."""
    deployers: Deployers = NamedPeople()
    """Deployers must be among these too."""
    requires: Annotated[tuple[Requirement, ...], AfterValidator(required_once)] = ()
    """Needed too."""
    forks: _No = None
    """`false`: none from forks."""
    drafts: _No = None
    """`false`: no drafts."""
    approvals: CountedApprovals = Approvals(count=0)
    """At least so many, by these people, within this time."""
    hours: WrittenPeriods = None
    """Only within these too."""
    freezes: Annotated[WrittenPeriods, Field(alias="not")] = None
    """Not in these either."""
    force: Literal["never"] | Someone = None
    """`never`, or people: who forces must be among them too."""

    def fits(self, repository: str, environment: str) -> bool:
        """Whether they are for this environment of this repository, given by its address.

        A folder on this machine may be a copy of any: limits of some are for all of them.
        """
        is_meant = is_here(repository) or _one_fits(self.repositories, repository_names(repository))
        return is_meant and _one_fits(self.environments, (environment,))

    def limits(self) -> Limits:
        """The same for the gate."""
        on = self.on
        most = Follow.ALWAYS if on.pull_request == "as declared" else Follow(on.pull_request)
        force = People() if self.force is None else None
        return Limits(
            push=on.push != "never",
            pull_request=most,
            release=on.release != "never",
            prereleases=on.release != "released",
            branches=self.branches,
            deployers=self.deployers.people(),
            checks=names_of_checks(self.requires),
            review="review" in self.requires,
            fresh="fresh" in self.requires,
            forks=self.forks is None,
            drafts=self.drafts is None,
            approvals=self.approvals.approvals(),
            calendar=calendar(self.hours, self.freezes),
            force=self.force.people() if isinstance(self.force, NamedPeople) else force,
        )


def narrowed(limits: tuple[LimitsSetting, ...], rules: Rules, repository: str) -> Rules:
    """The repository's rules, all that is for them applied."""

    def within(name: str, own: EnvironmentRules) -> EnvironmentRules:
        for each in limits:
            if each.fits(repository, name):
                own = narrow(own, each.limits())
        return own

    return Rules({name: within(name, own) for name, own in rules.environments.items()})


def _one_fits(patterns: tuple[str, ...] | None, names: tuple[str, ...]) -> bool:
    if patterns is None:
        return True
    return any(matches(pattern.lower(), name) for pattern in patterns for name in names)
