"""The composition root: settings in, a bot out."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from bot.addresses import Addresses
from bot.domain.deployment import (
    Actor,
    Commit,
    Deployment,
    Kind,
    Request,
    Trigger,
)
from bot.domain.gate_facts import Standing
from bot.domain.gate_rules import EnvironmentRules, Rules
from bot.domain.plan import Plan
from bot.domain.progress import InLine
from bot.domain.queue import in_line
from bot.domain.reasons import Code, Reason, StoppedError
from bot.domain.trust import Trust
from bot.engine.engine import Engine
from bot.engine.run import Run
from bot.git_logins import GitLogins
from bot.journal import Journal, Listener
from bot.logs import about
from bot.redact import Redactor, logs_cleaned
from bot.ruling import Ruled, declared_and_ruling, reach_by, ruled, rules_at_terminal
from bot.services.calls import UNCOUNTED, Calls
from bot.services.git import Git
from bot.services.logins import Login
from bot.services.registry import Registry
from bot.settings import Settings
from bot.stages.go_back import plan_return
from bot.stages.source import open_default, open_source
from bot.stages.turns import Turns
from bot.store.approvals import Approvals
from bot.store.audit import Audit
from bot.store.awaiting import Awaiting
from bot.store.database import Database
from bot.store.deployments import WANTED, Deployments
from bot.store.locks import Locks
from bot.store.progress import ProgressLog
from bot.store.queue import Queue
from bot.store.standing import standing_of
from bot.store.values import JSON
from handlers.reports import words
from handlers.reports.slack.origin import ORIGIN as SLACK
from handlers.reports.slack.origin import told_in

if TYPE_CHECKING:
    # With what they import, these are 50 MB: nothing for a `serve` that waits for work.
    from bot.services.docker import Buildx, DockerEngine, EnginePool
    from bot.services.github import GitHub
    from bot.services.pachyderm import Pachyderm
    from bot.stage_work import SecondLook
    from bot.workflow import Workflow

LOG = logging.getLogger(__name__)

_WITHOUT_RULES = frozenset(
    {Code.REPOSITORY_UNKNOWN, Code.REF_UNKNOWN, Code.BRANCH_UNCLEAR, Code.PROJECT_INVALID}
)
"""Of such a repository it is not known later either which channels are told."""
RUNNING = 200
"""Deployments at a time where nobody said another number."""


class Bot:
    """Everything that a deployment needs, put together from the settings."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        listener: Callable[[str], Listener],
        *,
        running: int = RUNNING,
        stays: bool = False,
        calls: Calls = UNCOUNTED,
    ) -> None:
        self._calls = calls
        self.settings = settings
        self.second_look: SecondLook = self._refuse_what_was_asked_elsewhere
        self.database = database
        self.deployments = Deployments(database)
        self.approvals = Approvals(database)
        self.audit = Audit(database)
        self.awaiting = Awaiting(database)
        self.locks = Locks(database)
        self.queue = Queue(database)
        self.progress = ProgressLog(database)
        self.redactor = Redactor(settings.secrets())
        self.engine = Engine(database, self._carry_out, max_running=running, stays=stays)
        self.git = Git(
            settings.data_dir / "mirrors",
            find_login=GitLogins(settings, self._git_login_of_app),
            timeout=settings.timeouts.source,
        )
        self.addresses = Addresses(database, self.git, settings.github.git_url)
        self.registry = Registry(_find_login, insecure=settings.insecure_registries, calls=calls)
        self.public_registry = Registry(
            lambda _host: None, insecure=settings.insecure_registries, calls=calls
        )
        self.turns = Turns()
        self._listener = listener
        self._pool: EnginePool | None = None
        self._clusters: dict[str, Pachyderm] = {}
        self._github: GitHub | None = None

    async def docker(self, repository: str) -> "DockerEngine":
        """The engine for a repository, connected when the first build needs it."""
        from bot.services.docker import EnginePool  # noqa: PLC0415 - see above

        if self._pool is None:
            self._pool = EnginePool(self.settings.docker_host, self._connect)
        return await self._pool.engine_for(repository)

    @property
    def connected_engines(self) -> "tuple[DockerEngine, ...]":
        """Those that were needed so far."""
        return self._pool.connected if self._pool else ()

    async def _connect(self, host: str | None) -> "DockerEngine":
        from bot.services.docker import DockerEngine  # noqa: PLC0415 - see above

        return await DockerEngine.connect(
            host, find_login=_find_login, secrets=self.settings.secrets()
        )

    @cached_property
    def buildx(self) -> "Buildx | None":
        """What builds instead of an engine, where the settings name one."""
        from bot.services.docker import Buildx  # noqa: PLC0415 - see above

        found = self.settings.buildx
        if found is None:
            return None
        return Buildx(found.builder, cache=found.cache, secrets=self.settings.secrets())

    def github(self) -> "GitHub":
        """GitHub, logged in to when it is first needed; BAD_SETTINGS where that cannot be."""
        if self._github is None:
            # It takes a third of a second to import, and most command lines do without.
            from bot.github_login import log_in  # noqa: PLC0415
            from handlers.reports.github.words import OWN_CHECKS  # noqa: PLC0415

            self._github = log_in(self.settings.github, self.redactor, self._calls)
            self._github.name_checks(OWN_CHECKS)
        return self._github

    async def _git_login_of_app(self, owner: str, name: str, refused: Login | None) -> Login | None:
        return await self.github().for_repository(owner, name).git_login(refused=refused)

    def pachyderm(self, cluster: str) -> "Pachyderm":
        """The client of a cluster of the settings."""
        from bot.services.pachyderm import Pachyderm  # noqa: PLC0415 - see above

        if cluster not in self._clusters:
            found = self.settings.cluster(cluster)
            self._clusters[cluster] = Pachyderm(
                found.address, token=found.token, root_certs=found.root_certs, calls=self._calls
            )
        return self._clusters[cluster]

    async def plan(self, request: Request) -> Plan:
        """What the request would do; nothing is touched."""
        await asyncio.to_thread(_load_workflow)
        from bot.stages.build import check_platforms, check_secrets  # noqa: PLC0415 - see above
        from bot.stages.fork import DefaultBranch, check_forks  # noqa: PLC0415
        from bot.stages.plan import make_plan  # noqa: PLC0415

        check_forks(request, self.settings)
        source = await open_source(self.git, request.repository, request.commit.sha)
        declared, ruling = await declared_and_ruling(self.git, request, source)
        default = None
        if request.trust is Trust.UNTRUSTED:
            default = DefaultBranch(declared, self.public_registry)
        name, environment = declared.project.environment(request.environment)
        plan = await make_plan(
            source,
            request,
            project=environment.project,
            reach=reach_by(self.settings, ruling, name, environment.cluster),
            registry=self.registry,
            pachyderm=self.pachyderm(environment.cluster),
            default=default,
        )
        check_secrets(plan, self.settings.build_secrets)
        is_apart = request.trust is Trust.UNTRUSTED
        check_platforms(plan, buildx=self.buildx is not None and not is_apart)
        return plan

    async def plan_unasked(self, request: Request) -> Plan:
        """The same, but neither a registry nor a cluster hears of it: all looks new."""
        from bot.stages.plan import make_plan  # noqa: PLC0415 - see above
        from bot.stages.unasked import NoCluster, NoRegistry  # noqa: PLC0415

        source = await open_source(self.git, request.repository, request.commit.sha)
        name, environment = source.project.environment(request.environment)
        return await make_plan(
            source,
            request,
            project=environment.project,
            # What it would be refused for once its rules are the default branch's.
            reach=reach_by(self.settings, source, name, environment.cluster),
            registry=NoRegistry(),
            pachyderm=NoCluster(),
        )

    async def environment_name(self, address: str, commit: Commit, asked: str | None) -> str:
        """The environment that a command means, by the commit's project file."""
        source = await open_source(self.git, address, commit.sha)
        return source.project.environment(asked)[0]

    async def ruled(self, request: Request) -> Ruled:
        """What counts for a request now. Errors: those of git and of the project file."""
        return await ruled(self.git, self.settings, request)

    async def rules_for(
        self, request: Request, say: Callable[[str], None] = LOG.warning
    ) -> EnvironmentRules:
        """The same for a command line; where the default branch is not waited for, that is said."""

        def fell_back(fact: str) -> None:
            say(words.rules_of_what_comes_back(fact))

        return await rules_at_terminal(self.git, self.settings, request, fell_back)

    def told_in_slack(self, request: Request, rules: EnvironmentRules) -> dict[str, JSON]:
        """What is kept with a command line's deployment so that Slack hears of it.

        Also without a token: a `serve` on the same database may have one.
        """
        environment = request.environment
        told = told_in(None, self._channels(Rules({environment: rules}), environment))
        return {SLACK: told} if told else {}

    async def channels(self, repository: str, environment: str | None) -> tuple[str, ...]:
        """Which are told of an environment, or of all, by the rules as they are now.

        Errors: those of git, after which it may be known.
        """
        try:
            rules = (await open_default(self.git, repository)).project.rules()
        except StoppedError as stopped:
            if stopped.reason.code not in _WITHOUT_RULES:
                raise
            rules = Rules({})
        return self._channels(rules, environment)

    def _channels(self, rules: Rules, environment: str | None) -> tuple[str, ...]:
        named = (
            channel
            for name, rule in rules.environments.items()
            if environment in {None, name}
            for channel in rule.notify
        )
        default = self.settings.slack.default_channel
        return tuple(dict.fromkeys(named)) or ((default,) if default else ())

    async def standing(self, repository: str, environment: str) -> Standing:
        """The locks of an environment, and whether a rollback holds it."""
        return await standing_of(self.database, repository, environment, time.time())

    async def say_place(self, deployment: Deployment) -> InLine | None:
        """Say in its report who is before it; None where nobody is."""
        found = in_line(await self.queue.place(deployment))
        if found is not None:
            await self.progress.append(deployment.id, [(time.time(), found)])
        return found

    async def rollback_request(
        self, repository: str, environment: str, steps: int, trigger: Trigger, actor: Actor
    ) -> Request:
        """The request that takes a target back; NOTHING_TO_ROLL_BACK where it cannot."""
        request = Request(
            kind=Kind.ROLLBACK,
            repository=repository,
            environment=environment,
            commit=Commit(sha="", ref="an earlier deployment"),
            trigger=trigger,
            actor=actor,
            steps=steps,
        )
        waiting = await self.deployments.list(target=request.target, unfinished=True)
        if waiting:
            # Only when its turn comes is it known what there is to go back from.
            return request
        back = await plan_return(self.deployments, request)
        to = await self.deployments.get(back.to) if back.to else None
        return replace(request, commit=to.request.commit) if to else request

    async def close(self) -> None:
        """Let go of everything outside; nothing is lost."""
        await self.engine.stop()
        if self._pool:
            await self._pool.close()
        for cluster in self._clusters.values():
            await cluster.close()
        await self.registry.close()
        await self.public_registry.close()
        if self._github is not None:
            await self._github.close()

    async def _refuse_what_was_asked_elsewhere(self, deployment: Deployment) -> tuple[Reason, ...]:
        """The second look of a bot without a login: only the command line needs none."""
        if await self.deployments.load(deployment.id, WANTED) is None:
            return ()
        fact = "this process has no login on GitHub to ask again before the update"
        step = "Give it the same PACHOPS_GITHUB_ settings as `pachops serve` has, then ask again."
        return (StoppedError(Code.FACT_UNKNOWN, fact, next_step=step).reason,)

    async def _carry_out(self, run: Run) -> None:
        workflow = await asyncio.to_thread(_load_workflow)
        identity = run.deployment.id
        journal = Journal(identity, self.progress, self.redactor, self._listener(identity))
        with about(deployment=identity):
            async with journal.kept():
                await workflow(run, self, journal.report, journal.write).carry_out()
            await self._log_audit_head()

    async def _log_audit_head(self) -> None:
        """Where the log is kept elsewhere, so is what rows that are written anew are found by."""
        with suppress(StoppedError):
            LOG.info("audit head %s", await self.audit.head())


def _load_workflow() -> "type[Workflow]":
    """With the SDKs, for half a second: on the loop, who is answered from it would wait as long."""
    from bot.workflow import Workflow  # noqa: PLC0415 - see above

    return Workflow


def _find_login(registry: str) -> Login | None:
    from bot.services.docker import docker_logins  # noqa: PLC0415 - see above

    return docker_logins()(registry)


def nobody(_deployment: str) -> Listener:
    """The listeners of a bot that nobody watches."""
    return lambda _at, _event: None


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """The bot's database, for those who only read it."""
    database = await Database.open(settings.database_url)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def open_bot(
    settings: Settings,
    listener: Callable[[str], Listener] = nobody,
    *,
    running: int = RUNNING,
    stays: bool = False,
    calls: Calls = UNCOUNTED,
) -> AsyncIterator[Bot]:
    """A bot whose engine is not started yet; it runs so many deployments at a time.

    On a shared database others may leave deployments to one that `stays`.
    """
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings))
        bot = Bot(settings, database, listener, running=running, stays=stays, calls=calls)
        stack.push_async_callback(bot.close)
        stack.enter_context(logs_cleaned(bot.redactor))
        yield bot
