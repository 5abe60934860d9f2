"""Text from outside, made safe to show: nothing in it is ever interpreted."""

import hashlib
import re

_TERMINAL_SEQUENCE = re.compile(
    r"""
    (?: \x1b\[ | \x9b ) [0-?]* [ -/]* [@-~]          # CSI: colours, cursor
    | (?: \x1b\] | \x9d ) [^\x07\x1b\x9c\x9d]* (?: \x07 | \x1b\\ | \x9c )   # OSC: titles, links
    | \x1b [PX^_] [^\x1b]* \x1b\\                    # DCS, SOS, PM, APC
    | \x1b [ -/]* [0-~]                              # the short ones
    """,
    re.VERBOSE,
)
_HARMLESS_FORMATS = "\u200d"
"""Joins emoji; it hides nothing."""


def one_line(text: str) -> str:
    """The text on one line: terminal sequences dropped, other control characters as escapes.

    Of a line that overwrote itself with carriage returns, as progress bars do, the last state
    is kept.
    """
    if text.isascii() and text.isprintable():
        return text
    plain = _TERMINAL_SEQUENCE.sub("", text)
    last = next((part for part in reversed(plain.split("\r")) if part.strip()), "")
    return "".join(map(_shown, last.expandtabs(4)))


def lines(text: str) -> list[str]:
    """The lines of a text, each made safe as by `one_line`; none where it is empty."""
    return [one_line(line) for line in text.strip("\r\n").split("\n")] if text.strip() else []


def cut_line(text: str, most: int) -> str:
    """At most `most` characters, with an ellipsis for what is missing of the middle."""
    if len(text) <= most:
        return text
    tail = (most - 1) // 2
    return f"{text[: most - 1 - tail]}…{text[len(text) - tail :]}"


def fingerprint(text: str) -> str:
    """Tells whether a text is another."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]


def _shown(character: str) -> str:
    if character.isprintable() or character in _HARMLESS_FORMATS or character == "\u00a0":
        return character
    if character.isspace():
        return " "
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
