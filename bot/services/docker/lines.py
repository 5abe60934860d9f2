"""Output of builds and tests: bytes from outside in, clean lines out."""

import codecs
import re

LONGEST = 16_384
"""Characters of one line; what is longer comes in pieces."""

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


class Lines:
    """Cuts a stream into lines; of a line that overwrote itself the last state stays."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._open = ""

    def feed(self, chunk: bytes) -> list[str]:
        """The lines that are complete now."""
        *whole, self._open = (self._open + self._decode(chunk)).split("\n")
        lines = [_last_state(line) for line in whole]
        if len(self._open) > LONGEST:
            # A progress bar may overwrite itself for hours before its line ends.
            self._open = _last_state(self._open)
        while len(self._open) > LONGEST:
            lines.append(clean(self._open[:LONGEST]))
            self._open = self._open[LONGEST:]
        return lines

    def end(self) -> list[str]:
        """What is left, though its line never ended."""
        rest = self._open + self._decode(b"", final=True)
        self._open = ""
        return [_last_state(rest)] if rest else []


def _last_state(line: str) -> str:
    return clean(line.rstrip("\r").rpartition("\r")[2])
