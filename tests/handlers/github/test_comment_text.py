"""Which lines of a comment are commands."""

import runpy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.command_form import Mistake
from handlers.github import comment_text
from handlers.github.comment_text import CommandLines, read_comment


def find_commands(body: str) -> CommandLines:
    return read_comment(body, "/pachops")[0]


def find_slip(body: str) -> tuple[str, Mistake] | None:
    return read_comment(body, "/pachops")[1]


def lines(body: str) -> tuple[str, ...]:
    return find_commands(body).lines


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("/pachops deploy staging", ("deploy staging",)),
        ("/pachops", ("",)),
        ("  /pachops deploy  ", ("deploy",)),
        ("/PachOps deploy", ("deploy",)),
        ("/pachops\tdeploy", ("deploy",)),
        ("/pachops\u00a0deploy", ("deploy",)),
        ("Looks good.\n/pachops deploy\nThanks!", ("deploy",)),
        ("/pachops deploy\r\n/pachops status\r\n", ("deploy", "status")),
        ("/pachops deploy\n\nand then\n\n/pachops status", ("deploy", "status")),
        ("a hard break\\\n/pachops deploy", ("deploy",)),
        (
            "/pachops deploy staging --only a_b_c --only *d*",
            ("deploy staging --only a_b_c --only *d*",),
        ),
        ("/pachops deploy ~~production~~ staging", ("deploy ~~production~~ staging",)),
        ("/pachops deploy feature\\_x", ("deploy feature_x",)),
        ("/pachops deploy staging `abc1234`", ("deploy staging abc1234",)),
        ("/pachops deploy <!-- production --> staging", ("deploy  staging",)),
        ("/pachops deploy [staging](https://example.com)", ("deploy staging",)),
        # GitHub shows none of it, and it is no environment less.
        ("/pachops deploy <production>", ("deploy <production>",)),
        ("/pachops deploy staging --only <edges>", ("deploy staging --only <edges>",)),
        ("/pachops deploy <b>staging</b><br>", ("deploy staging",)),
    ],
)
def test_a_line_of_the_comments_own_text_is_a_command(body: str, found: tuple[str, ...]) -> None:
    assert lines(body) == found


@pytest.mark.parametrize(
    "body",
    [
        "",
        "deploy it",
        "please /pachops deploy",
        "/pachopsy deploy",
        "`/pachops deploy`",
        "`some code\n/pachops deploy` goes on",
        "```\n/pachops deploy\n```",
        "~~~\n/pachops deploy",
        "    /pachops deploy",
        "> /pachops deploy",
        "> quoted\n/pachops deploy",
        "- /pachops deploy",
        "- item\n\n  /pachops deploy",
        "1. /pachops deploy",
        "# /pachops deploy",
        "/pachops deploy\n---",
        "| a |\n| - |\n| /pachops deploy |",
        "/pachops deploy | b\n--- | ---",
        "**/pachops deploy**",
        "~~/pachops deploy~~",
        "[/pachops deploy](https://example.com)",
        "[a\n/pachops deploy](https://example.com)",
        "![/pachops deploy](https://example.com)",
        "\\/pachops deploy",
        "&#47;pachops deploy",
        "<!-- /pachops deploy -->",
        "<!--\n\n/pachops deploy\n\n-->",
        "text <!--\n/pachops deploy\n--> text",
        "<!-- never closed\n\n/pachops deploy",
        "<details>\n\n/pachops deploy\n\n</details>",
        "<details><summary>more</summary>\n\ntext\n\n/pachops deploy",
        "text <details> text\n/pachops deploy",
        "<blockquote>\n\n/pachops deploy\n\n</blockquote>",
        "<pre>\n/pachops deploy\n</pre>",
        "text <code>\n/pachops deploy\n</code>",
        "<div>\n/pachops deploy\n</div>",
        "[link]: /pachops 'deploy'",
        "<div><!--\n\n/pachops deploy\n\n--></div>",
        "<div><!--\n\n</div>\n\n/pachops deploy",
        "text <br>\n\n<details><!--\n\n</details>\n\n/pachops deploy",
        "~~no:\n/pachops deploy\nafter all~~",
        "<details/>\n\n/pachops deploy",
        "<table><tr><td>\n\n/pachops deploy\n\n</td></tr></table>",
        "<h2>\n\n/pachops deploy\n\n</h2>",
        "text <kbd>\n/pachops deploy</kbd>",
        "[^1]: /pachops deploy",
        "[^1]: a note\n/pachops deploy",
        "[^1]: /address\n/pachops deploy",
        "[^1]:\n    /pachops deploy",
        "text\n[^1]: a note\n/pachops deploy",
    ],
)
def test_everything_else_is_not(body: str) -> None:
    assert find_commands(body) == CommandLines(())


def test_what_comes_after_something_folded_away_is_a_command() -> None:
    assert lines("<details>\n\nlog\n\n</details>\n\n/pachops deploy") == ("deploy",)


@pytest.mark.parametrize(
    "body",
    [
        "<div><!--\n\n<b title='-->'>x</b>\n\n/pachops deploy",
        "<div><!-->\n\n/pachops deploy",
        "<div><!--->\n\n/pachops deploy",
        "<div><!-- a -->\n\n/pachops deploy",
        "1 <!-- 2\n\n/pachops deploy",
    ],
)
def test_what_comes_after_an_html_comment_is_a_command(body: str) -> None:
    assert lines(body) == ("deploy",)


