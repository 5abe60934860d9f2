"""What the demo says while it plays."""

import sys
import time


class WrongError(Exception):
    """A step did not do what it says."""


def act(number: int, title: str) -> None:
    """An act begins."""
    _write(f"\n{number}. {title}")


def does(text: str) -> None:
    """Somebody does something."""
    _write(f"   {text}")


def seen(where: str, what: str) -> None:
    """Something was looked for and found."""
    _write(f"   \N{CHECK MARK} {where:<10} {what}")


def line(text: str = "") -> None:
    """As it is."""
    _write(text)


def places(rows: dict[str, str]) -> None:
    """What is where."""
    width = max(map(len, rows))
    for name, place in rows.items():
        _write(f"  {name:<{width}}  {place}")


def expect(condition: object, otherwise: str) -> None:
    """WrongError, unless it is so."""
    if not condition:
        raise WrongError(otherwise)


def took(began: float) -> str:
    """How long it took since then, a time of `time.monotonic`."""
    return f"{time.monotonic() - began:.0f} s"


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
