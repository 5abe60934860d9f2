"""A comment's Markdown to the commands in it."""

import re
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
_COMMENT = "<!--"
_EMPTY_COMMENT = re.compile("<!--?-?>")
_BREAKS = frozenset({"softbreak", "hardbreak"})


@dataclass(frozen=True)
class CommandLines:
    """What a comment asks for."""

    lines: tuple[str, ...]
    """Each without the word it began with, in their order."""
    left_out: int = 0
    """How many there are beyond MOST_COMMANDS."""


def read_comment(body: str, word: str) -> tuple[CommandLines, tuple[str, Mistake] | None]:
    """Its commands, and what is nearly one."""
    return find_commands(body, word), find_slip(body, word)


def find_commands(body: str, word: str) -> CommandLines:
    """The lines of a comment's own text that begin with `word`.

    A comment's own text is its paragraphs, as GitHub shows them: not code, quotes, lists,
    headings, tables, HTML comments or what is folded away.
    """
    if word.lower() not in body.lower():
        return CommandLines(())
    rests = (_after(word, line) for line in _plain_lines(body))
    found = [rest for rest in rests if rest is not None]
    return CommandLines(tuple(found[:MOST_COMMANDS]), max(0, len(found) - MOST_COMMANDS))


def find_slip(body: str, word: str) -> tuple[str, Mistake] | None:
    """The first line of a comment's own text that is nearly a command, and what it should be."""
    # Markdown is read for those alone that have such a line somewhere.
    if not any(_nearly(line, word) for line in body.splitlines()):
        return None
    html = _Html()
    for line in _plain_lines(body, html):
        if (slip := read_slip(line, word)) is not None:
            return line.strip(), slip
    for line in html.lines:
        if (slip := _nearly(line, word)) is not None:
            return line.strip(), slip
    return None


def _nearly(line: str, word: str) -> Mistake | None:
    """A slip, or a command that would be one in a comment's own text."""
    if (rest := _after(word, line)) is None:
        return read_slip(line, word)
    return Mistake("it is in a block of HTML: an empty line before it ends that", rest or "help")


def _after(word: str, line: str) -> str | None:
    """What is behind the word that a line begins with; None of another line."""
    first, *rest = line.split(maxsplit=1) or [""]
    return "".join(rest).strip() if first.lower() == word.lower() else None


def _plain_lines(body: str, html: "_Html | None" = None) -> Iterator[str]:
    html = html or _Html()
    in_paragraph = False
    for token in _MARKDOWN.parse(body):
        if token.type == "html_block":
            html.read_block(token.content)
        elif token.type == "paragraph_open":
            in_paragraph = token.level == 0
        elif token.type == "inline":
            yield from _lines(token.children or (), html, in_paragraph=in_paragraph)
        elif token.type == "paragraph_close":
            in_paragraph = False


def _lines(children: Sequence[Token], html: "_Html", *, in_paragraph: bool) -> Iterator[str]:
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


class _Html(HTMLParser):
    """Which elements that are not plain text are open, and the text of blocks outside of them."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self._text: list[str] = []
        self._in_block = False

    @property
    def is_open(self) -> bool:
        return bool(self._open) or self._is_in_comment

    @property
    def lines(self) -> list[str]:
        """Of all blocks."""
        return "".join(self._text).splitlines()

    @property
    def _is_in_comment(self) -> bool:
        return self.rawdata.startswith(_COMMENT)

    def read(self, fragment: str) -> None:
        """Take in some HTML; of what is not closed only a comment reaches into the next fragment."""
        if not self._is_in_comment:
            self.reset()
        # To a browser these are whole.
        self.feed(_EMPTY_COMMENT.sub("", fragment))

    def read_block(self, fragment: str) -> None:
        """Likewise, and remember its text."""
        self._in_block = True
        self.read(fragment)
        self._in_block = False

    def handle_data(self, data: str) -> None:
        if self._in_block and not self._open:
            self._text.append(data)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        del attrs
        if tag in _NOT_PLAIN:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            self._open.remove(tag)
