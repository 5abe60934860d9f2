"""Slack in `pachops serve`: what is told there is heard and acted upon, deployments are told of.

Nothing that goes wrong with Slack ends or delays anything else.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from aiohttp import web

from bot.domain.deployment import Deployment
from bot.domain.slack import PATH
from bot.redact import Redactor
from bot.services.slack import Lines, Slack
from bot.settings import SlackSettings
from bot.store.database import Database
from bot.store.deliveries import Deliveries, Surface
from bot.store.identities import Identities
from bot.store.locks import Locks
from bot.store.subscriptions import Subscriptions
from handlers.commands import desk as commands
from handlers.inbox import Inbox
from handlers.reports.slack.follower import Lookups
from handlers.reports.slack.message import Approvers
from handlers.reports.slack.reporter import SlackReports
from handlers.reports.slack.safe import Safe
from handlers.slack.approvers import find_approvers
from handlers.slack.desk import Desk, GitHub
from handlers.slack.directory import Directory
from handlers.slack.events import Ear, handle
from handlers.slack.groups import SlackGroups

LOG = logging.getLogger(__name__)

MEND_SECONDS = 30.0
"""After an error of our own, before the work is taken up again."""

AnyDesk = TypeVar("AnyDesk", bound=commands.Desk)
Work = Callable[[], Coroutine[object, object, object]]


class SlackService:
    """Everything of Slack that a server runs.

    Args:
        settings: with a bot token.
        slack: the workspace.
        database: deliveries, links, subscriptions and reports.
        redactor: for all that is said.
        github: whose permissions decide.
        deployer: who carries out what is asked for.
        lookups: what the reports show beside what happened; who people are is found out here.
    """

    def __init__(
        self,
        settings: SlackSettings,
        slack: Slack,
        database: Database,
        redactor: Redactor,
        *,
        github: GitHub,
        deployer: commands.Deployer,
        lookups: Lookups,
    ) -> None:
        if settings.bot_token is None:
            msg = "Slack needs a bot token"
            raise ValueError(msg)
        self._settings = settings
        deliveries, identities = Deliveries(database), Identities(database)
        directory = Directory(slack, identities)
        groups = SlackGroups(slack, identities, directory.team)
        self._reports = SlackReports(
            database,
            redactor,
            slack,
            lookups=replace(
                lookups, find_user=directory.find_user, find_approvers=self._find_approvers
            ),
        )
        own = Desk(
            github=github,
            deployer=deployer,
            slack=slack,
            safe=Safe(redactor),
            identities=identities,
            subscriptions=Subscriptions(database),
            locks=Locks(database),
            groups=groups,
            slack_channel=settings.default_channel,
            look_again=self._reports.look_again,
            page=lookups.page,
        )
        self._desk, self._groups, self._team = own, groups, directory.team
        self._inbox = Inbox(deliveries, partial(handle, own), surface=Surface.SLACK)
        self._lines = Lines(
            settings.bot_token,
            Ear(deliveries, self._inbox.wake).take,
            secrets=settings.signing_secrets,
            base_url=settings.api_url,
        )

    async def _find_approvers(self, deployment: Deployment) -> Approvers:
        return await find_approvers(self._desk, self._groups, await self._team(), deployment)

    def add_to(self, app: web.Application) -> None:
        """Let the web server take Slack's requests, where they come that way."""
        if self._settings.mode == "http":
            app.router.add_post(PATH, self._lines.answer)

    @property
    def works(self) -> Sequence[Work]:
        """What runs for as long as the server does; none of it ends by itself."""
        token = self._settings.app_token
        works: list[tuple[str, Work]] = [
            ("the commands in Slack", self._inbox.run),
            ("the reports in Slack", self._reports.run),
        ]
        if self._settings.mode == "socket" and token is not None:
            works.append(("the socket to Slack", partial(self._lines.hold, token)))
        return [partial(_again_and_again, name, work) for name, work in works]


def with_slack(desk: AnyDesk, slack: Slack, database: Database) -> AnyDesk:
    """The same desk, where it is known who is who in Slack."""
    identities = Identities(database)
    groups = SlackGroups(slack, identities, Directory(slack, identities).team)
    return replace(
        desk, identities=identities, subscriptions=Subscriptions(database), groups=groups
    )


async def _again_and_again(name: str, work: Work) -> None:
    while True:
        try:
            await work()
        except Exception:
            LOG.exception("%s stopped, and begins again in %.0f s", name, MEND_SECONDS)
        await asyncio.sleep(MEND_SECONDS)
