"""The arguments and options that several commands have."""

from collections.abc import Callable
from typing import Annotated, TypeVar

import typer

from bot.domain.reasons import Code, StoppedError

T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Repository = Annotated[
    str, typer.Argument(metavar="PATH|URL", help="The repository; a local one by its path.")
]
Identity = Annotated[str, typer.Argument(metavar="ID", help="A deployment's id, or a part of it.")]


def read(option: str, read: Callable[[str], T], text: str) -> T:
    """An option's value; BAD_COMMAND where it is none."""
    try:
        return read(text)
    except ValueError as error:
        raise StoppedError(Code.BAD_COMMAND, f"{option} {error}") from error
