"""What went wrong with a call: something that passes, a limit with its end, or a refusal."""

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import requests
from github import BadAttributeException, GithubException
from github.Requester import Requester

from bot.domain.reasons import Code, StoppedError

SECONDARY_WAIT = 60.0
"""Seconds that GitHub asks to wait at least where it names no time."""
_LONGEST_WORDS = 400

RAISED = (
    GithubException,
    BadAttributeException,
    requests.RequestException,
    OSError,
    RuntimeError,
    AssertionError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
)
"""All that PyGithub and the reading of an answer raise: from AssertionError on for links to
elsewhere, JSON that is none, and JSON that is not what GitHub sends."""

APP_STEP = (
    "Install the App on this repository, and give it the permissions that "
    "docs/configuration.md#the-github-app lists (a change of permissions has to be accepted by "
    "the organisation's owner)."
)
MOVED_STEP = "Check whether the repository was renamed, and the setting for GitHub's URL."


@dataclass(frozen=True)
class Silence:
    """No answer, or one that says nothing: it is not known whether the work was done."""

    fact: str
    pause: float = 0.0
    """Seconds that GitHub asks to wait."""


@dataclass(frozen=True)
class Limited:
    """Not done, because of too many calls; `wait` in seconds until they are taken again."""

    wait: float
    fact: str


@dataclass(frozen=True)
class Refusal:
    """Not done, and no use in asking again."""

    status: int
    fact: str
    next_step: str | None


Trouble = Silence | Limited | Refusal


def trouble_in(error: Exception) -> Trouble:
    """What an exception of PyGithub means."""
    if isinstance(error, GithubException):
        return _answered(error)
    if isinstance(error, requests.exceptions.SSLError):
        fact = f"TLS could not be agreed on: {_short(str(error))}"
        return Refusal(0, fact, "Make the bot's machine trust GitHub's certificate.")
    if isinstance(error, TimeoutError | requests.Timeout):
        return Silence("no answer in time")
    if isinstance(error, requests.RequestException | OSError):
        return Silence(f"the connection failed: {_short(_innermost(error))}")
    if isinstance(error, RuntimeError):
        return Refusal(0, _short(str(error)), MOVED_STEP)
    return Silence("an answer that is not one of GitHub's API")


def is_of_empty_repository(error: GithubException) -> bool:
    """Whether it has no commit, and so no file."""
    return error.status == HTTPStatus.NOT_FOUND and _message(error) == "This repository is empty."


def unreachable(host: str, call: str, fact: str) -> StoppedError:
    """GitHub gave no useful answer."""
    return StoppedError(Code.GITHUB_UNREACHABLE, f"{host}, {call}: {fact}")


def limited(host: str, call: str, fact: str, wait: float) -> StoppedError:
    """GitHub wants us to wait longer than anybody would."""
    until = time.strftime("%H:%M UTC", time.gmtime(time.time() + wait))
    return StoppedError(
        Code.GITHUB_LIMITED,
        f"{host}, {call}: {fact}",
        next_step=f"Ask again after {until}.",
    )


def refused(host: str, call: str, refusal: Refusal) -> StoppedError:
    """GitHub's no."""
    code = Code.GITHUB_REFUSED
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        code = Code.GITHUB_LOGIN_REFUSED
    return StoppedError(code, f"{host}, {call}: {refusal.fact}", next_step=refusal.next_step)


def _answered(error: GithubException) -> Trouble:
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    message = _message(error)
    if _is_limit(error, headers, message):
        return Limited(_wait(headers, message), message or "too many calls")
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Silence(f"it answers {error.status} {message}".strip(), _retry_after(headers) or 0.0)
    if message.lower().startswith("something went wrong while executing"):
        return Silence(message)
    accepted = headers.get("x-accepted-github-permissions")
    wish = f" (it takes the permission {accepted})" if accepted else ""
    fact = f"it answers {error.status} {message}{wish}".strip()
    return Refusal(error.status, fact, _step(error.status))


def _step(status: int) -> str | None:
    return APP_STEP if status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND} else None


def _is_limit(error: GithubException, headers: dict[str, str], message: str) -> bool:
    if error.status == HTTPStatus.TOO_MANY_REQUESTS or "RATE_LIMITED" in _types(error):
        return True
    if "errors" in (error.data or {}) and Requester.isRateLimitError(message.lower()):
        return True
    if error.status != HTTPStatus.FORBIDDEN:
        return False
    return (
        "retry-after" in headers
        or headers.get("x-ratelimit-remaining") == "0"
        or Requester.isRateLimitError(message)
    )


def _wait(headers: dict[str, str], message: str) -> float:
    """Seconds, by GitHub's own clock."""
    asked = _retry_after(headers)
    if asked is not None:
        return asked
    reset = headers.get("x-ratelimit-reset", "")
    # Without being used up, the hour's calls are not what is limited.
    is_primary = headers.get("x-ratelimit-remaining") == "0"
    if not is_primary or not reset.isdecimal() or Requester.isSecondaryRateLimitError(message):
        return SECONDARY_WAIT
    # A second more: in which part of that second it is reset is not said.
    return max(float(reset) - _now(headers), 0.0) + 1.0


def _retry_after(headers: dict[str, str]) -> float | None:
    asked = headers.get("retry-after", "")
    return float(asked) if asked.isdecimal() else None


def _now(headers: dict[str, str]) -> float:
    try:
        return parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return time.time()


def _message(error: GithubException) -> str:
    """What GitHub says, with the details of a validation error."""
    match error.data:
        case {"message": str(message), "errors": [*errors]}:
            return _short("; ".join([message, *filter(None, map(_detail, errors))]))
        case {"message": str(message)}:
            return _short(message)
        case {"errors": [*errors]}:
            return _short("; ".join(filter(None, map(_detail, errors))))
    return ""


def _detail(error: object) -> str:
    match error:
        case str(text):
            return text
        case {"message": str(message)}:
            return message
        case {"field": str(field), "code": str(code)}:
            return f"{field}: {code}"
    return ""


def _types(error: GithubException) -> set[Any]:
    """The types of a GraphQL answer's errors."""
    match error.data:
        case {"errors": [*errors]}:
            return {each.get("type") for each in errors if isinstance(each, dict)}
    return set()


def _innermost(error: BaseException) -> str:
    """The cause at the bottom: above it the libraries repeat themselves."""
    cause: BaseException = error
    while (deeper := cause.__cause__ or cause.__context__) is not None:
        cause = deeper
    return str(cause) or type(cause).__name__


def _short(text: str) -> str:
    one_line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return one_line if len(one_line) <= _LONGEST_WORDS else f"{one_line[:_LONGEST_WORDS]}…"
