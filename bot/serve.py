"""`pachops serve`: the web server, the engine and GitHub's deliveries in one process."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
)
from dataclasses import replace
from functools import partial

from bot.app import RUNNING, Bot, nobody, open_bot, open_database
from bot.domain.deployment import Actor, Commit, Deployment, Request, Trigger
from bot.domain.gate_facts import Standing
from bot.domain.gate_rules import Rules
from bot.domain.github import Permission
from bot.domain.plan import Plan
from bot.domain.reasons import StoppedError
from bot.garbage import keep_what_is_loaded
from bot.journal import Listener
from bot.listening import listening
from bot.readiness import Readiness
from bot.redact import logs_cleaned
from bot.release_changes import changes_of_release
from bot.retention import Cleaner
from bot.services.calls import UNCOUNTED, Calls
from bot.services.github import GitHub, webhook_url
from bot.services.slack import Slack
from bot.settings import Settings, SlackSettings
from bot.setup import wait_for_setup
from bot.signals import signals_set
from bot.site import open_site, report_link
from bot.slack_service import SlackService, Work, with_slack
from bot.store.approvals import Approvals
from bot.store.audit import Audit
from bot.store.awaiting import Awaiting
from bot.store.database import Database
from bot.store.deliveries import Deliveries
from bot.store.deployments import CancelResult, Deployments
from bot.store.duty import Duty
from bot.store.figures import FigureStore
from bot.store.identities import Identities
from bot.store.locks import Locks
from bot.store.names import Named
from bot.store.queue import Queue
from bot.store.renaming import names_of
from bot.store.values import JSON
from handlers.commands.second_look import SecondLook
from handlers.github.desk import Desk
from handlers.github.events import GREETINGS, WANTED, greet, handle
from handlers.github.hooks import OurHooks
from handlers.github.lock_notices import tell_on_pull_request
from handlers.github.redelivery import Redelivery
from handlers.github.webhook import Webhook
from handlers.inbox import Inbox
from handlers.lock_notices import LockNotices, Tell
from handlers.reports.github.marks import NORMAL, WITHOUT_APP
from handlers.reports.github.origin import Origin
from handlers.reports.github.reporter import GitHubReports
from handlers.reports.github.repository import Repository
from handlers.reports.github.safe import Safe
from handlers.reports.slack.follower import Lookups
from handlers.slack.lock_notices import ChannelMessages, DirectMessages
from handlers.web.app import web_app
from handlers.web.metrics import Metrics

LOG = logging.getLogger(__name__)

PREFETCH_SECONDS = 60.0


class BotDeployer:
    """What the handlers of events ask of the bot."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    @property
    def deployments(self) -> Deployments:
        """All that there are."""
        return self._bot.deployments

    @property
    def approvals(self) -> Approvals:
        """What waits for others, and what they said."""
        return self._bot.approvals

    @property
    def awaiting(self) -> Awaiting:
        """What is asked for by itself when the checks of its commit have succeeded."""
        return self._bot.awaiting

    @property
    def locks(self) -> Locks:
        """Who keeps others from deploying."""
        return self._bot.locks

    @property
    def queue(self) -> Queue:
        """Who is before whom."""
        return self._bot.queue

    @property
    def audit(self) -> Audit:
        """What was done."""
        return self._bot.audit

    def clean(self, text: str) -> str:
        """Without secrets: for what is written down."""
        return self._bot.redactor.clean(text)

    async def submit(self, deployment: Deployment, facts: Mapping[str, JSON]) -> None:
        """Write it down with its facts and put it in line; nothing where its id is there."""
        await self._bot.engine.submit(deployment, facts)
        await self._bot.say_place(deployment)

    async def cancel(
        self, deployment: str, by: Actor, *, how: str = "", once: str | None = None
    ) -> CancelResult:
        """Ask it to stop; `how` says by what, where that was no command; `once` as in the audit."""
        return await self._bot.engine.cancel(deployment, by, how=how, once=once)

    async def rename(self, before: Named, after: Named, by: Actor, *, once: str) -> None:
        """What is kept of a repository goes on under its new name."""
        await self._bot.engine.rename(before, after, by, once=once)

    async def names_of(self, place: str, owner: str) -> Collection[str]:
        """The repositories of an account that are known, whose addresses begin with `place`."""
        return await self._bot.database.read(lambda connection: names_of(connection, place, owner))

    async def other_spellings(self, address: str) -> Sequence[str]:
        """In which other ways something is kept of a repository."""
        return await self._bot.addresses.other_spellings(address)

    async def resolve(self, repository: str, ref: str) -> Commit:
        """The commit that a ref is at."""
        return await self._bot.git.resolve(repository, ref)

    def narrow(self, rules: Rules, repository: str) -> Rules:
        """A repository's rules within the operator's own."""
        return self._bot.settings.narrow(rules, repository)

    async def standing(self, repository: str, environment: str) -> Standing:
        """The locks of an environment, and whether a rollback holds it."""
        return await self._bot.standing(repository, environment)

    async def plan(self, request: Request) -> Plan:
        """What it would do."""
        return await self._bot.plan(request)

    async def rollback_request(
        self, repository: str, environment: str, steps: int, trigger: Trigger, actor: Actor
    ) -> Request:
        """The request that takes a target back."""
        return await self._bot.rollback_request(repository, environment, steps, trigger, actor)


