"""The GraphQL queries, and what they are answered with."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from github import Github, GithubException

from bot.services.github.errors import Refusal, trouble_in
from bot.services.github.graphql_answers import (
    CheckRun,
    Commit,
    PullRequestAnswer,
    Status,
)
from bot.services.github.parts import Part, query
from bot.services.github.raw import Json

CHECKS = """
      oid statusCheckRollup {
        contexts(first: 100, after: $after) {
          pageInfo { hasNextPage endCursor }
          nodes {
            __typename
            ... on CheckRun { name status conclusion checkSuite { app { slug } } }
            ... on StatusContext { context state }
          }
        }
      }
"""
"""A page of a commit's."""
_RULESETS = """
        rules(first: 100) { pageInfo { hasNextPage endCursor } nodes { parameters {
          ... on RequiredStatusChecksParameters { requiredStatusChecks { context } }
        } } }
"""


def pull_request(number: int, *, rulesets: bool) -> Part:
    """A pull request; servers that know no rulesets are not asked for them."""
    text = f"""
    pullRequest(number: $number) {{
      id title state isDraft
      author {{ __typename login }}
      headRefOid headRefName headRepository {{ nameWithOwner }}
      baseRefName baseRefOid
      baseRef {{
        target {{ oid }}
        refUpdateRule {{ requiredStatusCheckContexts }}
        {_RULESETS if rulesets else ""}
      }}
      reviewDecision
      latestOpinionatedReviews(first: 100, writersOnly: true) {{
        nodes {{ state commit {{ oid }} }}
      }}
      comments(last: 100) {{ totalCount nodes {{ author {{ __typename login }} }} }}
      commits(last: 1) {{ nodes {{ commit {{ {CHECKS} }} }} }}
    }}
"""
    return Part(text, {"number": "Int!", "after": "String"}, {"number": number})


def commit(sha: str, after: str | None = None) -> Part:
    """A commit with a page of its checks; it may be a fork's."""
    text = f"object(oid: $sha) {{ ... on Commit {{ {CHECKS} }} }}"
    return Part(text, {"sha": "GitObjectID!", "after": "String"}, {"sha": sha, "after": after})


MOST_PAGES = 10
"""A hundred checks are on each."""
_ANSWERED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND})
"""PyGithub's own statuses for errors in an answer."""
_COMMITS = ["repository", "pullRequest", "commits"]
_UNKNOWN = frozenset({"undefinedField", "undefinedType", "argumentNotAccepted"})
"""GraphQL's codes for queries that do not fit its schema."""


Checks = tuple[CheckRun | Status, ...]


def _is_never_enough(_data: Json, _errors: list[Json]) -> bool:
    return False


def _must_be_there(_error: Json) -> bool:
    return False


class NoGraphQLError(Exception):
    """The server has none."""


class OlderGraphQLError(NoGraphQLError):
    """It has an older one, that cannot be asked this."""


def ask(
    github: Github, owner: str, name: str, number: int, *, rulesets: bool
) -> tuple[PullRequestAnswer, Checks | None] | None:
    """The answer and all checks of all its pages, or None for those that have to be asked by REST.

    None where everything has to be.
    """
    data = read(github, owner, name, (pull_request(number, rulesets=rulesets),))
    if data is None:
        return None
    found = PullRequestAnswer.model_validate(data["repository"]["pullRequest"])
    return found, checks_of_head(github, owner, name, found)


def read(
    github: Github,
    owner: str,
    name: str,
    parts: Iterable[Part],
    *,
    may_be_lacking: Callable[[Json], bool] = _must_be_there,
) -> dict[str, Any] | None:
    """A pull request and what else is asked; None where we may not read something that must be there.

    Without the checks where we may not read each of them: a part is not all.
    """

    def is_enough(data: Json, errors: list[Json]) -> bool:
        return _lacks_what_rest_has(data, [each for each in errors if not may_be_lacking(each)])

    try:
        data, errors = told(github, *query(owner, name, parts), is_enough)
    except RefusedGraphQLError:
        return None
    if any(_hides_checks(each) for each in errors):
        data["repository"]["pullRequest"]["commits"] = None
    return data


