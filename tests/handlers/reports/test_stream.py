"""A stream that goes away stops nobody."""

import io
import os
import subprocess
import sys

import pytest

from handlers.reports.stream import Output
from handlers.reports.words import ASCII, UNICODE

WRITER = """
import sys
from handlers.reports.stream import Output
out = Output(sys.stdout)
for number in range(100_000):
    out.write(f"line {number}\\n")
    out.flush()
sys.stderr.write("came to the end")
"""


def test_reader_that_goes_away_does_not_stop_the_writer() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    writer = subprocess.Popen(  # noqa: S603 - our own interpreter and text
        [sys.executable, "-c", WRITER],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    )
    assert writer.stdout is not None
    assert writer.stderr is not None
    assert writer.stdout.readline() == b"line 0\n"
    writer.stdout.close()
    said = writer.stderr.read()
    writer.stderr.close()
    assert (writer.wait(timeout=60), said) == (0, b"came to the end")


def test_closed_stream_takes_what_is_written() -> None:
    stream = io.StringIO()
    out = Output(stream)
    stream.close()
    assert out.write("text") == 4
    out.flush()


@pytest.mark.parametrize(("encoding", "marks"), [("utf-8", UNICODE), ("latin-1", ASCII)])
def test_signs_follow_the_encoding(encoding: str, marks: object) -> None:
    assert Output(io.TextIOWrapper(io.BytesIO(), encoding=encoding)).marks == marks


def test_character_that_the_encoding_lacks_is_replaced() -> None:
    raw = io.BytesIO()
    out = Output(io.TextIOWrapper(raw, encoding="latin-1"))
    out.write("ü ✓ \udcff")
    out.flush()
    assert raw.getvalue() == "ü ? ?".encode("latin-1")


def test_no_stream_at_all_takes_what_is_written() -> None:
    out = Output(None)
    assert (out.write("text"), out.isatty()) == (4, False)
    out.flush()


def test_closed_stream_is_no_terminal() -> None:
    stream = io.StringIO()
    stream.close()
    assert not Output(stream).isatty()


STANDARD = """
import sys, rich.console, rich.table
from handlers.reports.reporter import reporter_for
from handlers.reports.stream import standard_error, standard_output
reporter_for(sys.stdout, json=False).close()
out = standard_output()
out.write("ü\\n" * 10)
rich.console.Console(file=out).print(rich.table.Table("one", "two"))
out.flush()
standard_error().flush()
"""


@pytest.mark.parametrize("redirected", [">&-", "> /dev/full", ">&- 2>&-", "< /dev/null >&- <&-"])
def test_standard_output_that_takes_nothing_is_no_error(redirected: str) -> None:
    command = ["sh", "-c", f'exec "$@" {redirected}', "sh", sys.executable, "-c", STANDARD]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(command, check=False, stderr=subprocess.PIPE, env=environment)  # noqa: S603 - our own text
    assert (ended.returncode, ended.stderr) == (0, b"")
