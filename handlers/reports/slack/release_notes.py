"""A release's notes, written in GitHub's Markdown, as Slack shows them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

from handlers.reports.slack import words
from handlers.reports.slack.blocks import Block, divider, section
from handlers.reports.slack.safe import LONGEST_SECTION, Safe, escaped, link

MOST_BLOCKS = 12
"""Of a message's fifty; what is longer is read on GitHub."""
LONGEST_CODE = 2000
_LONGEST_NOTES = 60_000
_LONGEST_PARAGRAPH = LONGEST_SECTION - 10
_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_ADDRESS = re.compile(r"https?://[^\s<>|()\[\]\"'`*]*[^\s<>|()\[\]\"'`*.,:;!?]")
_ON_GITHUB = re.compile(r"https://[^/]+/([^/]+/[^/]+)/(pull|issues|compare)/([^/?#]+)")
_STYLES = {
    "strong_open": "*",
    "strong_close": "*",
    "em_open": "_",
    "em_close": "_",
    "s_open": "~",
    "s_close": "~",
}
_RULE = "\0rule"
"""Stands for a line across; no text has it."""


def release_blocks(notes: str, safe: Safe, *, url: str) -> list[Block]:
    """The notes as blocks, cut to what a message has room for.

    HTML is left out, text is escaped, and nobody is called by it.

    Args:
        notes: Markdown, as whoever made the release wrote it.
        safe: has the secrets.
        url: where all of it is read.
    """
    text = safe.clean(notes[:_LONGEST_NOTES]).replace("\0", "")
    made = list(_blocks(_paragraphs(_MARKDOWN.parse(text))))
    if len(made) > MOST_BLOCKS or len(notes) > _LONGEST_NOTES:
        made = [*made[: MOST_BLOCKS - 1], section(link(url, words.ALL_NOTES))]
    return made


def _blocks(paragraphs: Iterator[str]) -> Iterator[Block]:
    """As many paragraphs in a section as it holds."""
    held: list[str] = []
    for paragraph in paragraphs:
        is_full = sum(map(len, held)) + 2 * len(held) + len(paragraph) > LONGEST_SECTION
        if held and (is_full or paragraph == _RULE):
            yield section("\n".join(held))
            held = []
        if paragraph == _RULE:
            yield divider()
        elif paragraph.strip():
            held.append(paragraph)
    if held:
        yield section("\n".join(held))


def _paragraphs(tokens: Sequence[Token]) -> Iterator[str]:
    """Lines of mrkdwn, none longer than a section."""
    around = _Around()
    for token in tokens:
        match token.type:
            case "tr_close":
                yield _cut(" | ".join(around.row or ()), _LONGEST_PARAGRAPH)
                around.row = None
            case "hr":
                yield _RULE
            case "fence" | "code_block":
                code = escaped(token.content.rstrip("\n")).replace("```", "'''")
                yield f"```\n{_cut(code, LONGEST_CODE)}\n```"
            case "inline" if around.row is not None:
                around.row.append(_inline(token.children or (), plain=False))
            case "inline":
                text = _inline(token.children or (), plain=around.is_heading)
                yield _cut(around.placed(text), _LONGEST_PARAGRAPH)
            case kind:
                around.move(kind, token)


@dataclass
class _Around:
    """What a paragraph stands in."""

    lists: list[int | None] = field(default_factory=list)
    """For each list: the next number, or None for bullets."""
    begins_item: bool = False
    quotes: int = 0
    is_heading: bool = False
    row: list[str] | None = None
    """The cells of a table's row so far."""

    def move(self, kind: str, token: Token) -> None:
        """Into something, or out of it."""
        match kind:
            case "heading_open" | "heading_close":
                self.is_heading = kind == "heading_open"
            case "bullet_list_open":
                self.lists.append(None)
            case "ordered_list_open":
                self.lists.append(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                self.lists.pop()
            case "list_item_open":
                self.begins_item = True
            case "blockquote_open" | "blockquote_close":
                self.quotes += 1 if kind == "blockquote_open" else -1
            case "tr_open":
                self.row = []

    def placed(self, text: str) -> str:
        """A paragraph with the sign of its list, as a heading, as a quotation."""
        if self.is_heading and text:
            text = f"*{text}*"
        if self.lists:
            indent = "    " * (len(self.lists) - 1)
            text = f"{indent}{self._sign()} {text}".replace("\n", f"\n{indent}   ")
        return "\n".join(f"> {line}" for line in text.split("\n")) if self.quotes else text

    def _sign(self) -> str:
        if not self.begins_item:
            return " "
        self.begins_item = False
        number = self.lists[-1]
        if number is None:
            return "•"
        self.lists[-1] = number + 1
        return f"{number}."


def _inline(tokens: Sequence[Token], *, plain: bool) -> str:
    """A line; `plain` is without the signs of a style, which do not nest."""
    parts: list[str] = []
    links: list[tuple[str, int]] = []
    for token in tokens:
        match token.type:
            case "text":
                parts.append(escaped(token.content) if links else _linked(token.content))
            case "code_inline":
                parts.append(f"`{escaped(token.content)}`")
            case "link_open":
                links.append((str(token.attrs.get("href", "")), len(parts)))
            case "link_close":
                url, start = links.pop()
                shown = "".join(parts[start:]) or escaped(url)
                parts[start:] = [link(url, shown)]
            case "image":
                parts.append(link(str(token.attrs.get("src", "")), escaped(token.content)))
            case "softbreak" | "hardbreak":
                parts.append("\n")
            case kind if kind in _STYLES and not plain:
                parts.append(_STYLES[kind])
    return "".join(parts).strip()


def _linked(text: str) -> str:
    """Addresses that stand in a text as links: those of GitHub as short as GitHub writes them."""
    parts, end = [], 0
    for found in _ADDRESS.finditer(text):
        parts += [escaped(text[end : found.start()]), link(found[0], _shown(found[0]))]
        end = found.end()
    return "".join([*parts, escaped(text[end:])])


def _shown(url: str) -> str:
    match = _ON_GITHUB.fullmatch(url)
    if match is None:
        return escaped(url)
    name = escaped(match[3])
    return f"`{name}`" if match[2] == "compare" else f"#{name}"


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    # Not in the middle of a link or an entity.
    kept = text[: most - 1]
    last_open, last_close = kept.rfind("<"), kept.rfind(">")
    if last_open > last_close:
        kept = kept[:last_open]
    return f"{kept.rpartition('&')[0] if '&' in kept[-6:] else kept}…"
