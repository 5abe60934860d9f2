"""The composition root: settings in, a bot out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.domain.deployment import (
    Actor,
    Commit,
    Deployment,
    Kind,
    Request,
    Trigger,
)
from bot.domain.plan import Plan
from bot.domain.reasons import Reason
from bot.domain.trust import Trust
from bot.engine.engine import Engine
from bot.engine.run import Run
from bot.git_logins import GitLogins
from bot.journal import Journal, Listener
from bot.logs import about
from bot.redact import Redactor, logs_cleaned
from bot.services.calls import UNCOUNTED, Calls
from bot.services.docker import DockerEngine, docker_logins
from bot.services.git import Git
from bot.services.logins import Login
from bot.services.pachyderm import Pachyderm
from bot.services.registry import Registry
from bot.settings import Settings
from bot.stages.build import check_secrets
from bot.stages.fork import DefaultBranch, check_forks
from bot.stages.go_back import plan_return
from bot.stages.plan import make_plan
from bot.stages.source import open_default, open_source
from bot.stages.unasked import NoCluster, NoRegistry
from bot.store.database import Database
from bot.store.deployments import Deployments
from bot.store.progress import ProgressLog
from bot.workflow import Workflow

if TYPE_CHECKING:
    from bot.stage_work import SecondLook

if TYPE_CHECKING:
    from bot.services.github import GitHub


class Bot:
    """Everything that a deployment needs, put together from the settings."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        listener: Callable[[str], Listener],
        *,
        calls: Calls = UNCOUNTED,
    ) -> None:
        self._calls = calls
        self.settings = settings
        self.second_look: SecondLook = _nobody_objects
        self.database = database
        self.deployments = Deployments(database)
        self.progress = ProgressLog(database)
        self.redactor = Redactor(settings.secrets())
        self.engine = Engine(database, self._carry_out)
        self.git = Git(
            settings.data_dir / "mirrors",
            find_login=GitLogins(settings, self._git_login_of_app),
            timeout=settings.timeouts.source,
        )
        self._find_login = docker_logins()
        self.registry = Registry(
            self._find_login, insecure=settings.insecure_registries, calls=calls
        )
        self.public_registry = Registry(
            lambda _host: None, insecure=settings.insecure_registries, calls=calls
        )
        self._listener = listener
        self._docker: asyncio.Task[DockerEngine] | None = None
        self._clusters: dict[str, Pachyderm] = {}
        self._github: GitHub | None = None

    async def docker(self) -> DockerEngine:
        """The Docker Engine, connected when the first build needs it."""
        if self._docker is None or (self._docker.done() and self._docker.exception()):
            self._docker = asyncio.create_task(
                DockerEngine.connect(
                    self.settings.docker_host,
                    find_login=self._find_login,
                    secrets=self.settings.secrets(),
                )
            )
        return await asyncio.shield(self._docker)

    def github(self) -> "GitHub":
        """GitHub, logged in to when it is first needed; BAD_SETTINGS where that cannot be."""
        if self._github is None:
            # It takes a third of a second to import, and most command lines do without.
            from bot.github_login import log_in  # noqa: PLC0415

            self._github = log_in(self.settings.github, self.redactor, self._calls)
        return self._github

    async def _git_login_of_app(self, owner: str, name: str, refused: Login | None) -> Login | None:
        return await self.github().for_repository(owner, name).git_login(refused=refused)

    def pachyderm(self, cluster: str) -> Pachyderm:
        """The client of a cluster of the settings."""
        if cluster not in self._clusters:
            found = self.settings.cluster(cluster)
            self._clusters[cluster] = Pachyderm(
                found.address, token=found.token, root_certs=found.root_certs, calls=self._calls
            )
        return self._clusters[cluster]

    async def plan(self, request: Request) -> Plan:
        """What the request would do; nothing is touched."""
        check_forks(request, self.settings)
        source = await open_source(self.git, request.repository, request.commit.sha)
        default = None
        if request.trust is Trust.UNTRUSTED:
            ours = await open_default(self.git, request.repository)
            default = DefaultBranch(ours, self.public_registry)
        rules = default.source if default else source
        _, environment = rules.project.environment(request.environment)
        plan = await make_plan(
            source,
            request,
            project=environment.project,
            registry=self.registry,
            pachyderm=self.pachyderm(environment.cluster),
            default=default,
        )
        check_secrets(plan, self.settings.build_secrets)
        return plan

    async def plan_unasked(self, request: Request) -> Plan:
        """The same, but neither a registry nor a cluster hears of it: all looks new."""
        source = await open_source(self.git, request.repository, request.commit.sha)
        _, environment = source.project.environment(request.environment)
        return await make_plan(
            source,
            request,
            project=environment.project,
            registry=NoRegistry(),
            pachyderm=NoCluster(),
        )

    async def environment_name(self, address: str, commit: Commit, asked: str | None) -> str:
        """The environment that a command means, by the commit's project file."""
        source = await open_source(self.git, address, commit.sha)
        return source.project.environment(asked)[0]

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
        if self._docker is not None:
            self._docker.cancel()
            await asyncio.wait({self._docker})
            if not self._docker.cancelled() and not self._docker.exception():
                await self._docker.result().close()
        for cluster in self._clusters.values():
            await cluster.close()
        await self.registry.close()
        await self.public_registry.close()
        if self._github is not None:
            await self._github.close()

    async def _carry_out(self, run: Run) -> None:
        identity = run.deployment.id
        journal = Journal(identity, self.progress, self.redactor, self._listener(identity))
        with about(deployment=identity):
            async with journal.kept():
                await Workflow(run, self, journal.report).carry_out()


async def _nobody_objects(_deployment: Deployment) -> tuple[Reason, ...]:
    return ()


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
    settings: Settings, listener: Callable[[str], Listener] = nobody
) -> AsyncIterator[Bot]:
    """A bot whose engine is not started yet."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings))
        bot = Bot(settings, database, listener)
        stack.push_async_callback(bot.close)
        stack.enter_context(logs_cleaned(bot.redactor))
        yield bot
