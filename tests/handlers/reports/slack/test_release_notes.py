"""GitHub's Markdown as Slack shows it."""

import re

import pytest
from hypothesis import given
from pydantic import SecretStr

from bot.redact import Redactor
from handlers.reports.slack.release_notes import MOST_BLOCKS, release_blocks
from handlers.reports.slack.safe import Safe
from tests.handlers.reports.slack.test_message import NASTY, SECRET
from tests.standins.slack.blocks import check_blocks, text_of

SAFE = Safe(Redactor([SecretStr(SECRET)]))
URL = "https://github.com/acme/vision/releases/v1"
GENERATED = """\
<!-- Release notes generated using configuration in .github/release.yml -->

## What's Changed
* Sharper **edges** by @ann in https://github.com/acme/vision/pull/12
* `fast` mode & more by @bob in https://github.com/acme/vision/pull/13
  * ~~slow~~ _nested_

**Full Changelog**: https://github.com/acme/vision/compare/v0...v1
"""


def shown(notes: str) -> str:
    blocks = release_blocks(notes, SAFE, url=URL)
    return text_of(check_blocks(blocks, "message")) if blocks else ""


def test_notes_as_github_generates_them() -> None:
    assert shown(GENERATED).splitlines() == [
        "*What's Changed*",
        "• Sharper *edges* by @ann in <https://github.com/acme/vision/pull/12|#12>",
        "• `fast` mode &amp; more by @bob in <https://github.com/acme/vision/pull/13|#13>",
        "    • ~slow~ _nested_",
        "*Full Changelog*: <https://github.com/acme/vision/compare/v0...v1|`v0...v1`>",
    ]


@pytest.mark.parametrize(
    ("notes", "text"),
    [
        ("1. one\n2. two", "1. one\n2. two"),
        ("> said", "> said"),
        ("[docs](https://a.io/x?a=1&b=2)", "<https://a.io/x?a=1&amp;b=2|docs>"),
        ("[bad](javascript:alert(1))", "[bad](javascript:alert(1))"),
        ("![alt](https://a.io/p.png)", "<https://a.io/p.png|alt>"),
        ("```py\na < b\n```", "```\na &lt; b\n```"),
        ("| a | b |\n| - | - |\n| 1 | 2 |", "a | b\n1 | 2"),
        ("<b>bold</b> text", "bold text"),
        ("a <!channel> b", "a  b"),
        ("&lt;!channel&gt;", "&lt;!channel&gt;"),
        ("", ""),
    ],
)
def test_each_kind(notes: str, text: str) -> None:
    assert shown(notes) == text


def test_line_across_is_a_block() -> None:
    blocks = release_blocks("one\n\n---\n\ntwo", SAFE, url=URL)
    assert [each["type"] for each in blocks] == ["section", "divider", "section"]


@pytest.mark.parametrize(
    "notes", ["word " * 50_000, "* item & <b>\n" * 5_000, f"```\n{'x' * 9000}\n```", "# h\n" * 9999]
)
def test_long_notes_are_cut_and_linked(notes: str) -> None:
    blocks = release_blocks(notes, SAFE, url=URL)
    assert len(check_blocks(blocks, "message")) <= MOST_BLOCKS
    if len(notes) > 20_000:
        assert URL in text_of(blocks)


@given(NASTY)
def test_nothing_in_it_is_read(notes: str) -> None:
    links = re.compile(r"<https?://[^\s<>|]+\|[^<>]*>")
    left = links.sub("", shown(notes))
    assert "<" not in left
    assert not re.search(r"^(?!> ).*>", left, re.MULTILINE)
    assert SECRET not in shown(notes)
