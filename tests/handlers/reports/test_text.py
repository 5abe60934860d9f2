"""Text from outside cannot command a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.reports.text import lines, one_line


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07rest", "rest"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b31mred", "red"),
        ("\x1bPdevice\x1b\\x", "x"),
        ("bell\x07", "bell\\x07"),
        ("lone \x1b", "lone \\x1b"),
        ("10%\r50%\r100%", "100%"),
        ("100%\r", "100%"),
        ("a\tb", "a   b"),
        ("[red]not red[/red]", "[red]not red[/red]"),
        ("grün ✓ 日本", "grün ✓ 日本"),
        ("safe\u202egnp.exe", "safe\\u202egnp.exe"),
        ("two\nlines", "two lines"),
        ("broken \udcff", "broken \\udcff"),
    ],
)
def test_line_is_shown_and_never_interpreted(raw: str, shown: str) -> None:
    assert one_line(raw) == shown


def test_a_sequence_that_begins_again_ends_there() -> None:
    # Each of forty thousand that were searched to the end would hold up all else for seconds.
    assert one_line("\x9dtitle\x9dtitle\x07rest") == "\\x9dtitlerest"
    assert one_line("\x9d" * 40_000) == "\\x9d" * 40_000


@given(st.text())
def test_every_character_of_a_line_can_be_printed(raw: str) -> None:
    shown = one_line(raw)
    assert all(each.isprintable() or each in "\u00a0\u200d" for each in shown)


@given(st.text(st.characters(categories=["L", "N", "P", "Zs"], include_characters=" ")))
def test_printable_text_keeps_its_words(raw: str) -> None:
    assert one_line(raw).split() == raw.split()


def test_lines_are_split_and_made_safe_each() -> None:
    assert lines("one\n\x1b[1mtwo\x1b[0m\r\n") == ["one", "two"]


def test_empty_text_has_no_lines() -> None:
    assert lines(" \n") == []
