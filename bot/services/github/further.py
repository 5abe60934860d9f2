"""What one query says beyond the first look: of a commit, and of the teams that a person is in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from github import Github

from bot.domain.github import Check
from bot.services.github import checks, graphql
from bot.services.github.checks import OwnChecks
from bot.services.github.further_answers import (
    ComparedBranch,
    ComparedBranches,
    OwnCommits,
    Team,
)
from bot.services.github.graphql_answers import Commit
from bot.services.github.parts import Part, query
from bot.services.github.raw import Json

MOST_BRANCHES = 100
"""Of those whose names begin so, of all beginnings together; others compare as many in one query."""
_HEADS = "refs/heads/"


@dataclass(frozen=True)
class Question:
    """What is to be known; what is left out is not looked up."""

    sha: str = ""
    """All of it, of the commit that the next five ask about."""
    checks: bool = False
    pull_request: int | None = None
    """Whether it is one of its own."""
    branches: tuple[str, ...] = ()
    """Whether it is a part of each of these."""
    beginnings: tuple[str, ...] = ()
    """Whether it is a part of each branch whose name begins like one of these."""
    base: str | None = None
    """How many commits of this branch it lacks."""
    teams: tuple[str, ...] = ()
    """Whether a person is in these: `org/slug`."""
    login: str = ""
    """The person's."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked."""
        return self == Question(self.sha, login=self.login)


NOTHING_MORE = Question()


@dataclass(frozen=True)
class Further:
    """The answer; what it lacks has to be asked by REST."""

    checks: tuple[Check, ...] | None = None
    in_pull_request: bool | None = None
    """None also where there are more commits than were looked at."""
    branches: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))
    """Whether the commit is a part of it, for each branch that is there."""
    are_all: bool = True
    """Whether no more branches begin so."""
    behind_by: int | None = None
    members: Mapping[str, bool | None] = field(default_factory=lambda: MappingProxyType({}))
    """Whether the person is in it, for each team that is there for us to see; None where they may be
    among those who were not looked at."""


def ask(
    github: Github, owner: str, name: str, question: Question, *, own: OwnChecks
) -> Further | None:
    """The answer; None where this has to be asked by REST. Errors: those of `graphql.answered`."""
    asked = query(owner, name, parts(question))
    data = graphql.answered(github, *asked, is_enough=_lacks_what_may_be_lacking)
    return None if data is None else read(github, owner, name, question, data, own=own)


def read(
    github: Github, owner: str, name: str, question: Question, data: Json, *, own: OwnChecks
) -> Further | None:
    """The answer in what the parts were answered with; None where not all checks were read."""
    found = data.get("repository") or {}
    commit = found.get("object")
    nodes = graphql.all_checks(github, owner, name, Commit.model_validate(commit)) if commit else ()
    if nodes is None:
        return None
    listed = [
        ComparedBranches.model_validate(found[f"r{number}"])
        for number, _ in enumerate(question.beginnings)
    ]
    base = _compared(question.base, found.get("base")) if question.base else None
    named = (_compared(branch, found[alias]) for alias, branch in _named(question))
    compared = (*named, *(each for page in listed for each in page.nodes))
    return Further(
        checks.others(checks.by_graphql(nodes), own) if question.checks else None,
        _is_own(found.get("own"), question.sha),
        {each.branch: each.has_it for each in compared if each is not None},
        not any(page.page_info.has_next_page for page in listed),
        base.compare.behind_by if base and base.compare else None,
        dict(_members(question, data)),
    )


_OWN_COMMITS = "commits(last: 100) { totalCount nodes { commit { oid } } }"
_COMPARE = "prefix name compare(headRef: $head) { status behindBy }"


def parts(question: Question) -> Iterator[Part]:
    """What asks it, also with other parts of other names."""
    if question.checks:
        yield graphql.commit(question.sha)
    if question.pull_request is not None:
        text = f"own: pullRequest(number: $own) {{ {_OWN_COMMITS} }}"
        yield Part(text, {"own": "Int!"}, {"own": question.pull_request})
    for alias, branch in (*_named(question), *([("base", question.base)] if question.base else [])):
        yield Part(
            f"{alias}: ref(qualifiedName: ${alias}) {{ {_COMPARE} }}",
            {alias: "String!", "head": "String!"},
            {alias: f"{_HEADS}{branch}", "head": question.sha},
        )
    for number, beginning in enumerate(question.beginnings):
        folder, slash, text = beginning.rpartition("/")
        # Of a folder those with the text anywhere in their names; GitHub knows no better filter.
        yield Part(
            f"r{number}: refs(refPrefix: $f{number}, query: $q{number}, first: $most,"
            " orderBy: {field: ALPHABETICAL, direction: DESC})"
            f" {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {_COMPARE} }} }}",
            {f"f{number}": "String!", f"q{number}": "String", "most": "Int!", "head": "String!"},
            {
                f"f{number}": f"{_HEADS}{folder}{slash}",
                f"q{number}": text or None,
                "most": max(MOST_BRANCHES // len(question.beginnings), 1),
                "head": question.sha,
            },
        )
    for number, team in enumerate(question.teams):
        org, _, slug = team.partition("/")
        inner = "members(query: $member, first: 100) { pageInfo { hasNextPage endCursor } nodes { login } }"
        yield Part(
            f"t{number}: organization(login: $o{number}) {{ team(slug: $s{number}) {{ {inner} }} }}",
            {f"o{number}": "String!", f"s{number}": "String!", "member": "String"},
            {f"o{number}": org, f"s{number}": slug, "member": question.login},
            of_repository=False,
        )


def _named(question: Question) -> tuple[tuple[str, str], ...]:
    return tuple((f"b{number}", branch) for number, branch in enumerate(question.branches))


def _compared(branch: str, found: Json) -> ComparedBranch | None:
    whole = {"prefix": _HEADS, "name": branch}
    return None if found is None else ComparedBranch.model_validate(found | whole)


def _is_own(pull_request: Json, sha: str) -> bool | None:
    if pull_request is None:
        return None
    commits = OwnCommits.model_validate(pull_request["commits"])
    if any(each.commit.oid == sha for each in commits.nodes):
        return True
    return None if commits.total_count > len(commits.nodes) else False


def _members(question: Question, data: Json) -> Iterator[tuple[str, bool | None]]:
    for number, name in enumerate(question.teams):
        found = (data[f"t{number}"] or {}).get("team")
        if found is not None:
            yield name, Team.model_validate(found).has(question.login)


def _lacks_what_may_be_lacking(_data: Json, errors: list[Json]) -> bool:
    return all(may_be_lacking(each) for each in errors)


def may_be_lacking(error: Json) -> bool:
    """Whether all else was answered.

    What has nothing in common cannot be compared, and what a team is not told of REST explains.
    """
    path, kind = error.get("path") or [], error.get("type")
    is_of_team = bool(path) and str(path[0]).startswith("t")
    return is_of_team or (kind == "NOT_FOUND" and path[-1:] == ["compare"])
