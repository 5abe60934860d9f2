"""What one query says of a commit: its checks, and what it is a part of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from github import Github

from bot.domain.github import Check
from bot.services.github.graphql import CHECKS, MOST_PAGES, answered
from bot.services.github.graphql_answers import (
    CheckRun,
    Commit,
    ComparedBranch,
    ComparedBranches,
    OwnCommits,
    Status,
)
from bot.services.github.pull_request import checks_by_graphql
from bot.services.github.raw import Json

MOST_BRANCHES = 50
"""Of those whose names begin so; GitHub's own tools compare as many in one query."""
_HEADS = "refs/heads/"


@dataclass(frozen=True)
class Question:
    """What is to be known of a commit; what is left out is not looked up."""

    sha: str
    """All of it."""
    checks: bool = False
    pull_request: int | None = None
    """Whether it is one of its own."""
    branches: tuple[str, ...] = ()
    """Whether it is a part of each of these."""
    beginning: str | None = None
    """Whether it is a part of each branch whose name begins so."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked."""
        return self == Question(self.sha)


@dataclass(frozen=True)
class CommitFacts:
    """The answer."""

    checks: tuple[Check, ...] | None = None
    in_pull_request: bool | None = None
    """None where it was not asked, and where there are more commits than were looked at."""
    branches: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))
    """Whether the commit is a part of it, for each branch that is there."""
    are_all: bool = True
    """Whether no more branches begin so."""


def ask(
    github: Github, owner: str, name: str, question: Question, *, own_app: str | None
) -> CommitFacts | None:
    """The answer; None where this has to be asked by REST. Errors: those of `graphql.answered`."""
    variables = {"owner": owner, "name": name} | _variables(question)
    data = answered(github, _document(question), variables, is_enough=_lacks_comparisons_alone)
    if data is None:
        return None
    found = data["repository"]
    checks = _checks(github, variables, found.get("object")) if question.checks else None
    listed = ComparedBranches.model_validate(found["refs"]) if "refs" in found else None
    named = (
        ComparedBranch.model_validate({"name": branch, **found[alias]})
        for alias, branch in _aliases(question)
        if found[alias] is not None
    )
    return CommitFacts(
        None if checks is None else checks_by_graphql(checks, own_app),
        _is_own(found.get("pullRequest"), question.sha),
        {each.name: each.has_it for each in (*named, *(listed.nodes if listed else ()))},
        listed is None or not listed.page_info.has_next_page,
    )


def _is_own(pull_request: Json, sha: str) -> bool | None:
    if pull_request is None:
        return None
    commits = OwnCommits.model_validate(pull_request["commits"])
    if any(each.commit.oid == sha for each in commits.nodes):
        return True
    return None if commits.total_count > len(commits.nodes) else False


def _checks(github: Github, variables: dict[str, Any], first: Json) -> list[CheckRun | Status]:
    """Those of all pages."""
    checks: list[CheckRun | Status] = []
    page = first
    wanted = ("owner", "name", "sha")
    for _ in range(MOST_PAGES):
        rollup = Commit.model_validate(page).status_check_rollup if page else None
        if rollup is None:
            break
        checks += rollup.contexts.nodes
        if not rollup.contexts.page_info.has_next_page:
            break
        more = {key: variables[key] for key in wanted}
        data = answered(github, _NEXT, more | {"after": rollup.contexts.page_info.end_cursor})
        page = data["repository"]["object"] if data else None
    return checks


_COMMIT = f"object(oid: $sha) {{ ... on Commit {{ {CHECKS} }} }}"
_NEXT = f"""
query($owner: String!, $name: String!, $sha: GitObjectID!, $after: String) {{
  repository(owner: $owner, name: $name) {{ {_COMMIT} }}
}}
"""


def _document(question: Question) -> str:
    """A variable that is declared and not used is an error."""
    declared = ["$owner: String!", "$name: String!"]
    parts = []
    if question.checks:
        declared += ["$sha: GitObjectID!", "$after: String"]
        parts.append(_COMMIT)
    if question.pull_request is not None:
        declared.append("$number: Int!")
        commits = "commits(last: 100) { totalCount nodes { commit { oid } } }"
        parts.append(f"pullRequest(number: $number) {{ {commits} }}")
    if question.branches or question.beginning is not None:
        declared.append("$head: String!")
    for alias, _ in _aliases(question):
        declared.append(f"${alias}: String!")
        parts.append(
            f"{alias}: ref(qualifiedName: ${alias}) {{ compare(headRef: $head) {{ status }} }}"
        )
    if question.beginning is not None:
        declared.append("$beginning: String")
        # Those with the text anywhere in their names; GitHub knows no better filter.
        parts.append(
            f'refs(refPrefix: "{_HEADS}", query: $beginning, first: {MOST_BRANCHES}) {{'
            " pageInfo { hasNextPage endCursor } nodes { name compare(headRef: $head) { status } } }"
        )
    inner = " ".join(parts)
    return (
        f"query({', '.join(declared)}) {{ repository(owner: $owner, name: $name) {{ {inner} }} }}"
    )


def _variables(question: Question) -> dict[str, Any]:
    found: dict[str, Any] = {alias: _HEADS + branch for alias, branch in _aliases(question)}
    if question.checks:
        found["sha"] = question.sha
    if question.pull_request is not None:
        found["number"] = question.pull_request
    if question.branches or question.beginning is not None:
        found["head"] = question.sha
    if question.beginning is not None:
        found["beginning"] = question.beginning or None
    return found


def _aliases(question: Question) -> list[tuple[str, str]]:
    return [(f"b{number}", branch) for number, branch in enumerate(question.branches)]


def _lacks_comparisons_alone(data: Json, errors: list[Json]) -> bool:
    """Whether all else was answered: what has nothing in common cannot be compared."""
    return bool(data.get("repository")) and all(
        each.get("type") == "NOT_FOUND" and (each.get("path") or [""])[-1] == "compare"
        for each in errors
    )
