"""What the benchmark prints."""

from dataclasses import dataclass


class MeasureError(Exception):
    """A run that was to be measured failed."""


@dataclass(frozen=True)
class Row:
    """One target and what was measured."""

    name: str
    target: str
    measured: str
    baseline: str
    ratio: float
    met: bool

    def __str__(self) -> str:
        verdict = "ok" if self.met else "MISS"
        return (
            f"{self.name:<26}{self.target:<12}{self.measured:>10}{self.baseline:>12}"
            f"{self.ratio:>8.2f}  {verdict}"
        )
