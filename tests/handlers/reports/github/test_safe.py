"""Whatever stands in text from outside, GitHub shows it and does nothing with it."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it.token import Token

from handlers.reports.github.safe import UNSEEN, fitted, size
from handlers.reports.text import cut_line
from tests.handlers.reports.github.outside import LIVE, MARKDOWN, NASTY, SAFE, SECRET


def _tokens(markdown: str) -> list[Token]:
    """All tokens, those within lines too."""
    return [each for block in MARKDOWN.parse(markdown) for each in (block, *(block.children or ()))]


def _is_inert(markdown: str) -> bool:
    """Whether it is paragraphs of text and code, without anything that is live."""
    known = {"paragraph_open", "paragraph_close", "inline", "text", "code_inline"}
    for token in _tokens(markdown):
        if token.type not in known:
            return False
        if token.type == "text" and LIVE.search(token.content):
            return False
    return True


@given(NASTY)
def test_text_is_only_text(text: str) -> None:
    assert _is_inert(SAFE.text(text))


@given(NASTY)
def test_text_shows_what_it_was(text: str) -> None:
    shown = "".join(token.content for token in _tokens(SAFE.text(text)) if token.type == "text")
    assert shown.replace(UNSEEN, "").strip() == SAFE._line(text, 300).replace(UNSEEN, "").strip()


@given(NASTY)
def test_text_stays_in_its_cell(text: str) -> None:
    table = f"| a | b |\n| --- | --- |\n| {SAFE.text(text)} | end |"
    cells = [token for token in MARKDOWN.parse(table) if token.type == "td_open"]
    assert len(cells) == 2


@given(NASTY)
def test_rich_text_is_only_text_and_code(text: str) -> None:
    assert _is_inert(SAFE.rich(text))


@given(NASTY)
def test_code_is_only_code(text: str) -> None:
    shown = SAFE.code(text)
    children = [token.type for token in _tokens(f"x {shown} y") if token.type != "text"]
    expected = ["code_inline"] if shown else []
    assert children == ["paragraph_open", "inline", *expected, "paragraph_close"]


@given(NASTY)
def test_html_has_no_tag_and_nothing_live(text: str) -> None:
    shown = SAFE.html(text)
    assert "<" not in shown
    assert not LIVE.search(shown)


@given(NASTY)
def test_line_mentions_nobody(text: str) -> None:
    line = SAFE.line(text, 140)
    assert not re.search(r"@\w", line)
    assert "\n" not in line
    assert len(line) <= 140


@given(st.lists(NASTY, max_size=40))
@example(["before", "```", "after"])
@example(["before", "`" * 7, "after"])
def test_fence_is_never_broken(log: list[str]) -> None:
    shown = SAFE.fence(log, 2000)
    (token,) = MARKDOWN.parse(shown)
    assert token.type == "fence"
    assert size(shown) <= 2000 + 2 * (len(token.markup) + len("text"))


@given(NASTY)
def test_log_has_no_markup_that_others_would_read(text: str) -> None:
    assert not re.search(r"<!--|</?details", SAFE.fence([text]), re.IGNORECASE)


@given(NASTY, st.sampled_from(["text", "rich", "code", "html", "line"]))
def test_secret_is_masked(text: str, way: str) -> None:
    assert SECRET not in getattr(SAFE, way)(f"{text} {SECRET}")


def test_secret_between_colours_is_masked() -> None:
    assert SECRET not in SAFE.fence([f"{SECRET[:5]}\x1b[31m{SECRET[5:]}"])


def test_long_log_keeps_both_ends_and_says_what_is_missing() -> None:
    shown = SAFE.fence([f"line {number}" for number in range(10_000)], 1000)
    assert "line 0\n" in shown
    assert "line 9999\n" in shown
    assert "lines are left out" in shown
    assert size(shown) < 1020


def test_long_line_of_log_is_cut_in_its_middle() -> None:
    shown = SAFE.fence(["a" + "x" * 5000 + "z"])
    assert "ax" in shown
    assert "xz\n" in shown
    assert size(shown) < 500


def test_commands_in_our_own_words_are_code() -> None:
    assert SAFE.rich("See `pachops history`.") == "See `pachops history`."


@given(st.text(max_size=400), st.integers(3, 200))
def test_cut_line_keeps_both_ends(text: str, most: int) -> None:
    cut = cut_line(text, most)
    assert len(cut) <= most
    assert len(text) <= most or (cut[0], cut[-1]) == (text[0], text[-1])


@given(st.lists(st.text(max_size=200)), st.integers(200, 2000))
def test_fitted_never_cuts_a_block(middle: list[str], most: int) -> None:
    shown = fitted(["first"], middle, ["last"], most)
    assert size(shown) <= most
    assert shown.startswith("first\n\n")
    assert shown.endswith("\n\nlast")


@pytest.mark.parametrize("text", ["", " ", "\n", "\x1b[0m"])
def test_nothing_shows_as_nothing(text: str) -> None:
    assert (SAFE.text(text), SAFE.code(text), SAFE.rich(text)) == ("", "", "")
