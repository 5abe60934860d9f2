"""The audit as people and their tools read it."""

import json
from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest

from bot.domain.audit import GENESIS, Action, Entry, Fault, Head, next_row, wrong_with
from bot.domain.deployment import Actor
from handlers.reports.audit import as_json, line, verified

ENTRY = Entry(
    Action.FINISHED,
    Actor("ann", "github"),
    1_795_656_795.0,
    "https://github.com/acme/edges",
    "production",
    "06gaaaa",
    reasons=("locked",),
    facts={"outcome": "refused", "fact": "production is locked by bob\x1b[31m"},
)
ROW = next_row(Head(0, GENESIS), ENTRY)


def test_a_row_says_who_did_what_where_and_why() -> None:
    assert line(ROW, UTC) == (
        "1  2026-11-26 01:33:15  ann (github)  finished  "
        "https://github.com/acme/edges production  06gaaaa  locked  outcome: refused  "
        "fact: production is locked by bob"
    )


@pytest.mark.parametrize(
    "change",
    [{"body": "no JSON"}, {"body": "[]"}, {"at": "noon"}, {"at": 1e300}, {"previous": None}],
)
def test_a_row_that_was_changed_says_so(change: dict[str, Any]) -> None:
    changed = replace(ROW, **change)
    assert line(changed, UTC).startswith("1  is not as it was written: ")
    found = json.loads(as_json(changed))
    assert (found["seq"], found["fault"]) == (1, wrong_with(changed))


@pytest.mark.parametrize("action", Action)
def test_every_action_has_words(action: Action) -> None:
    row = next_row(Head(0, GENESIS), Entry(action, Actor("ann", "github"), 0.0))
    assert len(line(row, UTC).split("  ")) == 4


def test_a_lock_is_shown_with_its_reason() -> None:
    entry = Entry(Action.LOCKED, Actor("ann", "cli"), 0.0, facts={"lock": {"reason": "a hotfix"}})
    assert line(next_row(Head(0, GENESIS), entry), UTC).endswith("locked  a hotfix")


def test_json_has_the_hashes_beside_what_was_hashed() -> None:
    body = json.loads(as_json(ROW))
    assert (body.pop("hash"), body.pop("previous")) == (ROW.hash, GENESIS)
    assert json.dumps(body, sort_keys=True, separators=(",", ":")) == ROW.body


def test_a_good_audit_shows_its_head() -> None:
    head = Head(4, "a" * 64)
    assert str(head) in verified(head, [], as_json=False)
    assert json.loads(verified(head, [], as_json=True)) == {
        "event": "audit",
        "head": str(head),
        "faults": [],
    }


def test_faults_are_listed() -> None:
    text = verified(Head(4, "a" * 64), [Fault(3, "row 2 is missing")], as_json=False)
    assert "row 3: row 2 is missing" in text
