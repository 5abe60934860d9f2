"""Slack's blocks; texts that are given to them are safe and short enough."""

from collections.abc import Mapping, Sequence
from typing import Any

Block = dict[str, Any]
LONGEST_BUTTON = 75
BACK = "Back"


def section(text: str) -> Block:
    """A paragraph of mrkdwn."""
    return {"type": "section", "text": _mrkdwn(text)}


def context(*texts: str) -> Block:
    """Small print; ten parts at most."""
    return {"type": "context", "elements": [_mrkdwn(text) for text in texts if text][:10]}


def header(text: str) -> Block:
    """A title, without markup."""
    return {"type": "header", "text": plain(text)}


def divider() -> Block:
    """A line across."""
    return {"type": "divider"}


def actions(elements: Sequence[Block]) -> Block:
    """A row of buttons."""
    return {"type": "actions", "elements": list(elements)}


def button(
    action: str,
    text: str,
    value: str,
    *,
    style: str | None = None,
    confirm: tuple[str, str, str] | None = None,
) -> Block:
    """A button; `confirm` asks first: a question, what it means, and the button that does it."""
    made: Block = {
        "type": "button",
        "action_id": str(action),
        "text": plain(text[:LONGEST_BUTTON]),
        "value": value,
    }
    if style is not None:
        made["style"] = style
    if confirm is not None:
        title, means, does = confirm
        made["confirm"] = {
            "title": plain(title),
            "text": plain(means),
            "confirm": plain(does),
            "deny": plain(BACK),
        }
    return made


def plain(text: str) -> Mapping[str, Any]:
    """Text in which nothing is read."""
    return {"type": "plain_text", "text": text, "emoji": False}


def _mrkdwn(text: str) -> Mapping[str, Any]:
    # Verbatim: Slack makes no links of its own of what looks like an address or a name.
    return {"type": "mrkdwn", "text": text, "verbatim": True}
