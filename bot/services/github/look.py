"""The first look: what one query says of a file and of people, beside a pull request."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from github import Github

from bot.domain.github import Permission, PullRequest
from bot.services.github import further, graphql
from bot.services.github.further import NOTHING_MORE, Further, Question
from bot.services.github.graphql_answers import Collaborators, RepositoryAnswer
from bot.services.github.parts import Part
from bot.services.github.pull_request import Ourselves, from_graphql
from bot.services.github.raw import Json

_REGULAR = frozenset({0o100644, 0o100755})
_WHO = "who"
"""What the answers about people are called, with a number."""


@dataclass(frozen=True)
class Sight:
    """What is looked at."""

    number: int
    """The pull request's."""
    path: str
    """The file's."""
    logins: tuple[str, ...]
    """People's."""
    question: Question = NOTHING_MORE
    """What is asked with it."""


@dataclass(frozen=True)
class Look:
    """Facts that were read at the same time."""

    pull_request: PullRequest
    file: bytes | None
    """Of the default branch; None where there is none, or where it was not read."""
    is_file_known: bool
    permissions: Mapping[str, Permission]
    """What each of the people may do at least; without those of whom that was not read."""
    further: Further | None = None
    """None where nothing was asked with it, or where that has to be asked by itself."""


def ask(
    github: Github, owner: str, name: str, sight: Sight, *, who: Ourselves, rulesets: bool
) -> tuple[Look, RepositoryAnswer] | None:
    """What is seen, and as it was told; None where this has to be asked by REST."""
    asked, question = graphql.pull_request(sight.number, rulesets=rulesets), sight.question
    parts = (_file(sight.path), *_people(sight.logins), asked, *further.parts(question))
    data = graphql.read(github, owner, name, parts, may_be_lacking=_may_be_lacking)
    if data is None:
        return None
    found = data["repository"]
    answer = RepositoryAnswer.model_validate(found)
    nodes = graphql.checks_of_head(github, owner, name, answer.pull_request)
    look = Look(
        from_graphql(sight.number, answer.pull_request, nodes, who=who),
        *file_in(answer),
        dict(_permissions(sight.logins, found)),
        None
        if question.is_empty
        else further.read(github, owner, name, question, data, own=who.checks),
    )
    return look, answer


def _file(path: str) -> Part:
    text = """
    id
    defaultBranchRef { target { ... on Commit { file(path: $path) {
      mode object { ... on Blob { byteSize isTruncated text } }
    } } } }
"""
    return Part(text, {"path": "String!"}, {"path": path})


def _people(logins: tuple[str, ...]) -> Iterator[Part]:
    """They are found by parts of names, so that several are for each."""
    for number, login in enumerate(logins):
        alias = f"{_WHO}{number}"
        edges = "edges { permission node { login } }"
        text = f"{alias}: collaborators(query: ${alias}, first: 100) {{ {edges} }}"
        yield Part(text, {alias: "String!"}, {alias: login})


def _permissions(logins: tuple[str, ...], found: Json) -> Iterator[tuple[str, Permission]]:
    for number, login in enumerate(logins):
        listed = found[f"{_WHO}{number}"]
        if listed is not None:
            may = Collaborators.model_validate(listed).permission(login)
            if may is not None:
                yield login, may


def _may_be_lacking(error: Json) -> bool:
    """Whether REST says it: what people may do is not told to every App."""
    match error:
        case {"type": "FORBIDDEN", "path": ["repository", str(alias)]} if alias.startswith(_WHO):
            return True
    return further.may_be_lacking(error)


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
