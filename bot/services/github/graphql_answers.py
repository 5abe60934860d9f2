"""The answers of GraphQL, as far as we need them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel)


class Author(_Answer):
    """Who wrote it."""

    typename: str = Field(alias="__typename")
    login: str


class Person(_Answer):
    """A person."""

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


class Comment(_Answer):
    """Of which only the author counts."""

    author: Author | None


class Comments(_Answer):
    """The newest hundred."""

    total_count: int
    nodes: tuple[Comment, ...]


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
    """The last commit that is listed: the head, but of very many, or while it moves."""

    oid: str
    status_check_rollup: Rollup | None


class CommitNode(_Answer):
    """A commit in its list."""

    commit: Commit


class Commits(_Answer):
    """The last commit only."""

    nodes: tuple[CommitNode, ...]


class OwnCommit(_Answer):
    """A commit in a pull request's list."""

    commit: Oid


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
    comments: Comments
    commits: Commits

    def has_checks_of(self, sha: str) -> bool:
        """Whether the commit whose checks these are is this one."""
        return all(each.commit.oid == sha for each in self.commits.nodes)

    @property
    def contexts(self) -> Contexts | None:
        """A page of the head's checks; None where there are none."""
        rollup = self.commits.nodes[0].commit.status_check_rollup if self.commits.nodes else None
        return rollup.contexts if rollup else None


class Blob(_Answer):
    """A file's content; nothing of it where it is something else."""

    byte_size: int | None = None
    is_truncated: bool = True
    text: str | None = None


class Entry(_Answer):
    """Something in a folder."""

    mode: int
    object: Blob | None


class Tip(_Answer):
    """The commit that a branch is at."""

    file: Entry | None


class Branch(_Answer):
    """The default branch."""

    target: Tip | None


class Collaborator(_Answer):
    """Somebody with more rights than everybody has."""

    permission: str
    node: Person


class Collaborators(_Answer):
    """Those whose names are like the one asked for."""

    edges: tuple[Collaborator, ...]


class Comparison(_Answer):
    """A commit, seen from a branch."""

    status: str
    behind_by: int

    @property
    def is_contained(self) -> bool:
        """Whether the branch has it."""
        return self.status in {"BEHIND", "IDENTICAL"}


class ComparedBranch(_Answer):
    """A branch from which a commit is seen."""

    name: str
    compare: Comparison | None
    """None where the two have nothing in common."""

    @property
    def has_it(self) -> bool:
        """Whether the commit is a part of the branch."""
        return self.compare is not None and self.compare.is_contained


class ComparedBranches(_Answer):
    """The first ones of those with a text in their names."""

    page_info: Page
    nodes: tuple[ComparedBranch, ...]


class Members(_Answer):
    """Those whose names are like the one asked for."""

    nodes: tuple[Person, ...]


class Team(_Answer):
    """A team."""

    members: Members

    def has(self, login: str) -> bool:
        """Whether the person is in it, or in a team below it."""
        return any(each.login.casefold() == login.casefold() for each in self.members.nodes)


class OwnCommits(_Answer):
    """A pull request's newest commits."""

    total_count: int
    nodes: tuple[OwnCommit, ...]


class RepositoryAnswer(_Answer):
    """A repository with a pull request, as GraphQL has them."""

    default_branch_ref: Branch | None
    """None also where we may not read it."""
    collaborators: Collaborators | None
    """None where we may not read them."""
    pull_request: PullRequestAnswer
