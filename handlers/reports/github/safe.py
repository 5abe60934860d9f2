"""Text from outside made safe in GitHub's Markdown: it shows as it is and does nothing.

Nothing in it formats, links, mentions, refers to an issue, ends a fold or hides, and no
secret is in it.
"""

import html
import re
from collections.abc import Iterable, Sequence

from bot.redact import Redactor
from handlers.reports.github import words
from handlers.reports.text import cut_line, lines, one_line

UNSEEN = "\u200b"
"""A space without width. After a `@` it keeps GitHub from seeing a name there, which neither a
backslash nor an entity does."""

LONGEST_TEXT = 300
LONGEST_LINE = 400
"""Characters of a line of log."""
LONGEST_LOG = 12_000
"""Bytes of a log's end."""
LONGEST_BODY = 60_000
"""Bytes, although GitHub counts a comment's 65,536 in characters; the marker has to fit too."""
_RULE = "\n\n---\n\n"

_SPECIAL = re.compile(r"[\\`*_\[\]~|$]")
_LIVE = re.compile(r"@|\#|(?<=:)(?=//)|(?<=\bwww)(?=\.)|(?<=\bGH)(?=-\d)", re.IGNORECASE)
_AT_START = re.compile(r"^(?:(?=[-+=])|(\d+)(?=[.)]))")
_OWN_CODE = re.compile(r"`([^`]+)`")
_MARKUP = re.compile(r"<(?=!--|/?(?:details|summary))", re.IGNORECASE)


class Safe:
    """Writes text from outside; `redactor` has the secrets."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def line(self, text: str, most: int = LONGEST_TEXT) -> str:
        """For a field that is no Markdown: one line, no secrets, nobody mentioned."""
        inert = self._clean(text).replace("@", f"@{UNSEEN}")
        return cut_line(inert, most)

    def text(self, text: str, most: int = LONGEST_TEXT) -> str:
        """Within a line of Markdown, also in a table."""
        return _escaped(self._line(text, most))

    def html(self, text: str, most: int = LONGEST_TEXT) -> str:
        """Within HTML, where Markdown is not read."""
        return _inert(self._line(text, most))

    def rich(self, text: str, most: int = LONGEST_TEXT) -> str:
        """As `text`, but what stands in single backticks is code: our own words have commands."""
        parts: list[str] = []
        # Every second part is what the group matched.
        for number, part in enumerate(_OWN_CODE.split(self._line(text, most))):
            shown = _code(part) if number % 2 else _escaped(part)
            parts.append(shown or (" " if parts else ""))
        return "".join(parts).rstrip()

    def code(self, text: str, most: int = LONGEST_TEXT) -> str:
        """As code within a line, but not in a table; nothing where it is empty."""
        return _code(self._line(text, most))

    def fence(self, log: Sequence[str], most: int = LONGEST_LOG) -> str:
        """Lines of output as a block of code, the middle left out beyond `most` bytes."""
        whole = self._redactor.clean("\n".join(map(one_line, log)))
        shown = [cut_line(_MARKUP.sub(f"<{UNSEEN}", line), LONGEST_LINE) for line in _split(whole)]
        body = "\n".join(_both_ends(shown, most))
        marks = "`" * (max(2, _longest_run(body)) + 1)
        return f"{marks}text\n{body}\n{marks}"

    def clean(self, text: str) -> str:
        """The text as it is, without secrets: for what is neither shown nor Markdown."""
        return self._redactor.clean(text)

    def _line(self, text: str, most: int) -> str:
        # Masked before it is cut: half a secret would not be known again.
        return cut_line(self._clean(text), most)

    def _clean(self, text: str) -> str:
        return self._redactor.clean(" ".join(lines(text))).strip()


def size(text: str) -> int:
    """Bytes, which is never less than characters, however GitHub counts these."""
    return len(text.encode(errors="replace"))


def fitted(first: Iterable[str], middle: Iterable[str], last: Iterable[str], most: int) -> str:
    """Blocks of Markdown, one below the other; as many of the middle ones as there is room for.

    Only whole blocks are left out, so that no fence or fold is cut open. The first and the
    last blocks must fit.
    """
    head, body, foot = ([block for block in each if block] for each in (first, middle, last))
    left_out = False
    while body and size(joined(head, body, foot)) > most - size(words.LEFT_OUT) - 2:
        body.pop()
        left_out = True
    return joined(head, body, [words.LEFT_OUT] if left_out else [], foot)


def packed(texts: Iterable[str], most: int) -> list[str]:
    """Texts with a rule between them, in as few bodies as hold them whole."""
    bodies: list[str] = []
    for text in texts:
        longer = _RULE.join([*bodies[-1:], text])
        if bodies and size(longer) <= most:
            bodies[-1] = longer
        else:
            bodies.append(text)
    return bodies


def joined(*blocks: list[str]) -> str:
    """Blocks with an empty line between them."""
    return "\n\n".join(block for each in blocks for block in each)


def _escaped(text: str) -> str:
    # A list or a heading begins only where a line does.
    return _AT_START.sub(r"\1\\", _SPECIAL.sub(r"\\\g<0>", _inert(text)))


def _inert(text: str) -> str:
    return _LIVE.sub(rf"\g<0>{UNSEEN}", html.escape(text, quote=False))


def _code(text: str) -> str:
    if not text.strip():
        return ""
    marks = "`" * (_longest_run(text) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{marks}{space}{text}{space}{marks}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _split(text: str) -> list[str]:
    return text.split("\n") if text else []


def _both_ends(shown: list[str], most: int) -> list[str]:
    """The first quarter and the rest from the end: how it ended says why."""
    if size("\n".join(shown)) <= most:
        return shown
    room = most - size(words.lines_left_out(len(shown))) - 2
    first = _fitting(shown, room // 4)
    last = _fitting(shown[first:][::-1], room - room // 4)
    missing = words.lines_left_out(len(shown) - first - last)
    return [*shown[:first], missing, *shown[len(shown) - last :]]


def _fitting(shown: list[str], room: int) -> int:
    """How many lines from the beginning fit."""
    for number, line in enumerate(shown):
        room -= size(line) + 1
        if room < 0:
            return number
    return len(shown)