class Server:
    """A bot that listens; put together from the settings, and run once.

    Raises:
        StoppedError: BAD_SETTINGS where the settings have no login or no webhook secret.
    """

    def __init__(
        self,
        settings: Settings,
        bot: Bot,
        database: Database,
        metrics: Metrics,
        slack: Slack | None = None,
    ) -> None:
        self._settings = settings
        self.bot = bot
        self._github = github = bot.github()
        redactor = bot.redactor
        deliveries = Deliveries(database)
        desk = replace(_desk(settings, bot, github, slack), deliveries=deliveries)
        bot.second_look = SecondLook(desk)
        self._inbox = Inbox(
            deliveries,
            partial(handle, desk),
            greet=dict.fromkeys(GREETINGS, partial(greet, desk)),
            is_away=github.is_away,
        )
        webhook = Webhook(settings.github.webhook_secrets, WANTED, deliveries, self._inbox.wake)
        self._duty = Duty(database)
        self.readiness = Readiness(
            database, lambda: bot.engine.is_running, lambda: self._duty.is_ours
        )
        site = open_site(settings, database, self.readiness.stopping, partial(_permission, github))
        self._app = web_app(
            metrics.timed(webhook.answer, frozenset(WANTED)),
            deliveries.count_waiting,
            ready=self.readiness.check,
            site=site,
            metrics=metrics.answer,
        )
        self._redelivery = Redelivery(
            OurHooks(github, deliveries, webhook_url(settings.web.public_url)), deliveries
        )
        page = report_link(settings)
        self._reports: list[Work] = [
            GitHubReports(
                database,
                redactor,
                partial(_repository, github),
                page=page,
                word=settings.github.word,
                ration=NORMAL if github.is_app else WITHOUT_APP,
            ).run
        ]
        if slack is not None:
            changes = partial(changes_of_release, bot.git, bot.deployments)
            service = SlackService(
                settings.slack,
                slack,
                database,
                redactor,
                github=github,
                deployer=desk.deployer,
                lookups=Lookups(page, find_changes=changes),
            )
            service.add_to(self._app)
            self._reports += service.works
        tell: list[Tell] = [partial(tell_on_pull_request, desk)]
        if slack is not None:
            tell.insert(0, DirectMessages(slack, Identities(database), redactor).tell)
            tell.append(ChannelMessages(slack, bot.channels, redactor).tell)
        self._lock_notices = LockNotices(bot.locks, tell)
        self.addresses: list[str] = []
        """Where it listens, once it does."""
        self.listening = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set.

        What was acknowledged is on disk, so whatever is under way then is taken up at the next
        start. Errors: also those of `Engine.start`, DATA_DIR_UNUSABLE, and BAD_SETTINGS where the port
        is taken.
        """
        await self.bot.git.ready()
        await self.bot.engine.start()
        keep_what_is_loaded()
        async with _in_background(
            self._duty.carry_out(self._work), Cleaner(self.bot).run(), stop=stop
        ):
            async with self._listening():
                await stop.wait()
                # Before the listener closes, so that nobody is sent here any more.
                self.readiness.stopping.set()
            LOG.info("stopping")
            await self.bot.engine.drain(self._settings.timeouts.stop)

    async def _ask_github(self) -> None:
        """Fetch what first calls would wait for, then look for missed deliveries again and again."""
        try:
            async with asyncio.timeout(PREFETCH_SECONDS):
                LOG.debug("%d tokens of GitHub are there", await self._github.prefetch())
        except (StoppedError, TimeoutError) as error:
            # Whoever needs one asks again.
            LOG.warning("GitHub's tokens could not be fetched yet: %r", error)
        await self._redelivery.run()

    async def _work(self) -> None:
        """What two servers must not both do."""
        stop = asyncio.Event()
        async with _in_background(
            self._inbox.run(),
            self._ask_github(),
            self._lock_notices.run(),
            *(follow() for follow in self._reports),
            stop=stop,
        ):
            await stop.wait()

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        place = self._settings.web
        async with listening(self._app, place.host, place.port, "PACHOPS_WEB_PORT") as addresses:
            self.addresses = addresses
            self.listening.set()
            yield


@asynccontextmanager
async def open_server(settings: Settings) -> AsyncIterator[Server]:
    """A server that does not listen yet. Errors: those of `Server`, and of the database."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings))
        metrics = Metrics(
            FigureStore(database), Deliveries(database), token=settings.web.metrics_token
        )
        slack = _join(settings.slack, metrics)
        if slack is not None:
            stack.push_async_callback(slack.close)
        bot = Bot(
            settings,
            database,
            nobody,
            running=settings.running_deployments,
            stays=True,
            calls=metrics,
        )
        stack.push_async_callback(bot.close)
        stack.enter_context(logs_cleaned(bot.redactor))
        yield Server(settings, bot, database, metrics, slack)


