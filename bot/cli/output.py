"""What a command says, where its output is a terminal, a file or a pipe."""

from typing import IO, cast

from rich.console import Console, RenderableType

from handlers.reports.stream import Output, standard_output

LONGEST_LINE = 1 << 16


def write(line: str) -> None:
    """A line, as it is."""
    standard_output().write(line + "\n")


def tell(line: str) -> None:
    """At once, also where the output is a pipe: somebody waits for it."""
    write(line)
    standard_output().flush()


def draw(renderable: RenderableType) -> None:
    """What rich lays out and colours."""
    console(standard_output()).print(renderable)


def console(out: Output) -> Console:
    """Draws there; in a file or a pipe a line stays one line, for grep."""
    width = None if out.isatty() else LONGEST_LINE
    return Console(file=cast(IO[str], out), width=width, highlight=False)
