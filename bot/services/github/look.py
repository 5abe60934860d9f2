"""What one query says of a file and of a person, beside a pull request."""

from dataclasses import dataclass

from bot.domain.github import Permission, PullRequest
from bot.services.github.graphql_answers import RepositoryAnswer

_REGULAR = frozenset({0o100644, 0o100755})


@dataclass(frozen=True)
class Look:
    """Facts that were read at the same time."""

    pull_request: PullRequest
    file: bytes | None
    """Of the default branch; None where there is none, or where it was not read."""
    is_file_known: bool
    permission: Permission | None
    """What the person may do at least; None where that was not read."""


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
