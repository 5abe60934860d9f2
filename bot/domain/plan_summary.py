"""A plan in short, as it is kept with its deployment and drawn later: no specs, no contexts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from bot.domain.cleaning import cleaned
from bot.domain.plan import Change, Plan
from bot.domain.reasons import StoppedError
from bot.domain.spec import read_specs

PLAN = "plan"
"""The fact of a deployment that a summary is kept under."""


@dataclass(frozen=True)
class PlannedImage:
    """An image of a plan."""

    name: str
    reference: str
    is_there: bool
    """Whether the registry has its content already."""
    bases: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlannedPipeline:
    """A pipeline of a plan."""

    project: str
    name: str
    change: Change
    version: int | None
    image: str | None
    place: str
    differences: tuple[str, ...]
    reads: tuple[str, ...]
    """`project/repo` of everything that it reads, but for cron."""

    @property
    def full_name(self) -> str:
        """Project and name, which is also the name of its output."""
        return f"{self.project}/{self.name}"


@dataclass(frozen=True)
class PlanSummary:
    """What would be done, to what."""

    images: tuple[PlannedImage, ...] = ()
    pipelines: tuple[PlannedPipeline, ...] = ()


_SUMMARY = TypeAdapter(PlanSummary)


def summary(plan: Plan) -> PlanSummary:
    """The plan in short."""
    return PlanSummary(
        tuple(
            PlannedImage(each.name, each.reference, each.digest is not None, each.bases)
            for each in plan.images
        ),
        tuple(
            PlannedPipeline(
                project=each.project,
                name=each.name,
                change=each.change,
                version=each.version,
                image=each.image,
                place=each.place,
                differences=each.differences,
                reads=_reads(each.spec, each.project),
            )
            for each in plan.pipelines
        ),
    )


def plan_json(plan: PlanSummary, clean: Callable[[str], str]) -> Any:  # noqa: ANN401 - JSON
    """As it is kept, every text through `clean`."""
    return cleaned(_SUMMARY.dump_python(plan, mode="json"), clean)


def plan_from_json(value: object) -> PlanSummary:
    """What `plan_json` gave.

    Raises:
        ValueError: it is not that.
    """
    return _SUMMARY.validate_python(value)


def _reads(spec: str, project: str) -> tuple[str, ...]:
    try:
        inputs = read_specs("spec.json", spec)[0].inputs
    except StoppedError:
        # A spec that Pachyderm took before our rules were what they are: it is drawn alone.
        return ()
    return tuple(dict.fromkeys(f"{of or project}/{repo}" for of, repo in inputs))
