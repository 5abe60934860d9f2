"""Slack's refusals, in its own words."""

from typing import Any


class SlackError(Exception):
    """`ok: false`, with the error's name and what goes with it."""

    def __init__(self, error: str, **more: Any) -> None:
        self.body: dict[str, Any] = {"ok": False, "error": error, **more}
        super().__init__(error)


class LimitedError(Exception):
    """429: too many calls."""

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(f"ratelimited for {retry_after} s")


def invalid(argument: str, message: str) -> SlackError:
    """An argument that is not as it must be."""
    return SlackError(
        "invalid_arguments",
        response_metadata={"messages": [f"[ERROR] {message} [json-pointer:/{argument}]"]},
    )
