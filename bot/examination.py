"""`pachops doctor`: the checks that these settings and the deployments so far call for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.doctor.checks import all_checks
from bot.doctor.examine import examine
from bot.doctor.finding import good
from bot.doctor.pachyderm import Pipelines
from bot.domain.finding import Finding, Level
from bot.domain.reasons import StoppedError
from bot.redact import Redactor
from bot.settings import Settings
from bot.stages.go_back import prepared
from bot.store.database import Database
from bot.store.deployments import Deployments

_LOOK_BACK = 50
"""Deployments whose images' registries and pipelines' projects are looked at."""


@dataclass(frozen=True)
class _Lately:
    """Where deployments led lately."""

    repositories: frozenset[str] = frozenset()
    """Of images."""
    pipelines: Mapping[str, Pipelines] = field(default_factory=dict)
    """By cluster."""


async def examine_all(settings: Settings) -> tuple[Finding, ...]:
    """All findings."""
    lately = await _lately(settings)
    checks = all_checks(settings, repositories=lately.repositories, pipelines=lately.pipelines)
    found = await examine(checks, Redactor(settings.secrets()))
    return (good("settings", "they are well formed"), *found)


def has_faults(findings: Sequence[Finding]) -> bool:
    """Whether something does not work."""
    return any(each.level is Level.FAULT for each in findings)


async def _lately(settings: Settings) -> _Lately:
    database = Database.unprepared(settings.database_url)
    if database.path is not None and not database.path.exists():
        return _Lately()
    deployments = Deployments(database)
    try:
        found = await deployments.list(limit=_LOOK_BACK)
        updates = [await prepared(deployments, each.id) for each in found]
    except StoppedError:
        # The check of the database says why.
        return _Lately()
    finally:
        await database.close()
    pipelines: dict[str, set[tuple[str, str]]] = {}
    for update in updates:
        if update is not None:
            steps = {(step.project, step.name) for step in update.steps}
            pipelines.setdefault(update.destination.cluster, set()).update(steps)
    return _Lately(
        frozenset(image.repository for each in found for image in each.images), pipelines
    )