def checks_of_head(
    github: Github, owner: str, name: str, found: PullRequestAnswer
) -> Checks | None:
    """Of all pages; None where they have to be asked by REST."""
    if found.commits is None:
        return None
    # Of very many commits GitHub lists the first ones, and while the head moves the one before.
    head = found.head or _commit(github, owner, name, found.head_ref_oid)
    return None if head is None else all_checks(github, owner, name, head)


def all_checks(github: Github, owner: str, name: str, commit: Commit) -> Checks | None:
    """A commit's, of all pages; None where one was not read: what is left out must not pass."""
    checks: list[CheckRun | Status] = []
    rollup = commit.status_check_rollup
    if rollup is None:
        return ()
    for _ in range(MOST_PAGES):
        if rollup is None:
            return None
        checks += rollup.contexts.nodes
        page = rollup.contexts.page_info
        if not page.has_next_page:
            return tuple(checks)
        more = _commit(github, owner, name, commit.oid, after=page.end_cursor)
        rollup = more.status_check_rollup if more else None
    return None


def _commit(
    github: Github, owner: str, name: str, sha: str, after: str | None = None
) -> Commit | None:
    data = answered(github, *query(owner, name, (commit(sha, after),)))
    found = (data["repository"] or {}).get("object") if data else None
    return Commit.model_validate(found) if found else None


class RefusedGraphQLError(Exception):
    """An answer that has nothing but errors, with these types and codes."""

    def __init__(self, kinds: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(kinds)))
        self.kinds = kinds


def answered(
    github: Github,
    document: str,
    variables: dict[str, Any],
    *,
    is_enough: Callable[[Json, list[Json]], bool] = _is_never_enough,
) -> dict[str, Any] | None:
    """What a query is answered with; None where this server does not let us read a part of it.

    `is_enough` is asked whether an answer with these errors, which lack a part, is one all the same.
    Errors: GithubException, and NoGraphQLError.
    """
    try:
        return told(github, document, variables, is_enough)[0]
    except RefusedGraphQLError:
        return None


def told(
    github: Github,
    document: str,
    variables: dict[str, Any],
    is_enough: Callable[[Json, list[Json]], bool],
) -> tuple[dict[str, Any], list[Json]]:
    """As `answered`, with the errors in it. Errors: also RefusedGraphQLError, in place of None."""
    try:
        _, answer = github.requester.graphql_query(document, variables)
    except GithubException as error:
        match error.data:
            case {"data": {} as data, "errors": [*errors]} if error.status in _ANSWERED:
                if is_enough(data, errors):
                    return dict(data), errors
        if _is_older(error):
            raise OlderGraphQLError from None
        if _is_none(error):
            raise NoGraphQLError from None
        if _hides_field(error):
            kinds = (_kind(each) for each in error.data["errors"])
            raise RefusedGraphQLError(frozenset(kinds)) from None
        raise
    return dict(answer["data"]), []


def _kind(error: Json) -> str:
    return str(error.get("type") or (error.get("extensions") or {}).get("code") or "")


def _lacks_what_rest_has(data: Json, errors: list[Json]) -> bool:
    """Whether nothing but checks is hidden from us."""
    match data:
        case {"repository": {"pullRequest": {}}}:
            return all(each.get("type") == "FORBIDDEN" and _hides_checks(each) for each in errors)
    return False


def _hides_checks(error: Json) -> bool:
    return (error.get("path") or [])[: len(_COMMITS)] == _COMMITS


def _is_none(error: GithubException) -> bool:
    return error.status == HTTPStatus.NOT_FOUND and "errors" not in (error.data or {})


def _is_older(error: GithubException) -> bool:
    """Whether this server does not know what our queries ask for, whoever asks."""
    match error.data:
        case {"errors": [*errors]}:
            codes = {(each.get("extensions") or {}).get("code") for each in errors}
            return not codes.isdisjoint(_UNKNOWN)
    return False


def _hides_field(error: GithubException) -> bool:
    """Whether this server does not let us read a field of ours."""
    # PyGithub's own status for every other error in an answer.
    return (
        "errors" in (error.data or {})
        and error.status == HTTPStatus.BAD_REQUEST
        and isinstance(trouble_in(error), Refusal)
    )
