"""The facts of a decision, as they are written down and told to who asks why."""

from collections.abc import Mapping
from typing import Any

from bot.domain.deployment import Request
from bot.domain.gate_facts import NOT_LOOKED_UP, Facts, Standing, Unknown
from bot.domain.gate_rules import EnvironmentRules
from bot.domain.github import Permission, PullRequest
from bot.domain.people import People


def evidence(facts: Facts) -> dict[str, Any]:
    """JSON, with everything that was looked up; what was not is left out."""
    pull, standing = facts.pull_request, facts.standing
    found = {
        "trigger": facts.trigger.value,
        "sender": facts.sender.login,
        "permission": _shown(facts.sender.permission),
        "teams": {team: _shown(is_in) for team, is_in in facts.sender.teams.items()},
        "groups": {group: _shown(is_in) for group, is_in in facts.sender.groups.items()},
        "asked_at": facts.asked_at,
        "ref": facts.command.ref,
        "sha": _shown(facts.content.sha),
        "branch": facts.content.branch,
        "force": facts.command.force,
    }
    if isinstance(pull, Unknown):
        found["pull_request_unknown"] = _shown(pull)
    elif pull is not None:
        found |= _of_pull_request(pull, facts)
    if isinstance(standing, Standing):
        found["locks"] = [
            {"owner": each.owner.name, "environment": each.environment, "reason": each.reason}
            for each in standing.locks
        ]
        found["held_by"] = standing.hold.deployment if standing.hold else None
    return {key: value for key, value in found.items() if value not in (None, [], {})}


def evidence_at_terminal(request: Request, rules: EnvironmentRules | None) -> dict[str, Any]:
    """The same for what was asked at a terminal; without `rules` where they did not decide."""
    lists: dict[str, Any] = {}
    if rules is not None:
        lists["deployers"] = [_meant(each) for each in rules.deployers]
        lists["may_force"] = [_meant(each) for each in rules.force] if request.force else []
    commit = request.commit
    found = {
        "trigger": request.trigger.value,
        "ref": commit.ref,
        "sha": commit.sha,
        "branch": commit.branch,
        "force": request.force,
    }
    return {key: value for key, value in (found | lists).items() if value}


def _meant(people: People) -> str:
    if not people.is_named:
        return f"everybody with {people.least_permission.label} permission"
    return f"{people.named}; terminals too" if people.terminal else people.named


def _of_pull_request(pull: PullRequest, facts: Facts) -> dict[str, Any]:
    checks = facts.checks
    return {
        "pull_request": pull.number,
        "head": pull.head_sha,
        "draft": pull.draft or None,
        "fork": facts.is_fork or None,
        "review": pull.review.value if pull.review else None,
        "behind_by": pull.behind_by,
        "checks": _shown(checks)
        if isinstance(checks, Unknown)
        else {each.name: each.state.value for each in checks},
    }


def _shown(fact: object) -> Any:  # noqa: ANN401 - JSON
    if isinstance(fact, Unknown):
        return None if fact is NOT_LOOKED_UP else f"unknown: {fact.call}: {fact.why}"
    return fact.label if isinstance(fact, Permission) else fact


def told(found: Mapping[str, Any]) -> tuple[str, ...]:
    """The same in lines for people."""
    return tuple(
        f"{name.replace('_', ' ')}: {_plain(value)}"
        for name, value in found.items()
        if name in _TOLD and value not in (None, {}, [])
    )


_TOLD = (
    "permission",
    "teams",
    "groups",
    "deployers",
    "may_force",
    "sha",
    "branch",
    "head",
    "review",
    "behind_by",
    "checks",
    "locks",
    "held_by",
    "force",
    "pull_request_unknown",
)


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(each)}" for key, each in value.items())
    if isinstance(value, list):
        return "; ".join(_plain(each) for each in value)
    return (
        {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    )
