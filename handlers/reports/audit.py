"""The audit in words: a line for each row, and what a verification found."""

import json
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from bot.domain.audit import Fault, Head, Row, wrong_with
from handlers.reports.text import one_line

_ACTIONS = {
    "command": "gave a command",
    "decision": "was answered",
    "submitted": "asked for a deployment",
    "cancel_requested": "asked to cancel",
    "approval_asked": "asked for approval",
    "voted": "voted",
    "update": "began the update",
    "roll_back": "began to put the old specs back",
    "finished": "finished",
    "hold_released": "released the environment",
    "locked": "locked",
    "lock_renewed": "renewed the lock",
    "lock_taken_over": "took the lock over",
    "unlocked": "unlocked",
    "lock_expired": "let the lock expire",
    "renamed": "renamed the repository",
}
_DETAILS = (
    "line",
    "trigger",
    "kind",
    "sha",
    "verdict",
    "outcome",
    "fact",
    "force",
    "command",
    "how",
)


def line(row: Row, zone: tzinfo | None = None) -> str:
    """A row for people: when, who, what, where, why."""
    if (wrong := wrong_with(row)) is not None:
        return f"{row.seq}  is not as it was written: {wrong}"
    body: dict[str, Any] = json.loads(row.body)
    actor = body.get("actor", {})
    parts = [
        str(row.seq),
        f"{datetime.fromtimestamp(row.at, zone).astimezone(zone):%Y-%m-%d %H:%M:%S}",
        f"{actor.get('name')} ({actor.get('surface')})",
        _ACTIONS.get(body.get("action", ""), str(body.get("action"))),
        _place(body),
        str(body.get("deployment", "")),
        *body.get("reasons", []),
        *_details(body.get("facts", {})),
    ]
    return one_line("  ".join(part for part in parts if part))


def as_json(row: Row) -> str:
    """The entry with its two hashes; the rest of it, written canonically, is what was hashed."""
    if (wrong := wrong_with(row)) is not None:
        return json.dumps({"seq": row.seq, "fault": wrong})
    body: dict[str, Any] = json.loads(row.body)
    return json.dumps(body | {"previous": row.previous, "hash": row.hash})


def verified(head: Head, faults: Sequence[Fault], *, as_json: bool) -> str:
    """What the verification found, and the head to keep elsewhere."""
    if as_json:
        found = [{"seq": each.seq, "text": each.text} for each in faults]
        return json.dumps({"event": "audit", "head": str(head), "faults": found})
    if not faults:
        return (
            f"The audit is as it was written: {head.seq} rows.\nHead: {head}\n"
            "Keep the head elsewhere: with `--expect HEAD` a later verification also finds "
            "rows that were written anew."
        )
    lines = [f"row {each.seq}: {each.text}" for each in faults]
    return "\n".join(["The audit is not as it was written:", *lines, f"Head: {head}"])


def _place(body: dict[str, Any]) -> str:
    place = [str(body[key]) for key in ("repository", "environment") if body.get(key)]
    return " ".join(place)


def _details(facts: dict[str, Any]) -> list[str]:
    lock = facts.get("lock")
    shown = [f"{key}: {facts[key]}" for key in _DETAILS if facts.get(key)]
    return [*shown, *([str(lock["reason"])] if isinstance(lock, dict) and lock["reason"] else [])]
