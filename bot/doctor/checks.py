"""All checks, in the order in which they are shown."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from bot.doctor import data, github, machine, pachyderm, slack, web, webhooks
from bot.doctor.finding import Check
from bot.settings import Settings


def all_checks(
    settings: Settings,
    *,
    repositories: Iterable[str] = (),
    pipelines: Mapping[str, pachyderm.Pipelines] = MappingProxyType({}),
) -> tuple[Check, ...]:
    """Those that the settings call for.

    Args:
        settings: they were read, so they are well formed.
        repositories: of images that were pushed lately.
        pipelines: that were updated lately, by cluster.
    """
    return (
        *data.checks(settings),
        *machine.checks(settings, repositories),
        *pachyderm.checks(settings, pipelines),
        *github.checks(settings),
        *webhooks.checks(settings),
        *slack.checks(settings),
        *web.checks(settings),
    )
