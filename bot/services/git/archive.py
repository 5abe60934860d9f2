"""A git tree as a tar stream that cannot be taken for whole when it is not."""

import io
import subprocess
import tempfile
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, cast

from bot.services.git.process import GitFailedError, our_environment
from bot.services.processes import kill_group

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BLOCK = 512
_CHUNK = 128 * _BLOCK
_SPAN = 20 * 365 * 24 * 3600
_FROM = 946_684_800
"""2000-01-01: zip, and so Python's wheels, has no dates before 1980."""


class Archive(io.RawIOBase):
    """`git archive` of a tree: read to the end, or closed from any thread at any moment.

    The same tree gives the same bytes, so a builder that saw them need not unpack them again.
    Errors: what `failed` makes of git's failure, from the read that reaches the end.
    """

    def __init__(
        self, git_dir: str, tree: str, failed: Callable[[GitFailedError], Exception]
    ) -> None:
        super().__init__()
        self._failed = failed
        self._reading = threading.Lock()
        self._stopped = False
        self._ready = memoryview(b"")
        self._dates = _Dates(tree)
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the stream
        # BuildKit takes a context for a tar only if the first 1,024 bytes hold a whole header; with
        # the prefix that is `./`, however long the first file's name is.
        command = ["git", f"--git-dir={git_dir}", "archive", "--format=tar", "--prefix=./", tree]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - no shell, and no option comes from outside
                command,
                env=our_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                start_new_session=True,
            )
        except OSError:
            self._complaints.close()
            raise
        self._output = cast("BinaryIO", self._process.stdout)

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill the buffer as far as is ready; 0 at the end of a whole archive."""
        with self._reading:
            if self._stopped:
                raise ValueError("the archive was closed")
            if not self._ready:
                self._ready = memoryview(self._next_chunk())
            room = memoryview(buffer).cast("B")
            count = min(len(room), len(self._ready))
            room[:count] = self._ready[:count]
            self._ready = self._ready[count:]
            return count

    def __next__(self) -> bytes:
        """The next chunk: HTTP clients iterate over a body, and lines would be tiny."""
        chunk = self.read(_CHUNK)
        if not chunk:
            raise StopIteration
        return chunk

    def close(self) -> None:
        """Stop git. A read that is under way in another thread ends at once, with ValueError."""
        if self.closed or not hasattr(self, "_output"):
            return
        self._stopped = True
        if self._process.poll() is None:
            kill_group(self._process.pid)
        with self._reading:
            self._output.close()
            self._process.wait()
            self._complaints.close()
            super().close()

    def _next_chunk(self) -> bytes | bytearray:
        chunk = self._output.read(_CHUNK)
        if chunk:
            return self._dates.put_into(bytearray(chunk))
        status = self._process.wait()
        if self._stopped:
            raise ValueError("the archive was closed")
        if status:
            self._complaints.seek(0)
            text = self._complaints.read().decode(errors="replace")
            raise self._failed(GitFailedError(status, text))
        return chunk


class _Dates:
    """Replaces the time of the archive, which git writes into every header, by a fixed one.

    The date is made from the tree's id: with one date for all trees a file could change and keep
    both its size and its date, and Python would run an old .pyc. (From git 2.40 `--mtime` could
    do this.)
    """

    def __init__(self, tree: str) -> None:
        self._mtime = b"%011o" % (_FROM + int(tree[:12], 16) % _SPAN)
        self._next_header = 0

    def put_into(self, chunk: bytearray) -> bytearray:
        """Change the headers in a chunk; chunks come in order, each of whole blocks."""
        at = self._next_header
        while 0 <= at < len(chunk):
            at = self._change(chunk, at)
        self._next_header = at if at < 0 else at - len(chunk)
        return chunk

    def _change(self, chunk: bytearray, at: int) -> int:
        """Where the next header is; -1 where there is none, or none that can be understood."""
        if chunk[at + 257 : at + 262] != b"ustar":
            return -1
        old = chunk[at + 136 : at + 147]
        total = int(chunk[at + 148 : at + 155], 8) + sum(self._mtime) - sum(old)
        chunk[at + 136 : at + 147] = self._mtime
        chunk[at + 148 : at + 155] = b"%07o" % total
        size = int(chunk[at + 124 : at + 135], 8)
        return at + _BLOCK + (size + _BLOCK - 1) // _BLOCK * _BLOCK
