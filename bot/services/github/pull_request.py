"""A pull request as a value: by GraphQL, or by REST where a server has no GraphQL."""

from dataclasses import dataclass

from github import Github
from github.NamedUser import NamedUser
from github.Organization import Organization
from github.Repository import Repository as GithubRepository

from bot.domain.github import PullRequest, ReviewState
from bot.services.github import checks, graphql
from bot.services.github.checks import OwnChecks
from bot.services.github.graphql_answers import Author, PullRequestAnswer


@dataclass(frozen=True)
class Ourselves:
    """How we are known from others."""

    checks: OwnChecks
    author: str
    """Of our comments."""


GHOST = "ghost"
"""GitHub's own name for whoever has gone."""
_DECISIONS = {
    "APPROVED": ReviewState.APPROVED,
    "CHANGES_REQUESTED": ReviewState.CHANGES_REQUESTED,
    "REVIEW_REQUIRED": ReviewState.REQUIRED,
}


def by_graphql(
    github: Github, owner: str, name: str, number: int, *, who: Ourselves, rulesets: bool
) -> PullRequest | None:
    """All but what other calls must say; None where this has to be asked by REST."""
    answer = graphql.ask(github, owner, name, number, rulesets=rulesets)
    return from_graphql(number, *answer, who=who) if answer else None


def from_graphql(
    number: int, found: PullRequestAnswer, nodes: graphql.Checks | None, *, who: Ourselves
) -> PullRequest:
    """An answer as a value."""
    base = found.base_ref
    # Without the branch it is not known what it asks for.
    required = base.required_checks if base else None
    required = None if required is None else who.checks.without(required)
    return PullRequest(
        number=number,
        title=found.title,
        author=_login(found.author),
        head_sha=found.head_ref_oid,
        head_ref=found.head_ref_name,
        head_repository=found.head_repository.name_with_owner if found.head_repository else None,
        base_ref=found.base_ref_name,
        # The pull request's own base is the branch as it was at the last push.
        base_sha=base.target.oid if base and base.target else found.base_ref_oid,
        draft=found.is_draft,
        open=found.state == "OPEN",
        merged=found.state == "MERGED",
        review=_review(found),
        checks=None
        if nodes is None or required is None
        else checks.others(checks.by_graphql(nodes), who.checks, required),
        behind_by=None,
        head_moved_at=None,
        has_our_comments=_has_comments_of(found, who.author),
        required_checks=required,
    )


def by_rest(github: Github, full_name: str, number: int) -> PullRequest:
    """The same without its checks and reviews, which would be a call each."""
    pull = github.get_repo(full_name).get_pull(number)
    return PullRequest(
        number=number,
        title=pull.title,
        author=login_of(pull.user),
        head_sha=pull.head.sha,
        head_ref=pull.head.ref,
        head_repository=_full_name(pull.head.repo),
        base_ref=pull.base.ref,
        base_sha=pull.base.sha,
        draft=bool(pull.draft),
        open=pull.state == "open",
        merged=pull.merged,
        review=None,
        checks=None,
        behind_by=None,
        head_moved_at=None,
        has_our_comments=True,
    )


def opinions_by_rest(
    github: Github, full_name: str, number: int, head_sha: str
) -> tuple[bool, tuple[str, ...]]:
    """Whether somebody asks for changes, and the logins that approve of the head."""
    latest = {
        login_of(review.user): review
        for review in github.get_repo(full_name).get_pull(number).get_reviews()
        if review.state in {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"}
    }
    return any(each.state == "CHANGES_REQUESTED" for each in latest.values()), tuple(
        login
        for login, each in latest.items()
        if each.state == "APPROVED" and each.commit_id == head_sha
    )


def login_of(user: NamedUser | Organization | None) -> str:
    """Whose it is; PyGithub does not say that anybody may have gone."""
    return user.login if user is not None else GHOST


def _full_name(repository: GithubRepository | None) -> str | None:
    return repository.full_name if repository is not None else None


def _review(found: PullRequestAnswer) -> ReviewState | None:
    """GitHub's decision, and an approval of the head: a branch may be content with older ones.

    GitHub makes none where no rule asks for reviews: then writers' reviews count. None where it is not
    known whether one does.
    """
    if found.review_decision is not None:
        state = _DECISIONS[found.review_decision]
        return _of_head(found) if state is ReviewState.APPROVED else state
    return None if found.base_ref is None else _of_head(found)


def _of_head(found: PullRequestAnswer) -> ReviewState:
    reviews = found.latest_opinionated_reviews
    nodes = reviews.nodes if reviews else ()
    if any(each.state == "CHANGES_REQUESTED" for each in nodes):
        return ReviewState.CHANGES_REQUESTED
    approving = (each.commit for each in nodes if each.state == "APPROVED")
    is_approved = any(each and each.oid == found.head_ref_oid for each in approving)
    return ReviewState.APPROVED if is_approved else ReviewState.NONE


def _has_comments_of(found: PullRequestAnswer, author: str) -> bool:
    """Also where it may: of those that are older than the newest hundred nothing is known."""
    comments = found.comments
    return not comments.are_all or any(_login(each.author) == author for each in comments.nodes)


def _login(author: Author | None) -> str:
    if author is None:
        return GHOST
    # Only GraphQL leaves out what every other place says of a bot.
    return author.login + ("[bot]" if author.typename == "Bot" else "")
