"""A document of a spec file: its value, and where each part of it stands."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.domain.reasons import Code, StoppedError

Path = tuple[str | int, ...]
"""The keys and positions that lead to a part of a document."""

DEEPEST = 100
"""The most levels a document may have; pachd's own specs have about ten."""

_LONGEST_INT = 100


@dataclass(frozen=True)
class Document:
    """A spec as it was written, with `$schema` left out as pachctl leaves it out."""

    value: object
    line_of: Callable[[Path], int]
    """The line, from 1, on which a part begins."""

    def item(self, position: int) -> "Document":
        """One item of a document that is a list."""
        items = self.value if isinstance(self.value, list) else []
        return Document(items[position], lambda path: self.line_of((position, *path)))


class Number(float):
    """A number that remembers how it was written, so that nothing is rounded on the way."""

    def __init__(self, text: str) -> None:
        self.text = str(text)


def number(text: str) -> int | Number:
    """The value of a JSON number."""
    is_int = text.lstrip("-").isdigit() and len(text) <= _LONGEST_INT
    return int(text) if is_int else Number(text)


def shown(path: Path) -> str:
    """A path as people write it: `input.cross[0].pfs.repo`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.replace("_", "").replace("$", "").isalnum():
            text += f".{step}"
        else:
            text += f'["{step}"]'
    return text.removeprefix(".")


def refused(
    file: str, line: int, path: Path, fact: str, next_step: str | None = None
) -> StoppedError:
    """SPEC_INVALID for a part of a document."""
    return StoppedError(Code.SPEC_INVALID, fact, where=place(file, line, path), next_step=next_step)


def place(file: str, line: int, path: Path) -> str:
    """`pipelines/edges.yaml:12: transform.image`."""
    return f"{file}:{line}: {shown(path)}" if path else f"{file}:{line}"
