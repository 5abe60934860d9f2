"""The one GraphQL query, and its answer as far as we need it."""

from http import HTTPStatus
from typing import Any, Literal

from github import Github, GithubException
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from bot.services.github.errors import Refusal, trouble_in

QUERY = """
query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      title state isDraft
      author { __typename login }
      headRefOid headRefName headRepository { nameWithOwner }
      baseRefName baseRefOid
      baseRef {
        target { oid }
        refUpdateRule { requiredStatusCheckContexts }
        rules(first: 100) { nodes { parameters {
          ... on RequiredStatusChecksParameters { requiredStatusChecks { context } }
        } } }
      }
      reviewDecision
      latestOpinionatedReviews(first: 100, writersOnly: true) { nodes { state commit { oid } } }
      commits(last: 1) { nodes { commit { statusCheckRollup {
        contexts(first: 100, after: $after) {
          pageInfo { hasNextPage endCursor }
          nodes {
            __typename
            ... on CheckRun { name status conclusion checkSuite { app { slug } } }
            ... on StatusContext { context state }
          }
        }
      } } } }
    }
  }
}
"""
MOST_PAGES = 10
"""A hundred checks are on each."""


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel)


class Author(_Answer):
    """Who opened it."""

    typename: str = Field(alias="__typename")
    login: str


class Named(_Answer):
    """A repository."""

    name_with_owner: str


class Oid(_Answer):
    """A commit."""

    oid: str


class UpdateRule(_Answer):
    """What branch protection asks, as far as everybody may see it."""

    required_status_check_contexts: tuple[str, ...] | None


class RequiredCheck(_Answer):
    """A check that a ruleset asks for."""

    context: str


class Parameters(_Answer):
    """Of a rule; empty where the rule is about something else."""

    required_status_checks: tuple[RequiredCheck, ...] = ()


class Rule(_Answer):
    """One rule of a ruleset."""

    parameters: Parameters | None


class Rules(_Answer):
    """The rules of a branch."""

    nodes: tuple[Rule, ...]


class Base(_Answer):
    """The branch that it is to be merged into."""

    target: Oid | None
    ref_update_rule: UpdateRule | None
    rules: Rules | None

    @property
    def required_checks(self) -> frozenset[str]:
        """The names of the checks that the branch asks for, by either kind of rule."""
        asked = self.ref_update_rule and self.ref_update_rule.required_status_check_contexts
        rules = self.rules.nodes if self.rules else ()
        ruled = (
            check.context
            for rule in rules
            if rule.parameters
            for check in rule.parameters.required_status_checks
        )
        return frozenset([*(asked or ()), *ruled])


class Review(_Answer):
    """What one reviewer said last."""

    state: str
    commit: Oid | None


class Reviews(_Answer):
    """Of those who may write."""

    nodes: tuple[Review, ...]


class App(_Answer):
    """Who reports a check."""

    slug: str


class Suite(_Answer):
    """What a check run belongs to."""

    app: App | None


class CheckRun(_Answer):
    """A check run."""

    typename: Literal["CheckRun"] = Field(alias="__typename")
    name: str
    status: str
    conclusion: str | None
    check_suite: Suite


class Status(_Answer):
    """A commit status."""

    typename: Literal["StatusContext"] = Field(alias="__typename")
    context: str
    state: str


class Page(_Answer):
    """Whether there is more."""

    has_next_page: bool
    end_cursor: str | None


class Contexts(_Answer):
    """Check runs and statuses of the head."""

    page_info: Page
    nodes: tuple[CheckRun | Status, ...]


class Rollup(_Answer):
    """All checks of a commit."""

    contexts: Contexts


class Commit(_Answer):
    """The head."""

    status_check_rollup: Rollup | None


class CommitNode(_Answer):
    """A commit in its list."""

    commit: Commit


class Commits(_Answer):
    """The last commit only."""

    nodes: tuple[CommitNode, ...]


class PullRequestAnswer(_Answer):
    """A pull request as GraphQL has it."""

    title: str
    state: Literal["OPEN", "CLOSED", "MERGED"]
    is_draft: bool
    author: Author | None
    head_ref_oid: str
    head_ref_name: str
    head_repository: Named | None
    base_ref_name: str
    base_ref_oid: str
    base_ref: Base | None
    review_decision: str | None
    latest_opinionated_reviews: Reviews | None
    commits: Commits

    @property
    def contexts(self) -> Contexts | None:
        """A page of the head's checks; None where there are none."""
        rollup = self.commits.nodes[0].commit.status_check_rollup if self.commits.nodes else None
        return rollup.contexts if rollup else None


def ask(
    github: Github, owner: str, name: str, number: int
) -> tuple[PullRequestAnswer, tuple[CheckRun | Status, ...]] | None:
    """The answer and all checks of all its pages; None where this has to be asked by REST."""
    variables: dict[str, Any] = {"owner": owner, "name": name, "number": number}
    first = page = _page(github, variables)
    checks: list[CheckRun | Status] = []
    for _ in range(MOST_PAGES):
        contexts = page.contexts if page else None
        if contexts is None:
            break
        checks += contexts.nodes
        if not contexts.page_info.has_next_page:
            break
        page = _page(github, variables | {"after": contexts.page_info.end_cursor})
    return (first, tuple(checks)) if first else None


def _page(github: Github, variables: dict[str, Any]) -> PullRequestAnswer | None:
    try:
        _, answer = github.requester.graphql_query(QUERY, variables)
    except GithubException as error:
        if _lacks_graphql(error):
            return None
        raise
    return PullRequestAnswer.model_validate(answer["data"]["repository"]["pullRequest"])


def _lacks_graphql(error: GithubException) -> bool:
    """Whether this server does not know GraphQL, a field of ours, or does not let us read one."""
    is_graphql = "errors" in (error.data or {})
    if error.status == HTTPStatus.NOT_FOUND:
        return not is_graphql
    # PyGithub's own status for every other error in an answer.
    return (
        is_graphql
        and error.status == HTTPStatus.BAD_REQUEST
        and isinstance(trouble_in(error), Refusal)
    )
