"""What git says when it fails, as a reason that a person can act on."""

import errno
import re
from enum import Enum, auto
from pathlib import Path

from bot.domain.reasons import Code, StoppedError
from bot.redact import Redactor
from bot.services.git.address import Address
from bot.services.git.process import GitFailedError


class Failure(Enum):
    """The kinds of failure that need different words."""

    DISK_FULL = auto()
    OTHERS_FOLDER = auto()
    UNTRUSTED_HOST = auto()
    LOGIN = auto()
    REF_MISSING = auto()
    SHA_NOT_SERVED = auto()
    NO_REPOSITORY = auto()
    UNREACHABLE = auto()
    INCOMPLETE = auto()
    OTHER = auto()


_SIGNS: tuple[tuple[Failure, str], ...] = (
    (Failure.DISK_FULL, r"no space left on device|disk quota exceeded"),
    (Failure.OTHERS_FOLDER, r"dubious ownership|unsafe repository"),
    (
        Failure.UNTRUSTED_HOST,
        r"host key verification failed|certificate (problem|verif)|self.signed certificate",
    ),
    (
        Failure.LOGIN,
        (
            r"authentication failed|could not read (username|password)|permission denied \("
            r"|terminal prompts disabled|returned error: 40[13]|invalid (username|credentials)"
            r"|access denied(?! or)|unable to get password from user"
        ),
    ),
    (Failure.INCOMPLETE, r"corruption on the remote side|promisor remote"),
    (Failure.SHA_NOT_SERVED, r"unadvertised object|does not support shallow"),
    (Failure.REF_MISSING, r"not our ref|couldn't find remote ref|no such remote ref"),
    (
        Failure.NO_REPOSITORY,
        (
            r"repository .*not found|does not appear to be a git repository|not a git repository"
            r"|returned error: 404|is this a git repository|access denied or repository not exported"
        ),
    ),
    (
        Failure.UNREACHABLE,
        (
            r"could not resolve|couldn't connect|failed to connect|unable to connect|unable to look up"
            r"|connection (refused|timed out|reset)|operation (too slow|timed out)|timeout"
            r"|network is unreachable|no route to host|early eof|hung up|returned error: 5\d\d"
            r"|empty reply|unable to access|rpc failed|unexpected disconnect"
        ),
    ),
)

_ASKING = re.compile(
    r"askpass|terminal prompts disabled|could not read (username|password)", re.IGNORECASE
)
_LONGEST = 300
COMMAND_NOT_FOUND = 127
"""The status of a shell that cannot find git."""


def classify(error: GitFailedError) -> Failure:
    """The kind of a failure, by git's own words (git is run with LC_ALL=C)."""
    said = error.stderr.lower()
    return next((failure for failure, sign in _SIGNS if re.search(sign, said)), Failure.OTHER)


def repository_error(error: GitFailedError, address: Address) -> StoppedError:
    """Why a repository could not be read."""
    if error.status == COMMAND_NOT_FOUND:
        return git_missing()
    failure = classify(error)
    said = _last_words(error)
    where = address.text
    if failure is Failure.DISK_FULL:
        return disk_full(where)
    if failure is Failure.OTHERS_FOLDER:
        return StoppedError(
            Code.REPOSITORY_UNREADABLE,
            f"{where} belongs to another user, and git reads only what its own user owns",
            next_step="Run pachops as the owner, or allow it as the user that it runs as: "
            f"`git config --global --add safe.directory {where}`.",
        )
    if failure is Failure.INCOMPLETE:
        return StoppedError(
            Code.REPOSITORY_UNREADABLE,
            f"{where} is damaged or a partial clone: {said}",
            next_step="Deploy the URL that it was cloned from, or run `git fsck` on it.",
        )
    if failure is Failure.LOGIN:
        return _login_refused(address, _words(error), sent=error.login is not None)
    fact = {
        Failure.UNTRUSTED_HOST: f"The server of {where} is not trusted: {said}",
        Failure.NO_REPOSITORY: f"There is no git repository at {where}: {said}",
        Failure.UNREACHABLE: f"The server of {where} cannot be reached: {said}",
    }.get(failure, f"git could not read {where}: {said}")
    # A server may say so of what it does not show to everybody; a folder is there or it is not.
    is_here = address.is_local or address.scheme == "file"
    unknown = failure is Failure.NO_REPOSITORY and is_here
    return StoppedError(Code.REPOSITORY_UNKNOWN if unknown else Code.REPOSITORY_UNREADABLE, fact)


