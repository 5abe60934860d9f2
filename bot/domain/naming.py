"""Which rows of the audit are a repository's own, though it was renamed and they were not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Renaming:
    """That a repository got another name."""

    seq: int
    """The number of its row."""
    before: str
    after: str


@dataclass(frozen=True)
class Span:
    """Rows that have the repository under one name."""

    name: str
    after: int = 0
    """The name was another repository's up to here."""
    before: int | None = None
    """And is no more of this one from here on; None: it still is."""

    def has(self, name: str | None, seq: int) -> bool:
        """Whether a row is one of them."""
        is_in_time = self.after < seq and (self.before is None or seq < self.before)
        return name == self.name and is_in_time


def spans_of(name: str, renamings: Sequence[Renaming]) -> tuple[Span, ...]:
    """Those of the repository that has this name now, the newest first."""
    return tuple(_spans(name, sorted(renamings, key=lambda each: each.seq), None))


def _spans(name: str, renamings: Sequence[Renaming], before: int | None) -> Iterator[Span]:
    earlier = [each for each in renamings if before is None or each.seq < before]
    # Who left the name was another repository.
    left = max((each.seq for each in earlier if each.before == name), default=0)
    yield Span(name, left, before)
    for came in reversed(earlier):
        # Several come, where one was written in several ways.
        if came.after == name and came.seq > left:
            yield from _spans(came.before, earlier, came.seq)
