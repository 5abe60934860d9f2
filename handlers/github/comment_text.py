"""A comment's Markdown to the commands in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.domain.command_form import Mistake
from bot.domain.command_slip import read_slip

MOST_COMMANDS = 10

# Text in these is folded away, quoted, code or struck out.
_NOT_PLAIN = frozenset({"details", "blockquote", "pre", "code", "ul", "ol", "a", "del", "s", "q"})
# Emphasis would eat the * and _ of names; text_join would hide that `\/` was escaped.
_MARKDOWN = MarkdownIt("commonmark").enable("table").disable(["emphasis", "text_join"])
_BREAKS = frozenset({"softbreak", "hardbreak"})


@dataclass(frozen=True)
class CommandLines:
    """What a comment asks for."""

    lines: tuple[str, ...]
    """Each without the word it began with, in their order."""
    left_out: int = 0
    """How many there are beyond MOST_COMMANDS."""


def find_commands(body: str, word: str) -> CommandLines:
    """The lines of a comment's own text that begin with `word`.

    A comment's own text is its paragraphs, as GitHub shows them: not code, quotes, lists,
    headings, tables, HTML comments or what is folded away.
    """
    if word.lower() not in body.lower():
        return CommandLines(())
    found = []
    for line in _plain_lines(body):
        first, *rest = line.split(maxsplit=1) or [""]
        if first.lower() == word.lower():
            found.append("".join(rest).strip())
    return CommandLines(tuple(found[:MOST_COMMANDS]), max(0, len(found) - MOST_COMMANDS))


def find_slip(body: str, word: str) -> tuple[str, Mistake] | None:
    """The first line of a comment's own text that is nearly a command, and what it should be."""
    # Markdown is read for those alone that have such a line somewhere.
    if not any(read_slip(line, word) for line in body.splitlines()):
        return None
    for line in _plain_lines(body):
        if (slip := read_slip(line, word)) is not None:
            return line.strip(), slip
    return None


def _plain_lines(body: str) -> Iterator[str]:
    html = _OpenTags()
    in_paragraph = False
    for token in _MARKDOWN.parse(body):
        if token.type == "html_block":
            html.read(token.content)
        elif token.type == "paragraph_open":
            in_paragraph = token.level == 0
        elif token.type == "inline":
            yield from _lines(token.children or (), html, in_paragraph=in_paragraph)
        elif token.type == "paragraph_close":
            in_paragraph = False


def _lines(children: Sequence[Token], html: "_OpenTags", *, in_paragraph: bool) -> Iterator[str]:
    """The lines of a paragraph that begin as plain text; formatting within a line is taken off."""
    line, is_plain, is_new = "", False, True
    links = 0
    for token in children:
        if token.type in _BREAKS:
            if is_plain:
                yield line
            line, is_plain, is_new = "", False, True
            continue
        if token.type == "html_inline":
            html.read(token.content)
            continue
        links += token.nesting if token.type.startswith("link_") else 0
        if is_new and token.content:
            is_plain = in_paragraph and token.type == "text" and not links and not html.is_open
            is_new = False
        line += token.content
    if is_plain:
        yield line


class _OpenTags(HTMLParser):
    """Which elements that are not plain text are open."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[str] = []

    @property
    def is_open(self) -> bool:
        return bool(self._open)

    def read(self, fragment: str) -> None:
        """Take in some HTML; a tag that is not closed does not reach into the next fragment."""
        self.reset()
        self.feed(fragment)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        del attrs
        if tag in _NOT_PLAIN:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            self._open.remove(tag)
