"""What the worker writes down of each step, in a file that outlives it, and what must hold of it."""

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Mark(StrEnum):
    """A moment in a step's life."""

    BEGINS = "begins"
    """Its work starts."""
    ENDS = "ends"
    """Its work is done; its answer is not kept yet."""
    KEPT = "kept"
    """Its answer is kept: from here on its work must not run again."""


@dataclass(frozen=True)
class Entry:
    """A line of the log."""

    mark: Mark
    target: str
    deployment: str
    step: str


class StepLog:
    """A file of entries; a line is written whole or not at all, whenever the writer is killed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._path.touch()
        self._lines = 0
        self._counted = 0

    def write(self, entry: Entry) -> None:
        """Add a line, in one system call."""
        line = f"{entry.mark}\t{entry.target}\t{entry.deployment}\t{entry.step}\n"
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)

    def read(self) -> tuple[Entry, ...]:
        """Every line so far."""
        lines = (line.split("\t") for line in self._path.read_text().splitlines())
        return tuple(Entry(Mark(mark), *rest) for mark, *rest in lines)

    def size(self) -> int:
        """The number of lines so far."""
        with self._path.open("rb") as file:
            file.seek(self._counted)
            new = file.read()
        self._counted += len(new)
        self._lines += new.count(b"\n")
        return self._lines


def repeated(entries: Iterable[Entry]) -> list[Entry]:
    """Work that began although its answer was kept."""
    kept: set[tuple[str, str]] = set()
    again = []
    for entry in entries:
        step = (entry.deployment, entry.step)
        if entry.mark is Mark.KEPT:
            kept.add(step)
        elif entry.mark is Mark.BEGINS and step in kept:
            again.append(entry)
    return again


def most_begins(entries: Iterable[Entry]) -> int:
    """How often the work began that began most often."""
    begins: dict[tuple[str, str], int] = defaultdict(int)
    for entry in entries:
        if entry.mark is Mark.BEGINS:
            begins[entry.deployment, entry.step] += 1
    return max(begins.values(), default=0)


def order(entries: Iterable[Entry]) -> dict[str, list[str]]:
    """For each target, its deployments in the order in which they took turns.

    Where two overlapped, one of them is there twice.
    """
    turns: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        if turns[entry.target][-1:] != [entry.deployment]:
            turns[entry.target].append(entry.deployment)
    return dict(turns)
