"""A comment's Markdown to the commands in it."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, reference
from markdown_it.token import Token

from bot.domain.command_form import Mistake, suggested
from bot.domain.command_slip import read_slip
from handlers.github import words

MOST_COMMANDS = 10

# Text in these is folded away, quoted, code, struck out or not a paragraph's.
_NOT_PLAIN = frozenset(
    {
        *("details", "summary", "blockquote", "q", "pre", "code", "kbd", "samp", "tt"),
        *("a", "del", "s", "strike", "ul", "ol", "dl", "table", "h1", "h2", "h3", "h4", "h5", "h6"),
    }
)
_ELEMENTS = _NOT_PLAIN | {
    *("abbr", "b", "bdo", "big", "br", "cite", "dfn", "em", "font", "i", "img", "ins", "mark", "p"),
    *("small", "span", "strong", "sub", "sup", "u", "var", "wbr"),
}
_TAG = re.compile(r"<([A-Za-z][A-Za-z0-9-]*)")
_FOOTNOTE = re.compile(r"\[\^[^]\s]+\]:")
_FORMATTED = re.compile(r"(?:([*_]{1,3})(.+)\1|\((.+)\))")
_NEWLINE = re.compile("\r\n?|\n")
_COMMENT = "<!--"
_EMPTY_COMMENT = re.compile("<!--?-?>")
_BLOCKS = frozenset({"paragraph_open", "heading_open", "tr_open"})
_BREAKS = frozenset({"softbreak", "hardbreak"})
_STRUCK = frozenset({"s_open", "s_close"})
_INLINES = _STRUCK | {"link_open", "link_close"}


def _no_footnote(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001
    """GitHub's footnotes look like the addresses of links."""
    is_footnote = _FOOTNOTE.match(state.src, state.bMarks[start] + state.tShift[start])
    return not is_footnote and reference(state, start, end, silent)


# Emphasis would eat the * and _ of names; text_join would hide that `\/` was escaped.
_MARKDOWN = (
    MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable(["emphasis", "text_join"])
)
_MARKDOWN.block.ruler.at("reference", _no_footnote)
# Its first use puts its rules in order: another thread would meanwhile read with some of them.
_MARKDOWN.parse("first")

_Line = tuple[str, str | None]
"""A line that looks like a comment's own text, and why it is none; None where it is."""


@dataclass(frozen=True)
class CommandLines:
    """What a comment asks for."""

    lines: tuple[str, ...]
    """Each without the word it began with, in their order."""
    left_out: int = 0
    """How many there are beyond MOST_COMMANDS."""


def read_comment(body: str, word: str) -> tuple[CommandLines, tuple[str, Mistake] | None]:
    """Its commands, and the first line that is nearly one, with what it should be.

    Commands are lines of a comment's own text that begin with `word`. That is its paragraphs, as
    GitHub shows them: not code, quotes, lists, headings, tables, footnotes, HTML comments or what
    is folded away.
    """
    # Markdown is read for those alone that have such a line somewhere.
    has_word = word.lower() in body.lower()
    if not has_word and not any(read_slip(line, word) for line in body.splitlines()):
        return CommandLines(()), None
    lines = _read(body)
    return _commands(lines, word), _slip(lines, word)


def _commands(lines: Iterable[_Line], word: str) -> CommandLines:
    rests = (_after(word, line) for line, near in lines if near is None)
    found = [rest for rest in rests if rest is not None]
    return CommandLines(tuple(found[:MOST_COMMANDS]), max(0, len(found) - MOST_COMMANDS))


def _slip(lines: Iterable[_Line], word: str) -> tuple[str, Mistake] | None:
    for line, near in lines:
        if (rest := _after(word, line)) is None:
            slip = read_slip(line, word)
        else:
            slip = Mistake(near, suggested(rest or "help")) if near else None
        if slip is not None:
            return line.strip(), slip
    return None


def _after(word: str, line: str) -> str | None:
    """What is behind the word that a line begins with; None of another line."""
    first, *rest = line.split(maxsplit=1) or [""]
    return "".join(rest).strip() if first.lower() == word.lower() else None


def _read(body: str) -> list[_Line]:
    source, html = _NEWLINE.split(body), _Html()
    block, starts = Token("", "", 0), frozenset[str]()
    found: list[_Line] = []
    for token in _MARKDOWN.parse(body):
        if token.type == "html_block":
            html.read_block(token.content)
        elif token.type in _BLOCKS:
            block, starts = token, _starts(source, token)
        elif token.type == "inline":
            # All of them are read: in each of them HTML may begin or end.
            found += _judged([*_lines(token.children or (), html)], block, starts)
    return [*found, *((line, words.IN_HTML) for line in html.lines)]


def _starts(source: Sequence[str], block: Token) -> frozenset[str]:
    """The first words of a block's lines that have nothing before them, as of a quote or list."""
    first, end = block.map or (0, 0)
    return frozenset(line.split(maxsplit=1)[0] for line in source[first:end] if line[:1].strip())


def _judged(lines: Iterable[str], block: Token, starts: Collection[str]) -> Iterator[_Line]:
    is_own = block.type == "paragraph_open" and block.level == 0
    for line in lines:
        is_own = is_own and not _FOOTNOTE.match(line)
        if is_own:
            inner = _FORMATTED.fullmatch(line.strip())
            yield (inner[2] or inner[3], words.IS_FORMATTED) if inner else (line, None)
        elif block.type == "heading_open":
            # One of several lines, or with a line below it, not a #.
            if block.level == 0 and block.markup in {"-", "="}:
                yield line, words.IS_HEADING
        elif line.strip() and line.split(maxsplit=1)[0] in starts:
            yield line, words.GOES_ON


def _lines(children: Sequence[Token], html: "_Html") -> Iterator[str]:
    """The lines that begin as plain text; formatting within a line is taken off."""
    line, is_plain, has_word = "", True, False
    depth = 0
    for token in children:
        if token.type in _BREAKS:
            if is_plain:
                yield line
            line, is_plain, has_word = "", True, False
            continue
        if token.type == "html_inline":
            html.read(token.content)
            # GitHub shows nothing of it, but who writes `deploy <production>` means no other.
            line += token.content if has_word and _is_no_element(token.content) else ""
            continue
        if token.type in _INLINES:
            depth += token.nesting
        if token.content and not has_word:
            is_plain = is_plain and token.type == "text" and not depth and not html.is_open
            has_word = any(each.isalnum() for each in token.content)
        # A name that is struck out is not another name.
        line += token.content or (token.markup if token.type in _STRUCK else "")
    if is_plain:
        yield line


def _is_no_element(fragment: str) -> bool:
    tag = _TAG.match(fragment)
    return tag is not None and tag[1].lower() not in _ELEMENTS


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

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        # To a browser `<details/>` is open.
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            self._open.remove(tag)
