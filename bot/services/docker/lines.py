"""Output of builds and tests: bytes from outside in, clean lines out."""

import codecs
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

from pydantic import SecretStr

from bot.redact import Redactor

LONGEST = 16_384
"""Characters of one line; what is longer comes in pieces."""

_WIDEST = 12
"""Characters that one of a secret may become: a pair of \\uXXXX in JSON, four %XX in a URL."""

_UNWANTED = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, cursor
    r"|\x1b[\]P^_X][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles, links
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x08\x0a-\x1f\x7f-\x9f]"
    r"|[\u200e\u200f\u202a-\u202e\u2066-\u2069]"  # would turn the direction of what follows
)


def clean(text: str) -> str:
    """Take out what would steer a terminal or turn text around; tabs stay."""
    return _UNWANTED.sub("", text)


@dataclass(frozen=True)
class Mask:
    """Hides secrets; none of them takes more than `reach` characters, however it is written."""

    hide: Callable[[str], str]
    reach: int

    @classmethod
    def of(cls, secrets: Iterable[SecretStr]) -> Self:
        """The mask of these secrets."""
        secrets = tuple(secrets)
        longest = max((len(secret.get_secret_value()) for secret in secrets), default=0)
        return cls(Redactor(secrets).clean, longest * _WIDEST)


NO_MASK = Mask.of(())


class Lines:
    """Cuts a stream into lines without secrets.

    Of a line that overwrote itself the last state stays.
    """

    def __init__(self, mask: Mask = NO_MASK) -> None:
        self._mask = mask
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._open = ""

    def feed(self, chunk: bytes) -> list[str]:
        """The lines that are complete now."""
        *whole, self._open = (self._open + self._decode(chunk)).split("\n")
        lines = [self._mask.hide(_last_state(line)) for line in whole]
        if len(self._open) > LONGEST:
            # A progress bar may overwrite itself for hours before its line ends.
            self._open = _last_state(self._open)
        # A secret that has begun before the cut has ended within the mask's reach.
        while len(self._open) > LONGEST + self._mask.reach:
            lines.append(self._cut())
        return lines

    def end(self) -> list[str]:
        """What is left, though its line never ended."""
        rest = self._open + self._decode(b"", final=True)
        self._open = ""
        return [self._mask.hide(_last_state(rest))] if rest else []

    def _cut(self) -> str:
        """Take a piece off the open line, and no secret apart."""
        hide, text, at, step = self._mask.hide, self._open, LONGEST, 1
        hidden = hide(text)
        while at > 0 and hide(text[:at]) + hide(text[at:]) != hidden:
            at -= step
            step *= 2
        if at <= 0:
            text, at = hidden, LONGEST
        self._open = text[at:]
        return hide(text[:at])


def _last_state(line: str) -> str:
    return clean(line.rstrip("\r").rpartition("\r")[2])
