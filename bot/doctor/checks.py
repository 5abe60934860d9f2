"""All checks, in the order in which they are shown."""

from collections.abc import Iterable

from bot.doctor import data, github, machine, pachyderm, slack, web
from bot.doctor.finding import Check
from bot.settings import Settings


def all_checks(settings: Settings, *, repositories: Iterable[str]) -> tuple[Check, ...]:
    """Those that the settings call for.

    Args:
        settings: they were read, so they are well formed.
        repositories: of images that were pushed lately.
    """
    return (
        *data.checks(settings),
        *machine.checks(settings, repositories),
        *pachyderm.checks(settings),
        *github.checks(settings),
        *slack.checks(settings),
        *web.checks(settings),
    )