def test_a_tag_that_is_not_closed_does_not_hide_the_next_one() -> None:
    assert lines("<div <!--\n\n<details>\n\n/pachops deploy") == ()


@pytest.mark.parametrize(
    "body", ["/pachop deploy staging", "Let us try.\n\n  /pachop deploy staging\r\n\nThanks!"]
)
def test_a_line_that_is_nearly_a_command_is_found(body: str) -> None:
    found = find_slip(body)
    assert found is not None
    assert (found[0], found[1].suggestion) == ("/pachop deploy staging", "deploy staging")


@pytest.mark.parametrize(
    "body",
    [
        "/pachops deploy staging",
        "`/pachop deploy staging`",
        "```\n/pachop deploy staging\n```",
        "> /pachop deploy staging",
        "- /pachop deploy staging",
        "<!--\n/pachop deploy staging\n-->",
        "<details>\n\n/pachop deploy staging\n\n</details>",
        "/deploy staging",
        "(`/pachops deploy staging`)",
        "**`/pachops deploy staging`**",
        "~~/pachops deploy staging~~",
        "\\/pachops deploy staging",
        "# /pachops deploy staging",
        "> # /pachops deploy staging",
        "> /pachops deploy staging\n> ---",
        "> `a\n/pachops deploy staging`",
        "- a\n  /pachops deploy staging",
        "| /pachops deploy staging |\n| --- |\n| /pachops deploy staging |",
        "[^1]: a note\n    /pachops deploy staging",
    ],
)
def test_a_slip_in_what_is_no_command_is_none(body: str) -> None:
    assert find_slip(body) is None


@pytest.mark.parametrize(
    "body",
    [
        "<img src='a.png'>\n/pachops deploy staging",
        "<div>\n/pachops deploy staging\n</div>",
        "<!-- note -->\n<br>\n  /pachops deploy staging",
        "<!-- note --> text\n\n<p align=center>\n/pachops deploy staging",
    ],
)
def test_a_command_in_a_block_of_html_is_answered_with_what_to_do(body: str) -> None:
    found = find_slip(body)
    assert found is not None
    line, mistake = found
    assert (line, mistake.suggestion) == ("/pachops deploy staging", "deploy staging")
    assert "empty line" in mistake.fact


@pytest.mark.parametrize(
    "body",
    [
        "<details>\n/pachops deploy staging\n</details>",
        "<div><!--\n/pachops deploy staging\n--></div>",
        "<blockquote>\n/pachops deploy staging\n</blockquote>",
        "<pre>\n/pachops deploy staging\n</pre>",
        "<img src=a.png>\nplease /pachops deploy staging",
        "<img title='\n/pachops deploy staging'>",
    ],
)
def test_what_html_hides_or_quotes_is_answered_by_nobody(body: str) -> None:
    assert find_slip(body) is None


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("> quoted\n/pachops deploy staging", "quote"),
        ("> > quoted\r\n/pachops deploy staging", "quote"),
        ("- item\n/pachops deploy staging", "list"),
        ("| a |\n| - |\n/pachops deploy staging", "table"),
        ("[^1]: a note\n/pachops deploy staging", "footnote"),
        ("/pachops deploy staging\n---\ntext", "heading"),
        ("/pachops deploy staging\n===", "heading"),
        ("**/pachops deploy staging**", "bold"),
        ("_/pachops deploy staging_", "italic"),
        ("(/pachops deploy staging)", "brackets"),
    ],
)
def test_a_command_that_its_surroundings_keep_from_being_one_is_answered(
    body: str, what: str
) -> None:
    assert lines(body) == ()
    found = find_slip(body)
    assert found is not None
    assert (found[0], found[1].suggestion) == ("/pachops deploy staging", "deploy staging")
    assert what in found[1].fact


def test_what_is_suggested_instead_can_be_shown_as_code() -> None:
    found = find_slip("<div>\n/pachops deploy `staging`")
    assert found is not None
    assert found[1].suggestion == "deploy"


def test_what_has_no_such_word_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comment_text, "_MARKDOWN", None)
    assert read_comment("[" * 1000, "/pachops") == (CommandLines(()), None)


def test_threads_share_rules_that_are_in_order() -> None:
    markdown = runpy.run_path(comment_text.__file__)["_MARKDOWN"]
    inline = markdown.inline
    assert all(each.__cache__ for each in (markdown.block.ruler, inline.ruler, inline.ruler2))


def test_the_word_is_a_setting() -> None:
    assert read_comment("@deployer status", "@deployer")[0].lines == ("status",)


def test_at_most_ten_commands_are_taken_and_the_rest_counted() -> None:
    found = find_commands("\n".join(f"/pachops cancel {number}" for number in range(13)))
    assert found.lines[0] == "cancel 0"
    assert (len(found.lines), found.left_out) == (10, 3)


PIECES = st.sampled_from(
    [
        *("/pachops\u00a0deploy", "`", "```", ">", "-", "\n", "\n\n", "<!--", "-->", "<details>"),
        *("</details>", "[", "](x)", "\\", "&", "#", "text", "\t", "<a", "**"),
    ]
)


@given(st.lists(PIECES | st.text(max_size=3), max_size=30).map("".join))
def test_any_comment_gives_lines_that_it_has(body: str) -> None:
    found = find_commands(body)
    assert len(found.lines) + found.left_out <= body.lower().count("/pachops")
