"""The first look: what one query says of a file and of a person, beside a pull request."""

from dataclasses import dataclass

from github import Github

from bot.domain.github import Permission, PullRequest
from bot.services.github import further, graphql
from bot.services.github.further import NOTHING_MORE, Further, Question
from bot.services.github.graphql_answers import RepositoryAnswer
from bot.services.github.parts import Part
from bot.services.github.pull_request import Ourselves, from_graphql

_REGULAR = frozenset({0o100644, 0o100755})


@dataclass(frozen=True)
class Sight:
    """What is looked at."""

    number: int
    """The pull request's."""
    path: str
    """The file's."""
    login: str
    """The person's."""
    question: Question = NOTHING_MORE
    """What is asked with it."""


@dataclass(frozen=True)
class Look:
    """Facts that were read at the same time."""

    pull_request: PullRequest
    file: bytes | None
    """Of the default branch; None where there is none, or where it was not read."""
    is_file_known: bool
    permission: Permission | None
    """What the person may do at least; None where that was not read."""
    further: Further | None = None
    """None where nothing was asked with it, or where that has to be asked by itself."""


def ask(
    github: Github, owner: str, name: str, sight: Sight, *, who: Ourselves, rulesets: bool
) -> tuple[Look, RepositoryAnswer] | None:
    """What is seen, and as it was told; None where this has to be asked by REST."""
    asked, question = graphql.pull_request(sight.number, rulesets=rulesets), sight.question
    parts = (_beside(sight), asked, *further.parts(question))
    data = graphql.read(github, owner, name, parts, may_be_lacking=further.may_be_lacking)
    if data is None:
        return None
    answer = RepositoryAnswer.model_validate(data["repository"])
    nodes = graphql.checks_of_head(github, owner, name, answer.pull_request)
    look = Look(
        from_graphql(sight.number, answer.pull_request, nodes, who=who),
        *file_in(answer),
        permission_in(answer, sight.login),
        None
        if question.is_empty
        else further.read(github, owner, name, question, data, own=who.checks),
    )
    return look, answer


def _beside(sight: Sight) -> Part:
    """A person is found by parts of names, so that several are."""
    text = """
    id
    defaultBranchRef { target { ... on Commit { file(path: $path) {
      mode object { ... on Blob { byteSize isTruncated text } }
    } } } }
    collaborators(query: $login, first: 100) { edges { permission node { login } } }
"""
    variables = {"path": sight.path, "login": sight.login}
    return Part(text, {"path": "String!", "login": "String!"}, variables)


def file_in(answer: RepositoryAnswer) -> tuple[bytes | None, bool]:
    """The file, and whether this is all that there is to know of it.

    A link, a folder, a large file, and one whose text is not its bytes are left to others.
    """
    branch = answer.default_branch_ref
    if branch is None or branch.target is None:
        return None, False
    entry = branch.target.file
    if entry is None:
        return None, True
    blob = entry.object
    if entry.mode not in _REGULAR or blob is None or blob.is_truncated or blob.text is None:
        return None, False
    text = blob.text.encode()
    return (text, True) if len(text) == blob.byte_size else (None, False)


def permission_in(answer: RepositoryAnswer, login: str) -> Permission | None:
    """The person's, among those with similar names."""
    for each in answer.collaborators.edges if answer.collaborators else ():
        if each.node.login.casefold() == login.casefold():
            return Permission.__members__.get(each.permission)
    return None
