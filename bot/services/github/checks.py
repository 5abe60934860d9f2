"""The checks of a commit as values: others' alone, and what is required and missing."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

from github import Github
from github.GithubApp import GithubApp

from bot.domain.github import RULES_CHECK, Check, CheckState
from bot.services.github.graphql_answers import CheckRun, Status
from bot.services.github.raw import Json, get
from bot.services.github.threads import PER_PAGE

_GOOD = frozenset({"SUCCESS", "NEUTRAL", "SKIPPED"})
_WORST_FIRST = (CheckState.FAILURE, CheckState.MISSING, CheckState.PENDING, CheckState.SUCCESS)


@dataclass(frozen=True)
class Reported:
    """A check, and who reports it."""

    check: Check
    app: str | None = None
    """The App's slug; None for a status, and where it has gone."""


@dataclass(frozen=True)
class OwnChecks:
    """How our checks are known from others'."""

    app: str | None
    """Our slug; None without an App."""
    beginning: str = ""
    """Of their names; empty where it is not known."""

    def has(self, reported: Reported) -> bool:
        """Whether it is one of ours; by a token we report on rules alone, as a status."""
        if reported.app is None:
            return reported.check.name == RULES_CHECK
        return reported.app == self.app

    def is_named(self, name: str) -> bool:
        """Whether one of ours would be called so."""
        return bool(self.beginning) and name.startswith(self.beginning)

    def without(self, names: frozenset[str]) -> frozenset[str]:
        """Those that somebody else reports."""
        return frozenset(name for name in names if not self.is_named(name))


def others(
    found: Iterable[Reported], own: OwnChecks, required: frozenset[str] = frozenset()
) -> tuple[Check, ...]:
    """One for each name, by name; of several workflows with one name the worst counts.

    What is required and was not reported is missing; nobody waits for what only we would report.
    """
    states: dict[str, CheckState] = {}
    ours: set[str] = set()
    for each in found:
        name, state = each.check.name, each.check.state
        if own.has(each):
            ours.add(name)
        else:
            states[name] = min(state, states.get(name, state), key=_WORST_FIRST.index)
    missing = {
        name: CheckState.MISSING for name in required if name not in ours and not own.is_named(name)
    }
    return tuple(Check(name, state) for name, state in sorted((missing | states).items()))


def by_graphql(nodes: Iterable[CheckRun | Status]) -> tuple[Reported, ...]:
    """As GraphQL has them."""
    return tuple(map(_reported, nodes))


def runs_by_rest(github: Github, full_name: str, sha: str) -> tuple[Reported, ...]:
    """What Apps report on a commit."""
    return tuple(
        Reported(Check(run.name, _check_state(run.status, run.conclusion)), slug_of(run.app))
        for run in github.get_repo(full_name).get_commit(sha).get_check_runs()
    )


def statuses_by_rest(github: Github, path: str) -> tuple[Reported, ...]:
    """What is reported on a commit without check runs."""
    return tuple(
        Reported(Check(each["context"], _status_state(each["state"])))
        for each in statuses_at(github, path)
    )


def statuses_at(github: Github, path: str) -> list[Json]:
    """The newest of each context. PyGithub would read the first page alone."""
    found: list[Json] = []
    for page in count(1):
        answer = get(github, path, per_page=PER_PAGE, page=page)
        found += answer["statuses"]
        if page * PER_PAGE >= answer["total_count"]:
            break
    return found


def _reported(node: CheckRun | Status) -> Reported:
    if isinstance(node, CheckRun):
        app = node.check_suite.app
        check = Check(node.name, _check_state(node.status, node.conclusion))
        return Reported(check, app.slug if app else None)
    return Reported(Check(node.context, _status_state(node.state)))


def slug_of(app: GithubApp | None) -> str | None:
    """Which App it is; none where it has gone."""
    return app.slug if app is not None else None


def _check_state(status: str, conclusion: str | None) -> CheckState:
    """Of a check run; REST and GraphQL differ in case only."""
    if status.upper() != "COMPLETED":
        return CheckState.PENDING
    return CheckState.SUCCESS if (conclusion or "").upper() in _GOOD else CheckState.FAILURE


def _status_state(state: str) -> CheckState:
    match state.upper():
        case "SUCCESS":
            return CheckState.SUCCESS
        case "PENDING":
            return CheckState.PENDING
        case "EXPECTED":
            return CheckState.MISSING
    return CheckState.FAILURE
