"""What went wrong with a call: silence, a limit, or a refusal by its name."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.domain.reasons import Code, StoppedError

RAISED = (SlackClientError, aiohttp.ClientError, OSError, ValueError, TypeError, AttributeError)
"""All that slack-sdk and aiohttp raise; the last three for an answer that is none of Slack's."""

_PASSING = frozenset(
    {
        "fatal_error",
        "internal_error",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)
_MISSING = "missing_scope"
_LOGIN = frozenset(
    {
        "account_inactive",
        "invalid_auth",
        "not_allowed_token_type",
        "not_authed",
        "token_expired",
        "token_revoked",
    }
)
_ARCHIVED = "is_archived"
NOT_OURS = frozenset({"channel_not_found", "not_in_channel", _ARCHIVED})
"""The bot is not in the channel, or there is none any more."""
GONE = frozenset({"message_not_found", "duplicate_message_not_found"})
"""Somebody has deleted the message."""
TOO_MUCH = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"}
)
"""Slack does not take what the blocks have."""
_LONGEST = 200


class SlackRefusedError(StoppedError):
    """Slack's no, with the name that Slack has for it."""

    def __init__(self, error: str, fact: str, next_step: str | None) -> None:
        super().__init__(Code.SLACK_REFUSED, fact, next_step=next_step)
        self.error = error

    @property
    def is_of_token(self) -> bool:
        """Whether it is our token that Slack does not take: nothing is wrong with what was said."""
        return self.error in _LOGIN


@dataclass(frozen=True)
class Silence:
    """No answer, or one that says nothing: it is not known whether the work was done."""

    fact: str
    pause: float = 0.0
    is_done: bool = True
    """False where Slack cannot have got it."""


@dataclass(frozen=True)
class Limited:
    """Not done; Slack takes it again after so many seconds."""

    wait: float


@dataclass(frozen=True)
class Refusal:
    """Not done, and no use in asking again."""

    error: str
    needed: str = ""
    details: str = ""


Trouble = Silence | Limited | Refusal


def trouble_in(error: Exception) -> Trouble:
    """What an exception means."""
    if isinstance(error, SlackApiError):
        return _answered(error)
    if isinstance(error, TimeoutError):
        return Silence("no answer in time")
    if isinstance(error, aiohttp.ClientConnectorError):
        return Silence(f"it cannot be connected to: {error.strerror or error}", is_done=False)
    if isinstance(error, aiohttp.ClientError | OSError):
        return Silence(f"the connection failed: {type(error).__name__}")
    return Silence("an answer that is not one of Slack's API")


def refused(method: str, refusal: Refusal) -> SlackRefusedError:
    """Slack's no, for a person."""
    fact = f"{method}: {refusal.error}"
    if refusal.needed:
        fact += f" (it takes the scope {refusal.needed})"
    if refusal.details:
        fact += f": {refusal.details}"
    return SlackRefusedError(refusal.error, fact, _step(refusal))


def unreachable(method: str, fact: str) -> StoppedError:
    """Slack gave no useful answer."""
    return StoppedError(Code.SLACK_UNREACHABLE, f"{method}: {fact}")


def limited(method: str, wait: float) -> StoppedError:
    """Slack wants us to wait longer than anybody would."""
    return StoppedError(Code.SLACK_LIMITED, f"{method} is not taken for another {wait:.0f} s")


def _answered(error: SlackApiError) -> Trouble:
    response = error.response
    status: int = getattr(response, "status_code", getattr(response, "status", 0))
    headers = {key.lower(): value for key, value in getattr(response, "headers", {}).items()}
    data = getattr(response, "data", None)
    name = _text(data, "error")
    if status == HTTPStatus.TOO_MANY_REQUESTS or name in {"ratelimited", "rate_limited"}:
        return Limited(_seconds(headers) or 1.0)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or name in _PASSING:
        return Silence(f"it answers {status} {name}".rstrip(), _seconds(headers))
    if not name:
        return Silence("an answer that is not one of Slack's API")
    return Refusal(name, _text(data, "needed"), _details(data))


def _seconds(headers: Mapping[str, str]) -> float:
    asked = headers.get("retry-after", "")
    return float(asked) if asked.isdecimal() else 0.0


def _text(data: object, key: str) -> str:
    found = data.get(key) if isinstance(data, dict) else None
    return (
        "".join(each for each in found if each.isprintable())[:_LONGEST]
        if (isinstance(found, str))
        else ""
    )


def _details(data: Any) -> str:  # noqa: ANN401 - JSON
    """Which argument was wrong, where Slack says it."""
    match data:
        case {"response_metadata": {"messages": [str(first), *_]}}:
            return first[:_LONGEST]
    return ""


def _step(refusal: Refusal) -> str | None:
    if refusal.error == _MISSING:
        return (
            f"Add the scope {refusal.needed} to the Slack app (slack-manifest.yaml has all), "
            "and install it again in the workspace."
        )
    if refusal.error in _LOGIN:
        return "Check PACHOPS_SLACK_BOT_TOKEN: `pachops setup slack` says what is missing."
    if refusal.error == _ARCHIVED:
        return "Take the channel out of Slack's archive, or out of `notify`."
    if refusal.error in NOT_OURS:
        return "Check the channel's name, and invite the bot there: `/invite @pachops`."
    return None
