"""An output stream that may go away or lack characters, without an error for anybody."""

import io
import os
import sys
from collections.abc import Callable
from typing import TextIO

from handlers.reports.words import ASCII, UNICODE, Marks


class Output:
    """Writes to a stream until nobody reads it any more; then writes are dropped.

    A reader that closes its end (`pachops deploy | head`) must not stop the deployment. It
    is enough of a file for rich.
    """

    def __init__(self, out: TextIO | None) -> None:
        """None is what Python has for a stream that was closed before it started (`>&-`)."""
        self._out = out or _closed()
        self._gone = self._out.closed

    @property
    def encoding(self) -> str:
        """The stream's encoding."""
        return self._out.encoding or "utf-8"

    @property
    def marks(self) -> Marks:
        """The signs that the stream's encoding has."""
        return UNICODE if "utf" in self.encoding.lower() else ASCII

    def write(self, text: str) -> int:
        """Write text; characters that the encoding lacks become `?`."""
        if not self._gone:
            known = text.encode(self.encoding, "replace").decode(self.encoding)
            self._try(lambda: self._out.write(known))
        return len(text)

    def flush(self) -> None:
        """Hand over what was written."""
        if not self._gone:
            self._try(self._out.flush)

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return not self._gone and self._out.isatty()

    def fileno(self) -> int:
        """The stream's own."""
        return self._out.fileno()

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except (OSError, ValueError):
            # A broken pipe, a terminal that was closed (EIO), or a closed file.
            self._gone = True
            self._drop_the_rest()

    def _drop_the_rest(self) -> None:
        """Send what is still in the stream's buffer nowhere, so that its last flush is quiet."""
        try:
            descriptor = self._out.fileno()
        except (OSError, ValueError):
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)


def standard_output() -> Output:
    """The process's standard output, also where it is closed or its disk is full."""
    return Output(sys.stdout)


def standard_error() -> Output:
    """The process's standard error, likewise."""
    return Output(sys.stderr)


def _closed() -> TextIO:
    stream = io.StringIO()
    stream.close()
    return stream
