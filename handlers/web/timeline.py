"""When each stage ran, as a picture."""

from dataclasses import dataclass

from bot.domain.progress import Ended
from handlers.reports import words
from handlers.reports.board import Board

_LABEL, _SCALE, _DURATION = 88, 560, 72
_ROW, _BAR = 26, 16
_LEAST = 3
"""Pixels of the shortest bar: it has to be seen."""


@dataclass(frozen=True)
class Bar:
    """A stage."""

    x: float
    y: float
    width: float
    label: str
    duration: str
    ended: Ended | None
    height: int = _BAR


@dataclass(frozen=True)
class Timeline:
    """All stages, one below the other."""

    width: int
    height: int
    bars: tuple[Bar, ...]


def draw(board: Board, now: float) -> Timeline | None:
    """The picture; None before the first stage."""
    lines = sorted(board.stages.values(), key=lambda line: line.started_at)
    if not lines:
        return None
    start = lines[0].started_at
    spans = [
        (line.started_at - start, line.seconds if line.ended else max(now - line.started_at, 0.0))
        for line in lines
    ]
    whole = max(offset + seconds for offset, seconds in spans) or 1.0
    bars = tuple(
        Bar(
            x=round(_LABEL + offset / whole * _SCALE, 1),
            y=row * _ROW + (_ROW - _BAR) / 2,
            width=round(max(seconds / whole * _SCALE, _LEAST), 1),
            label=words.STAGES[line.stage],
            duration=words.duration(seconds),
            ended=line.ended,
        )
        for row, (line, (offset, seconds)) in enumerate(zip(lines, spans, strict=True))
    )
    return Timeline(_LABEL + _SCALE + _DURATION, len(bars) * _ROW, bars)
