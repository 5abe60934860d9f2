"""The answers of GraphQL, as far as we need them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from bot.domain.github import Permission


class Answer(BaseModel):
    """A part of one."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel)


class Author(Answer):
    """Who wrote it."""

    typename: str = Field(alias="__typename")
    login: str


class Person(Answer):
    """A person."""

    login: str


class Named(Answer):
    """A repository."""

    name_with_owner: str


class Oid(Answer):
    """A commit."""

    oid: str


class Page(Answer):
    """Whether there is more."""

    has_next_page: bool
    end_cursor: str | None


class UpdateRule(Answer):
    """What branch protection asks, as far as everybody may see it."""

    required_status_check_contexts: tuple[str, ...] | None


class RequiredCheck(Answer):
    """A check that a ruleset asks for."""

    context: str


class Parameters(Answer):
    """Of a rule; empty where the rule is about something else."""

    required_status_checks: tuple[RequiredCheck, ...] = ()


class Rule(Answer):
    """One rule of a ruleset."""

    parameters: Parameters | None


class Rules(Answer):
    """The first rules of a branch."""

    page_info: Page
    nodes: tuple[Rule, ...]


class Base(Answer):
    """The branch that it is to be merged into."""

    target: Oid | None
    ref_update_rule: UpdateRule | None
    rules: Rules | None = None

    @property
    def required_checks(self) -> frozenset[str] | None:
        """The names of the checks that the branch asks for, by either kind of rule.

        None where there are more rules than were read.
        """
        if self.rules and self.rules.page_info.has_next_page:
            return None
        asked = self.ref_update_rule and self.ref_update_rule.required_status_check_contexts
        rules = self.rules.nodes if self.rules else ()
        ruled = (
            check.context
            for rule in rules
            if rule.parameters
            for check in rule.parameters.required_status_checks
        )
        return frozenset([*(asked or ()), *ruled])


class Review(Answer):
    """What one reviewer said last."""

    state: str
    commit: Oid | None


class Reviews(Answer):
    """Of those who may write."""

    nodes: tuple[Review, ...]


class Comment(Answer):
    """Of which only the author counts."""

    author: Author | None


class Comments(Answer):
    """The newest hundred."""

    total_count: int
    nodes: tuple[Comment, ...]

    @property
    def are_all(self) -> bool:
        """Whether there are no older ones."""
        return self.total_count <= len(self.nodes)


class App(Answer):
    """Who reports a check."""

    slug: str


class Suite(Answer):
    """What a check run belongs to."""

    app: App | None


class CheckRun(Answer):
    """A check run."""

    typename: Literal["CheckRun"] = Field(alias="__typename")
    name: str
    status: str
    conclusion: str | None
    check_suite: Suite


class Status(Answer):
    """A commit status."""

    typename: Literal["StatusContext"] = Field(alias="__typename")
    context: str
    state: str


class Contexts(Answer):
    """Check runs and statuses of the head."""

    page_info: Page
    nodes: tuple[CheckRun | Status, ...]


class Rollup(Answer):
    """All checks of a commit."""

    contexts: Contexts


class Commit(Answer):
    """The last commit that is listed: the head, but of very many, or while it moves."""

    oid: str
    status_check_rollup: Rollup | None


class CommitNode(Answer):
    """A commit in its list."""

    commit: Commit


class Commits(Answer):
    """The last commit only."""

    nodes: tuple[CommitNode, ...]


class PullRequestAnswer(Answer):
    """A pull request as GraphQL has it."""

    id: str
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
    comments: Comments
    commits: Commits | None
    """None where we may not read its checks."""

    @property
    def head(self) -> Commit | None:
        """The head with its checks; None where another commit is listed in its place."""
        listed = (each.commit for each in (self.commits.nodes if self.commits else ()))
        return next((each for each in listed if each.oid == self.head_ref_oid), None)


class Blob(Answer):
    """A file's content; nothing of it where it is something else."""

    byte_size: int | None = None
    is_truncated: bool = True
    text: str | None = None


class Entry(Answer):
    """Something in a folder."""

    mode: int
    object: Blob | None


class Tip(Answer):
    """The commit that a branch is at."""

    file: Entry | None


class Branch(Answer):
    """The default branch."""

    target: Tip | None


class Collaborator(Answer):
    """Somebody with more rights than everybody has."""

    permission: str
    node: Person


class Collaborators(Answer):
    """Those whose names are like the one asked for."""

    edges: tuple[Collaborator, ...]

    def permission(self, login: str) -> Permission | None:
        """The one's, among those with similar names; None where they are not among them."""
        for each in self.edges:
            if each.node.login.casefold() == login.casefold():
                return Permission.__members__.get(each.permission)
        return None


class RepositoryAnswer(Answer):
    """A repository with a pull request, as GraphQL has them."""

    id: str
    default_branch_ref: Branch | None
    """None also where we may not read it."""
    pull_request: PullRequestAnswer