@asynccontextmanager
async def open_worker(
    settings: Settings,
    listener: Callable[[str], Listener] = nobody,
    *,
    running: int = RUNNING,
    stays: bool = False,
    calls: Calls = UNCOUNTED,
) -> AsyncIterator[Bot]:
    """A bot that runs what others were asked for; with a login on GitHub it asks again itself."""
    async with AsyncExitStack() as stack:
        bot = await stack.enter_async_context(
            open_bot(settings, listener, running=running, stays=stays, calls=calls)
        )
        if settings.github.has_login:
            slack = _join(settings.slack, calls)
            if slack is not None:
                stack.push_async_callback(slack.close)
            bot.second_look = SecondLook(_desk(settings, bot, bot.github(), slack))
        yield bot


def _desk(settings: Settings, bot: Bot, github: GitHub, slack: Slack | None) -> Desk:
    desk = Desk(
        github=github,
        deployer=BotDeployer(bot),
        safe=Safe(bot.redactor),
        word=settings.github.word,
        takes_forks=settings.allow_forks,
        app_id=settings.github.app_id,
        slack_channel=settings.slack.default_channel,
    )
    return with_slack(desk, slack, bot.database) if slack is not None else desk


async def serve(
    load: Callable[[], Settings],
    say: Callable[[str], None],
    noted: Callable[[Bot], AbstractAsyncContextManager[None]] = lambda _bot: nullcontext(),
) -> None:
    """Serve until SIGTERM or Ctrl-C; a second one ends the process at once.

    Without a login on GitHub there is only the page that makes one, and then the bot.

    Args:
        load: reads the settings, again after a set-up.
        say: writes a line on the terminal, where the set-up's code goes.
        noted: what it is carried out in.
    """
    settings, stop = load(), asyncio.Event()
    with signals_set(stop):
        if not settings.github.has_login:
            if not await wait_for_setup(settings, stop, say):
                return
            settings = load()
        async with open_server(settings) as server, noted(server.bot):
            await server.run(stop)


def _join(settings: SlackSettings, calls: Calls) -> Slack | None:
    if settings.bot_token is None:
        return None
    return Slack(settings.bot_token, base_url=settings.api_url, calls=calls)


def _repository(github: GitHub, origin: Origin) -> Repository:
    return github.for_repository(origin.owner, origin.name, origin.installation)


async def _permission(github: GitHub, owner: str, name: str, login: str) -> Permission:
    return await github.for_repository(owner, name).permission(login)


@asynccontextmanager
async def _in_background(
    *works: Coroutine[object, object, object], stop: asyncio.Event
) -> AsyncIterator[None]:
    """Run them meanwhile; where one fails, all is stopped, and that is raised at the end."""
    tasks = [asyncio.create_task(work) for work in works]

    def ended(_task: asyncio.Task[object]) -> None:
        stop.set()

    for task in tasks:
        task.add_done_callback(ended)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()