def _login_refused(address: Address, words: str, *, sent: bool) -> StoppedError:
    said = f": {words}" if words else ""
    if address.scheme == "ssh":
        return StoppedError(
            Code.REPOSITORY_UNREADABLE,
            f"{address.text} refused the SSH key{said}",
            next_step="Give the user that the bot runs as a key that may read it.",
        )
    if sent:
        fact = f"{address.text} refused the login for {address.host}{said}"
        return StoppedError(Code.REPOSITORY_UNREADABLE, fact)
    key = address.login_key
    return StoppedError(
        Code.REPOSITORY_UNREADABLE,
        f"{address.text} wants a login, and none was sent{said}",
        next_step=f"Add a login for `{key}` to the settings under git logins; "
        "or, with a GitHub App, install it on the repository."
        if key
        else None,
    )


def mirror_error(error: GitFailedError, address: Address) -> StoppedError:
    """Why our own mirror of a repository could not be read or written."""
    if classify(error) is Failure.DISK_FULL:
        return disk_full(address.text)
    return StoppedError(
        Code.REPOSITORY_UNREADABLE,
        f"The local copy of {address.text} cannot be used: {_last_words(error)}",
        next_step="Deploy again: a broken copy is made anew.",
    )


def disk_full(where: str) -> StoppedError:
    """The disk with the mirrors is full."""
    return StoppedError(
        Code.DISK_FULL,
        f"There is no space left for the copy of {where}",
        next_step="Free space where PACHOPS_DATA_DIR is, then deploy again.",
    )


def is_full(error: OSError) -> bool:
    """Whether it is only that a disk has no space."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}


def root_unusable(error: OSError, root: Path) -> StoppedError:
    """The folder with the mirrors cannot be written."""
    if is_full(error):
        return disk_full(str(root))
    return StoppedError(
        Code.DATA_DIR_UNUSABLE, f"The folder for git mirrors, {root}, cannot be used: {error}"
    )


def timed_out(address: Address, seconds: float) -> StoppedError:
    """A repository that did not answer in time."""
    return StoppedError(
        Code.REPOSITORY_UNREADABLE, f"{address.text} was not read within {seconds:g} s"
    )


def git_missing() -> StoppedError:
    """No git on this machine."""
    return StoppedError(
        Code.REPOSITORY_UNREADABLE,
        "The `git` command is not on this machine",
        next_step="Install git 2.31 or newer where the bot runs.",
    )


def _last_words(error: GitFailedError) -> str:
    """The line that tells most, safe to show: one line, short, without the login."""
    return _words(error) or f"status {error.status}"


def _words(error: GitFailedError) -> str:
    """The same; empty where git says only how it asked for a login."""
    said = Redactor([error.login.password] if error.login else []).clean(error.stderr)
    lines = [line.strip() for line in re.split(r"[\r\n]+", said) if line.strip()]
    lines = [line for line in lines if not _ASKING.search(line)]
    telling = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines[-1:]
    remote = [line for line in lines if line.startswith("remote:") and line != "remote:"]
    words = "; ".join((*remote[-1:], *telling[:1]))
    words = re.sub(r"(^|; )(fatal|error|remote): ", r"\1", words)
    return re.sub(r"[^\x20-\x7e\xa0-\U0010ffff]", "?", words)[:_LONGEST]
