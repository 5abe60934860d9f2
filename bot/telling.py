"""Slack hears of what a command deploys itself: on SQLite no `serve` is at work beside it.

It costs a command nothing where Slack is not set up, and little where Slack is away.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from bot.app import Bot
from bot.domain.reasons import StoppedError
from bot.release_changes import changes_of_release
from bot.settings import Settings
from bot.store.identities import Identities

if TYPE_CHECKING:
    from bot.services.slack import Slack
    from handlers.reports.slack.follower import Lookups
    from handlers.reports.slack.reporter import SlackReports

LOG = logging.getLogger(__name__)

LAST_WORDS_SECONDS = 5.0
"""How long a command stays for a Slack that takes nothing to hear how it ended. What is left is said
by the next one, or by `serve`, on the same database."""
LONGEST_WORDS_SECONDS = 30.0
"""How long in all: Slack takes one message a second in a channel, and much may be left to say."""


@asynccontextmanager
async def slack_told(bot: Bot, unheard: Callable[[], None]) -> AsyncIterator[None]:
    """While this lasts, what is told of in Slack is told; at its end, how it ended.

    `unheard` is called where Slack has not heard of every end yet.
    """
    token = bot.settings.slack.bot_token
    if token is None or bot.database.path is None:
        yield
        return
    # These take a third of a second to load.
    from bot.services.slack import Slack  # noqa: PLC0415
    from handlers.reports.slack.reporter import SlackReports  # noqa: PLC0415

    slack = Slack(token, base_url=bot.settings.slack.api_url)
    reports = SlackReports(bot.database, bot.redactor, slack, lookups=_lookups(bot, slack))
    telling = asyncio.create_task(reports.run())
    try:
        yield
        if not await _has_heard(reports):
            unheard()
    finally:
        telling.cancel()
        await asyncio.wait({telling})
        await slack.close()


async def _has_heard(reports: "SlackReports") -> bool:
    try:
        return await reports.ends_told(silence=LAST_WORDS_SECONDS, longest=LONGEST_WORDS_SECONDS)
    except StoppedError:
        # How it ended is known, whatever becomes of the telling.
        return False


def _lookups(bot: Bot, slack: "Slack") -> "Lookups":
    """Of what `serve` was asked for, an end that is told here is not told by it again."""
    from handlers.reports.slack.follower import Lookups  # noqa: PLC0415 - see above
    from handlers.slack.directory import Directory  # noqa: PLC0415

    return Lookups(
        _page(bot.settings),
        find_user=Directory(slack, Identities(bot.database)).find_user,
        find_changes=partial(changes_of_release, bot.git, bot.deployments),
        hears=False,
    )


def _page(settings: Settings) -> Callable[[str], str | None]:
    if settings.web.public_url is not None:
        from bot.site import report_link  # noqa: PLC0415 - see above; the web server's parts too

        try:
            return report_link(settings)
        except StoppedError as stopped:
            # What is wrong with the pages is no reason not to deploy.
            LOG.warning("Slack is shown no pages: %s", stopped)
    return lambda _deployment: None
