"""A repository that was renamed answers from elsewhere: with the same method, or not at all."""

from http import HTTPStatus
from urllib.parse import urlsplit

from github import GithubException
from github.Requester import Requester

from bot.services.github.raw import Json

_MOST = 3
"""In a row."""
_TO_ELSEWHERE = frozenset(
    {HTTPStatus.FOUND, HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT}
)
"""PyGithub takes these for the answer: a change would count as made."""


def follow_redirects(requester: Requester) -> None:
    """Have it ask again where it is sent to, on the same host.

    GitHub: "307 Temporary Redirect ... repeat the request verbatim".
    Source: https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
    """
    ask = requester.requestJson

    def ask_there(verb: str, url: str, *arguments: Json, **named: Json) -> tuple[int, Json, str]:
        status, headers, body = ask(verb, url, *arguments, **named)
        for left in reversed(range(_MOST + 1)):
            if status not in _TO_ELSEWHERE:
                return status, headers, body
            there = headers.get("location", "")
            if not left or urlsplit(there).hostname != requester.hostname:
                break
            # What was in the query is in the new address.
            status, headers, body = ask(
                verb, there, None, None, named.get("input", _input(arguments))
            )
        raise GithubException(status, {"message": f"it is elsewhere: {there}"}, headers)

    requester.requestJson = ask_there  # type: ignore[method-assign]


def _input(arguments: tuple[Json, ...]) -> Json:
    """The body, which is the third argument behind the address."""
    return arguments[2] if len(arguments) > 2 else None
