"""The audit: who did what, from where, on which facts; each row carries the hash of the one before.

What the chain shows: a row that was changed, dropped or added anywhere, and a tail that was cut
off. What it cannot show by itself: that somebody with the right to write the whole database made
it anew from some row to the end. For that a head that was noted elsewhere is compared with it.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from bot.domain.deployment import Actor

GENESIS = "0" * 64
"""What stands in the place of a hash before the first row."""
BOT = Actor("pachops", "bot")
"""Who does what nobody asked for at that moment."""
_HEAD = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


class Action(StrEnum):
    """What was done; stable."""

    COMMAND = "command"
    DECISION = "decision"
    SUBMITTED = "submitted"
    CANCEL_REQUESTED = "cancel_requested"
    APPROVAL_ASKED = "approval_asked"
    VOTED = "voted"
    UPDATE = "update"
    """Written before pipelines are changed: there is no update without its row."""
    ROLL_BACK = "roll_back"
    """Written before old specs are put back."""
    FINISHED = "finished"
    HOLD_RELEASED = "hold_released"
    LOCKED = "locked"
    LOCK_RENEWED = "lock_renewed"
    LOCK_TAKEN_OVER = "lock_taken_over"
    UNLOCKED = "unlocked"
    LOCK_EXPIRED = "lock_expired"
    RENAMED = "renamed"


@dataclass(frozen=True)
class Entry:
    """What is written down; texts are masked before they come here."""

    action: Action
    actor: Actor
    at: float
    """Seconds since the epoch."""
    repository: str | None = None
    environment: str | None = None
    deployment: str | None = None
    reasons: tuple[str, ...] = ()
    """Reason codes, for a refusal or a failure."""
    facts: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """JSON: what it was decided from, and what came of it."""


@dataclass(frozen=True)
class Row:
    """A row as it is stored."""

    seq: int
    """From 1, without gaps."""
    at: float
    body: str
    """The entry with its number, as canonical JSON."""
    previous: str
    """The hash of the row before."""
    hash: str
    once: str | None = None
    """What it is known by, where it is written once; newer texts have it too."""
    deployment: str | None = None
    """As its text has it, to be found by; None in older rows."""


@dataclass(frozen=True)
class Head:
    """The last row's number and hash; before the first row 0 and GENESIS."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


@dataclass(frozen=True)
class Fault:
    """Something in the audit that is not as it was written."""

    seq: int
    text: str


def next_row(head: Head, entry: Entry, *, once: str | None = None) -> Row:
    """The row that follows on the head."""
    seq = head.seq + 1
    body = _canonical(_value(seq, entry, once))
    return Row(
        seq,
        entry.at,
        body,
        head.hash,
        _hash(head.hash, body),
        once or None,
        entry.deployment or None,
    )


def parse_head(text: str) -> Head:
    """A head as `str` writes it; ValueError where it is none."""
    found = _HEAD.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError("must be NUMBER:HASH, as `pachops audit --verify` prints it")
    return Head(int(found[1]), found[2])


def verify(rows: Iterable[Row], head: Head, expected: Head | None = None) -> Iterator[Fault]:
    """What is wrong with the rows, in their order; nothing where all is as it was written.

    Args:
        rows: all of them, by their number.
        head: what the database says is the last one.
        expected: one that was noted elsewhere at an earlier time.
    """
    before = Head(0, GENESIS)
    for row in rows:
        if row.seq != before.seq + 1:
            missing = range(before.seq + 1, row.seq)
            yield Fault(row.seq, _gap(missing) if missing else "its number is none that follows")
        elif row.previous != before.hash:
            yield Fault(row.seq, "it does not follow on the row before")
        if (wrong := wrong_with(row)) is not None:
            yield Fault(row.seq, wrong)
        if expected is not None and row.seq == expected.seq and row.hash != expected.hash:
            yield Fault(row.seq, "it is not the row whose hash was noted")
        before = Head(row.seq, row.hash)
    if before.seq < head.seq:
        yield Fault(before.seq + 1, _gap(range(before.seq + 1, head.seq + 1)))
    elif before != head:
        yield Fault(before.seq, f"the last row was {head.seq}, and is not the last that there is")
    if expected is not None and before.seq < expected.seq:
        yield Fault(before.seq + 1, _gap(range(before.seq + 1, expected.seq + 1)))


def wrong_with(row: Row) -> str | None:
    """What is wrong with a row by itself; None where nothing is."""
    if _hash(row.previous, row.body) != row.hash:
        return "its text is not what its hash was made of"
    if not _says(row):
        return "what stands beside its text is not what that says"
    return None


def _gap(missing: range) -> str:
    if missing.stop - missing.start == 1:
        return f"row {missing[0]} is missing"
    return f"rows {missing[0]} to {missing[-1]} are missing"


def _value(seq: int, entry: Entry, once: str | None) -> dict[str, Any]:
    actor = {"name": entry.actor.name, "surface": entry.actor.surface}
    if entry.actor.account:
        actor["account"] = entry.actor.account
    value = {
        "seq": seq,
        "at": entry.at,
        "action": entry.action.value,
        "actor": actor,
        "repository": entry.repository,
        "environment": entry.environment,
        "deployment": entry.deployment,
        "reasons": list(entry.reasons),
        "facts": dict(entry.facts),
        # Said also where it is nothing: only older texts say nothing of it.
        "once": once or "",
    }
    return {key: item for key, item in value.items() if item not in (None, [], {})}


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _hash(previous: str, body: str) -> str:
    return hashlib.sha256(f"{previous}\n{body}".encode()).hexdigest()


def _says(row: Row) -> bool:
    try:
        value = json.loads(row.body)
    except ValueError:
        return False
    if not isinstance(value, dict):
        return False
    if (row.seq, row.at) != (value.get("seq"), value.get("at")):
        return False
    about = value.get("deployment")
    if "once" not in value:
        # Of an older version, which had no column for the deployment either.
        return row.once != "" and row.deployment in (None, about)
    return (row.once, row.deployment) == (value["once"] or None, about)
