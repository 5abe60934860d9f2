"""The GraphQL queries, and what they are answered with."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from github import Github, GithubException

from bot.services.github.errors import Refusal, trouble_in
from bot.services.github.graphql_answers import (
    CheckRun,
    Contexts,
    PullRequestAnswer,
    RepositoryAnswer,
    Status,
)
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
        rules(first: 100) { nodes { parameters {
          ... on RequiredStatusChecksParameters { requiredStatusChecks { context } }
        } } }
"""


def _pull_request(rulesets: str) -> str:
    return f"""
    pullRequest(number: $number) {{
      id title state isDraft
      author {{ __typename login }}
      headRefOid headRefName headRepository {{ nameWithOwner }}
      baseRefName baseRefOid
      baseRef {{
        target {{ oid }}
        refUpdateRule {{ requiredStatusCheckContexts }}
        {rulesets}
      }}
      reviewDecision
      latestOpinionatedReviews(first: 100, writersOnly: true) {{
        nodes {{ state commit {{ oid }} }}
      }}
      comments(last: 100) {{ totalCount nodes {{ author {{ __typename login }} }} }}
      commits(last: 1) {{ nodes {{ commit {{ {CHECKS} }} }} }}
    }}
"""


def query(*, rulesets: bool) -> str:
    """A pull request; servers that know no rulesets are not asked for them."""
    return f"""
query($owner: String!, $name: String!, $number: Int!, $after: String) {{
  repository(owner: $owner, name: $name) {{ {_pull_request(_RULESETS if rulesets else "")} }}
}}
"""


def look_query(*, rulesets: bool) -> str:
    """All that the gate wants to know first.

    A person is found by parts of names, so that several are.
    """
    return f"""
query(
  $owner: String!, $name: String!, $number: Int!, $after: String, $path: String!, $login: String!
) {{
  repository(owner: $owner, name: $name) {{
    id
    defaultBranchRef {{ target {{ ... on Commit {{ file(path: $path) {{
      mode object {{ ... on Blob {{ byteSize isTruncated text }} }}
    }} }} }} }}
    collaborators(query: $login, first: 100) {{ edges {{ permission node {{ login }} }} }}
    {_pull_request(_RULESETS if rulesets else "")}
  }}
}}
"""


MOST_PAGES = 10
"""A hundred checks are on each."""
_ANSWERED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND})
"""PyGithub's own statuses for errors in an answer."""
_COLLABORATORS = ["repository", "collaborators"]
_UNKNOWN = frozenset({"undefinedField", "undefinedType", "argumentNotAccepted"})
"""GraphQL's codes for queries that do not fit its schema."""


Checks = tuple[CheckRun | Status, ...]


def _is_never_enough(_data: Json, _errors: list[Json]) -> bool:
    return False


class NoGraphQLError(Exception):
    """The server has none."""


class OlderGraphQLError(NoGraphQLError):
    """It has an older one, that cannot be asked this."""


def ask(
    github: Github, owner: str, name: str, number: int, *, rulesets: bool
) -> tuple[PullRequestAnswer, Checks] | None:
    """The answer and all checks of all its pages; None where this has to be asked by REST."""
    variables: dict[str, Any] = {"owner": owner, "name": name, "number": number}
    document = query(rulesets=rulesets)
    first = _page(github, document, variables)
    checks = _all_checks(github, document, variables, first) if first else None
    return None if first is None or checks is None else (first, checks)


def look(
    github: Github, owner: str, name: str, number: int, *, path: str, login: str, rulesets: bool
) -> tuple[RepositoryAnswer, Checks] | None:
    """As `ask`, with a file of the default branch and the rights of a person."""
    variables: dict[str, Any] = {"owner": owner, "name": name, "number": number}
    document, asked = look_query(rulesets=rulesets), variables | {"path": path, "login": login}
    data = answered(github, document, asked, is_enough=_lacks_people_alone)
    if data is None:
        return None
    found = RepositoryAnswer.model_validate(data["repository"])
    pages = query(rulesets=rulesets)
    checks = _all_checks(github, pages, variables, found.pull_request)
    return None if checks is None else (found, checks)


def _all_checks(
    github: Github, document: str, variables: dict[str, Any], first: PullRequestAnswer
) -> Checks | None:
    """None where they are not of the head that is known: it has moved, or is not listed any more."""

    def contexts_of(page: PullRequestAnswer | None) -> Contexts | None:
        is_same = page is not None and page.has_checks_of(first.head_ref_oid)
        return page.contexts if page is not None and is_same else None

    def more(cursor: str | None) -> Contexts | None:
        return contexts_of(_page(github, document, variables | {"after": cursor}))

    if not first.has_checks_of(first.head_ref_oid):
        return None
    begun = contexts_of(first)
    return () if begun is None else all_pages(begun, more)


def all_pages(first: Contexts, more: Callable[[str | None], Contexts | None]) -> Checks | None:
    """The checks of all pages; None where one was not read: what is left out must not pass."""
    checks: list[CheckRun | Status] = []
    page: Contexts | None = first
    for _ in range(MOST_PAGES):
        if page is None:
            return None
        checks += page.nodes
        if not page.page_info.has_next_page:
            return tuple(checks)
        page = more(page.page_info.end_cursor)
    return None


def _page(github: Github, document: str, variables: dict[str, Any]) -> PullRequestAnswer | None:
    data = answered(github, document, variables)
    return PullRequestAnswer.model_validate(data["repository"]["pullRequest"]) if data else None


class RefusedGraphQLError(Exception):
    """An answer that has nothing but errors, with these types and codes."""

    def __init__(self, kinds: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(kinds)))
        self.kinds = kinds


def answered(
    github: Github,
    query: str,
    variables: dict[str, Any],
    *,
    is_enough: Callable[[Json, list[Json]], bool] = _is_never_enough,
) -> dict[str, Any] | None:
    """What a query is answered with; None where this server does not let us read a part of it.

    `is_enough` is asked whether an answer with these errors, which lack a part, is one all the same.
    Errors: GithubException, and NoGraphQLError.
    """
    try:
        return told(github, query, variables, is_enough)[0]
    except RefusedGraphQLError:
        return None


def told(
    github: Github,
    query: str,
    variables: dict[str, Any],
    is_enough: Callable[[Json, list[Json]], bool],
) -> tuple[dict[str, Any], list[Json]]:
    """As `answered`, with the errors in it. Errors: also RefusedGraphQLError, in place of None."""
    try:
        _, answer = github.requester.graphql_query(query, variables)
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


def _lacks_people_alone(data: Json, errors: list[Json]) -> bool:
    match data:
        case {"repository": {"pullRequest": {}}}:
            return all(
                each.get("type") == "FORBIDDEN" and each.get("path") == _COLLABORATORS
                for each in errors
            )
    return False


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
