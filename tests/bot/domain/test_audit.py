"""Whatever is done to the audit, verification finds it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.audit import (
    GENESIS,
    Action,
    Entry,
    Fault,
    Head,
    Row,
    next_row,
    parse_head,
    verify,
)
from bot.domain.deployment import Actor

ANN = Actor("ann", "github")


def chain(entries: Sequence[Entry]) -> tuple[list[Row], Head]:
    rows: list[Row] = []
    head = Head(0, GENESIS)
    for entry in entries:
        rows.append(next_row(head, entry))
        head = Head(rows[-1].seq, rows[-1].hash)
    return rows, head


def faults(rows: Sequence[Row], head: Head, expected: Head | None = None) -> list[Fault]:
    return list(verify(rows, head, expected))


def entry(number: int) -> Entry:
    return Entry(Action.SUBMITTED, ANN, float(number), "r", "staging", f"d{number}")


ENTRIES = st.lists(
    st.builds(
        Entry,
        st.sampled_from(Action),
        st.builds(Actor, st.text(max_size=5), st.sampled_from(["github", "cli"])),
        st.floats(0, 2e9),
        st.none() | st.text(max_size=5),
        facts=st.dictionaries(st.text(max_size=3), st.text(max_size=5) | st.integers(), max_size=2),
    ),
    min_size=1,
    max_size=6,
)


@given(ENTRIES)
def test_a_chain_as_it_was_written_has_no_fault(entries: list[Entry]) -> None:
    rows, head = chain(entries)
    assert faults(rows, head) == []
    assert faults(rows, head, head) == []


def test_no_rows_are_no_fault() -> None:
    assert faults([], Head(0, GENESIS)) == []


def test_a_body_is_canonical_and_leaves_out_what_is_not_known() -> None:
    rows, _ = chain([Entry(Action.LOCKED, ANN, 1.5, facts={"b": 1, "a": "ä"})])
    assert rows[0].body == (
        '{"action":"locked","actor":{"name":"ann","surface":"github"},"at":1.5,'
        '"facts":{"a":"\\u00e4","b":1},"once":"","seq":1}'
    )


@given(ENTRIES, st.data())
def test_a_changed_row_is_found(entries: list[Entry], data: st.DataObject) -> None:
    rows, head = chain(entries)
    index = data.draw(st.integers(0, len(rows) - 1))
    row = rows[index]
    other = data.draw(
        st.sampled_from(
            [
                replace(row, body=row.body.replace('"seq"', '"Seq"')),
                replace(row, body=json.dumps(json.loads(row.body) | {"action": "forged"})),
                replace(row, at=row.at + 1),
                replace(row, once="another"),
                replace(row, once=""),
                replace(row, deployment=""),
                replace(row, deployment="another"),
                replace(row, deployment=None if row.deployment else "another"),
                replace(row, hash="f" * 64),
                replace(row, previous="f" * 64),
                next_row(Head(row.seq - 1, row.previous), entry(99)),
            ]
        )
    )
    changed = [*rows[:index], other, *rows[index + 1 :]]
    assert faults(changed, head)


def test_rows_of_an_older_version_are_as_they_were_written() -> None:
    made = next_row(Head(0, GENESIS), entry(1))
    body = made.body.replace('"once":"",', "")
    hashed = hashlib.sha256(f"{GENESIS}\n{body}".encode()).hexdigest()
    row = replace(made, body=body, hash=hashed, once="decision:d1", deployment=None)
    assert faults([row], Head(1, hashed)) == []
    assert faults([replace(row, once=None)], Head(1, hashed)) == []
    assert faults([replace(row, once="")], Head(1, hashed))
    assert faults([replace(row, deployment="")], Head(1, hashed))


def test_what_is_written_once_is_not_without_a_word() -> None:
    row = next_row(Head(0, GENESIS), entry(1), once="")
    assert row.once is None
    assert faults([row], Head(1, row.hash)) == []


@given(ENTRIES, st.data())
def test_dropped_rows_are_found(entries: list[Entry], data: st.DataObject) -> None:
    rows, head = chain(entries)
    dropped = data.draw(st.sets(st.integers(0, len(rows) - 1), min_size=1))
    assert faults([each for index, each in enumerate(rows) if index not in dropped], head)


@given(ENTRIES, st.data())
def test_an_added_row_is_found(entries: list[Entry], data: st.DataObject) -> None:
    rows, head = chain(entries)
    index = data.draw(st.integers(0, len(rows)))
    before = Head(rows[index - 1].seq, rows[index - 1].hash) if index else Head(0, GENESIS)
    number = data.draw(st.integers(-1, len(rows) + 2))
    added = replace(next_row(before, entry(99)), seq=number)
    made = data.draw(st.sampled_from([added, next_row(before, entry(99))]))
    assert faults(sorted([*rows, made], key=lambda each: each.seq), head)


@given(ENTRIES, st.integers(0, 5))
def test_a_tail_that_was_cut_off_is_found(entries: list[Entry], kept: int) -> None:
    rows, head = chain(entries)
    assume(kept < len(rows))
    assert faults(rows[:kept], head)[-1].text.endswith("missing")


@given(ENTRIES, st.integers(0, 5))
def test_a_tail_that_was_cut_off_with_the_head_is_found_by_a_noted_head(
    entries: list[Entry], kept: int
) -> None:
    rows, noted = chain(entries)
    assume(kept < len(rows))
    cut = rows[:kept]
    head = Head(cut[-1].seq, cut[-1].hash) if cut else Head(0, GENESIS)
    assert faults(cut, head) == []
    assert faults(cut, head, noted)


@given(ENTRIES, st.integers(0, 5))
def test_rows_written_anew_with_the_head_are_found_by_a_noted_head(
    entries: list[Entry], index: int
) -> None:
    _, noted = chain(entries)
    assume(index < len(entries))
    anew, head = chain([*entries[:index], entry(99), *entries[index + 1 :]])
    assume(head != noted)
    assert faults(anew, head) == []
    assert faults(anew, head, noted)


def test_a_noted_head_stays_good_when_rows_are_added() -> None:
    rows, noted = chain([entry(1), entry(2)])
    more, head = chain([entry(1), entry(2), entry(3)])
    assert rows == more[:2]
    assert faults(more, head, noted) == []


def test_a_fault_says_which_row_and_what() -> None:
    rows, head = chain([entry(number) for number in range(1, 6)])
    assert faults([rows[0], rows[3], rows[4]], head) == [Fault(4, "rows 2 to 3 are missing")]
    assert faults(rows[:4], head) == [Fault(5, "row 5 is missing")]


def test_a_head_is_read_as_it_is_written() -> None:
    _, head = chain([entry(1)])
    assert parse_head(f" {head} ") == head


@pytest.mark.parametrize("text", ["", "1", "1:ff", f"x:{GENESIS}", f"{GENESIS}"])
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be NUMBER:HASH"):
        parse_head(text)
