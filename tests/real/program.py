"""Programs that start others, run to their end, which comes at the latest with their time-out."""

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

ORDERLY_END = 60.0
"""How long one that was interrupted may take to end what it has started."""


def run_program(
    command: Sequence[str | Path],
    *,
    timeout: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    orderly_end: float = ORDERLY_END,
) -> "subprocess.CompletedProcess[str]":
    """Run it without input; what it said goes to files.

    A pipe would be read until the last of the programs that it has started ends, also after a
    time-out: one that is left over would hold up whoever waits, for ever.

    Raises:
        subprocess.TimeoutExpired: it was interrupted and, with its group, ended; with what it said.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with _started(command, out, err, cwd, env, orderly_end) as process:
            try:
                status = process.wait(timeout)
            except subprocess.TimeoutExpired as late:
                _end(process, orderly_end)
                late.output, late.stderr = _said(out).encode(), _said(err).encode()
                late.add_note(f"It said: {_said(out)[-4000:]}{_said(err)[-4000:]}")
                raise
        return subprocess.CompletedProcess(list(command), status, _said(out), _said(err))


@contextlib.contextmanager
def _started(
    command: Sequence[str | Path],
    out: IO[bytes],
    err: IO[bytes],
    cwd: Path | None,
    env: Mapping[str, str] | None,
    orderly_end: float,
) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(  # noqa: S603 - the caller's own
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
        start_new_session=True,  # so that its group can be ended as a whole
    )
    try:
        yield process
    finally:
        _end(process, orderly_end)


def _end(process: "subprocess.Popen[bytes]", orderly_end: float) -> None:
    """As Ctrl-C does, then for good; nothing where it has ended by itself."""
    for signum, patience in ((signal.SIGINT, orderly_end), (signal.SIGKILL, None)):
        if process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signum)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)


def _said(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
