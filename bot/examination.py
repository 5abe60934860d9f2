"""`pachops doctor`: the checks that these settings and the deployments so far call for."""

from collections.abc import Sequence

from bot.doctor.checks import all_checks
from bot.doctor.examine import examine
from bot.doctor.finding import good
from bot.domain.finding import Finding, Level
from bot.domain.reasons import StoppedError
from bot.redact import Redactor
from bot.settings import Settings
from bot.store.database import Database
from bot.store.deployments import Deployments

_LOOK_BACK = 50
"""Deployments whose images' registries are looked at."""


async def examine_all(settings: Settings) -> tuple[Finding, ...]:
    """All findings."""
    checks = all_checks(settings, repositories=await _repositories(settings))
    found = await examine(checks, Redactor(settings.secrets()))
    return (good("settings", "they are well formed"), *found)


def has_faults(findings: Sequence[Finding]) -> bool:
    """Whether something does not work."""
    return any(each.level is Level.FAULT for each in findings)


async def _repositories(settings: Settings) -> frozenset[str]:
    """Where images were pushed to lately."""
    database = Database.unprepared(settings.database_url)
    if database.path is not None and not database.path.exists():
        return frozenset()
    try:
        found = await Deployments(database).list(limit=_LOOK_BACK)
    except StoppedError:
        # The check of the database says why.
        return frozenset()
    finally:
        await database.close()
    return frozenset(image.repository for each in found for image in each.images)
