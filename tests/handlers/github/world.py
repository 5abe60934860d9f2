"""GitHub's stand-in and the bot's ears: real webhooks, store and client; nothing is built."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.addresses import Addresses
from bot.domain.approval import ApprovalRequest, PipelineChange, Proposal
from bot.domain.deployment import (
    Actor,
    Commit,
    Deployment,
    Kind,
    Request,
    Stage,
    Trigger,
    new_deployment_id,
)
from bot.domain.gate_facts import Standing
from bot.domain.gate_rules import Rules
from bot.domain.github import Permission
from bot.domain.plan import Plan
from bot.domain.reasons import Code, StoppedError
from bot.redact import Redactor
from bot.services.git import Git
from bot.services.github import Clock, GitHub
from bot.settings.rules import LimitsSetting, narrowed
from bot.store.approvals import Approvals
from bot.store.audit import Audit
from bot.store.awaiting import Awaiting
from bot.store.database import Database
from bot.store.deliveries import Deliveries, Delivery
from bot.store.deployments import CancelResult, Deployments, insert
from bot.store.identities import Identities
from bot.store.locks import Locks
from bot.store.names import Named
from bot.store.queue import Queue
from bot.store.renaming import names_of, rename
from bot.store.standing import standing_of
from bot.store.values import JSON
from handlers import greetings
from handlers.github import seen
from handlers.github.desk import Desk
from handlers.github.events import GREETINGS, WANTED, greet, handle
from handlers.github.webhook import Webhook
from handlers.inbox import Inbox
from handlers.reports.github.origin import ORIGIN, Origin
from handlers.reports.github.safe import Safe
from handlers.reports.github.words import OWN_CHECKS
from handlers.web.app import web_app
from tests.standins.github.server import GitHubServer
from tests.standins.github.state import Comment, PullRequest

EDGES = "acme/edges"
FOLLOWS_MAIN = "  staging: {on: {push: [main]}}\n"
PATIENCE = 60.0


class Deployer:
    """Writes down what is asked for, and carries nothing out."""

    def __init__(self, database: Database, github: GitHubServer, git: Git) -> None:
        self._database = database
        self._github = github
        self._git = git
        self.deployments = Deployments(database)
        self.approvals = Approvals(database)
        self.awaiting = Awaiting(database)
        self.locks = Locks(database)
        self.queue = Queue(database)
        self.audit = Audit(database)
        self.redactor = Redactor([SecretStr("hunter2hunter2")])
        self.clean = self.redactor.clean
        self.limits: tuple[LimitsSetting, ...] = ()
        self.submitted: list[str] = []
        self.planned: list[Request] = []

    async def submit(self, deployment: Deployment, facts: Mapping[str, JSON]) -> None:
        self.submitted.append(deployment.id)
        await self._database.write(lambda connection: insert(connection, deployment, facts))

    async def cancel(
        self, deployment: str, by: Actor, *, how: str = "", once: str | None = None
    ) -> CancelResult:
        return await self.deployments.request_cancel(deployment, by, how=how, once=once)

    async def rename(self, before: Named, after: Named, by: Actor, *, once: str) -> None:
        await self._database.write(
            lambda connection: rename(connection, before, after, by, time.time(), once=once)
        )

    async def names_of(self, place: str, owner: str) -> Collection[str]:
        return await self._database.read(lambda connection: names_of(connection, place, owner))

    async def other_spellings(self, address: str) -> Sequence[str]:
        return await Addresses(self._database, self._git, self._github.url).other_spellings(address)

    async def resolve(self, repository: str, ref: str) -> Commit:
        name = urlsplit(repository).path.strip("/").removesuffix(".git")
        return await self._git.resolve(str(self._github.world.repo(name).git.path), ref)

    def narrow(self, rules: Rules, repository: str) -> Rules:
        return narrowed(self.limits, rules, repository)

    async def standing(self, repository: str, environment: str) -> Standing:
        return await standing_of(self._database, repository, environment, time.time())

    async def plan(self, request: Request) -> Plan:
        self.planned.append(request)
        return Plan((), (), (f"a plan for {request.environment} at {request.commit.sha}",))

    async def rollback_request(
        self, repository: str, environment: str, steps: int, trigger: Trigger, actor: Actor
    ) -> Request:
        if environment == "empty":
            raise StoppedError(Code.NOTHING_TO_ROLL_BACK, "nothing was ever deployed to empty")
        commit = Commit("b" * 40, "main")
        return Request(Kind.ROLLBACK, repository, environment, commit, trigger, actor, steps=steps)


class World:
    """What a test does and sees."""

    def __init__(
        self,
        github: GitHubServer,
        database: Database,
        client: GitHub,
        git: Git,
        pauses: tuple[float, ...] = (0.01, 0.01, 0.01),
    ) -> None:
        self.github = github
        self._database = database
        self.client = client
        self.deliveries = Deliveries(database)
        self.deployer = Deployer(database, github, git)
        self.deployments = self.deployer.deployments
        self.desk = Desk(
            github=client,
            deployer=self.deployer,
            safe=Safe(Redactor([])),
            identities=Identities(database),
            app_id=github.app.id,
            deliveries=self.deliveries,
        )
        self.interrupts: Callable[[Delivery], Awaitable[None]] = _never
        self.inbox = Inbox(
            self.deliveries,
            self.handle,
            greet=dict.fromkeys(GREETINGS, self.greet),
            is_away=client.is_away,
            pauses=pauses,
        )
        secrets = [SecretStr(github.app.webhook_secret)]
        self.app = web_app(
            Webhook(secrets, WANTED, self.deliveries, self.inbox.wake).answer,
            self.deliveries.count_waiting,
        )

    async def handle(self, delivery: Delivery) -> str | None:
        """As the bot does; `interrupts` breaks it off when all of it is done."""
        done = await handle(self.desk, delivery)
        await self.interrupts(delivery)
        return done

    async def greet(self, delivery: Delivery) -> bool:
        """As the bot does."""
        return await greet(self.desk, delivery)

    def logs_in_as(self, login: str) -> None:
        """With a token of somebody who may write, in place of the App."""
        self.github.allow(login, EDGES, Permission.WRITE)
        token = SecretStr(self.github.personal_token(login))
        self.client = GitHub.with_token(token, base_url=self.github.api_url)
        self.client.name_checks(OWN_CHECKS)
        self.desk = replace(self.desk, github=self.client, app_id=None)

    def takes_forks(self, *, allowed: bool) -> None:
        """The operator's word on forks."""
        self.desk = replace(self.desk, takes_forks=allowed)

    def declare(self, environments: str, files: Mapping[str, str] | None = None) -> None:
        """The repository, with the rules of its default branch."""
        text = f"environments:\n{environments}"
        self.github.repository(EDGES, {".pachops.yml": text} | dict(files or {}))

    def redeclare(self, environments: str) -> None:
        """Other rules, on the default branch."""
        text = f"environments:\n{environments}"
        self.github.world.repo(EDGES).git.commit({".pachops.yml": text}, "Rules")

    async def settled(self) -> None:
        """Until every delivery was handled."""
        async with asyncio.timeout(PATIENCE):
            while await self.deliveries.count_waiting():  # noqa: ASYNC110 - SQLite tells nobody
                await asyncio.sleep(0.01)

    async def comment(self, pull: PullRequest, body: str, *, by: str = "ada") -> Comment:
        """Comment, and wait until that was handled."""
        made = await self.github.comment(pull, body, by=by)
        await self.settled()
        return made

    async def asked(self) -> list[Deployment]:
        """The deployments, in the order asked."""
        return list(reversed(await self.deployments.list()))

    async def only(self) -> Deployment:
        """The one deployment that there is."""
        (deployment,) = await self.asked()
        return deployment

    async def waits_for_approval(self, deployment: Deployment, needed: int = 1) -> Proposal:
        """It runs, as far as it comes by itself; what others are asked to approve."""
        await self.deployments.begin(deployment.id)
        await self.deployments.enter(deployment.id, Stage.APPROVE)
        change = PipelineChange("vision", "edges", 3, (), "1" * 64, reprocess=False)
        asked = Proposal(deployment.request.commit.sha, ("r/edges@sha256:1",), (change,))
        now = time.time()
        await self.deployer.approvals.ask(
            ApprovalRequest(deployment.id, asked, deployment.request.actor, needed, now, now + 3600)
        )
        return asked

    async def was_deployed_to(self, environment: str, times: int) -> None:
        """The first deployment's commit, pushed there again and again."""
        request = (await self.asked())[0].request
        pushed = replace(request, environment=environment, trigger=Trigger.PUSH, release=None)
        for _ in range(times):
            made = Deployment(new_deployment_id(), pushed, created_at=time.time())
            await self._database.write(partial(insert, deployment=made))

    async def was_rolled_back(self) -> Deployment:
        """The first deployment's target, by a command a moment ago."""
        asked = (await self.asked())[0].request
        back = replace(asked, kind=Kind.ROLLBACK)
        made = Deployment(new_deployment_id(), back, created_at=time.time() - 1)
        await self._database.write(lambda connection: insert(connection, made))
        return made

    async def origin(self, deployment: Deployment) -> Origin:
        """Where it was asked for."""
        return Origin.from_json(await self.deployments.load(deployment.id, ORIGIN))

    async def decisions(self) -> list[tuple[str, str, list[str]]]:
        """Who is in the audit with which decision on what, and its reasons."""
        rows = [json.loads(row.body) for row in await self.deployer.audit.read()]
        return [
            (each["actor"]["name"], each["facts"]["line"], each.get("reasons", []))
            for each in rows
            if each["action"] == "decision"
        ]

    def answers(self, pull: PullRequest) -> list[str]:
        """What the bot commented."""
        return [each.body for each in self.github.own_comments(pull)]

    def reactions(self, comment: Comment) -> list[str]:
        """The reactions to a comment."""
        return [each.content for each in comment.reactions]


async def _never(_delivery: Delivery) -> None:
    """Nothing interrupts it."""


@asynccontextmanager
async def opened(
    folder: Path, database: Database, clock: Clock | None = None
) -> AsyncIterator[World]:
    """A bot that listens to a GitHub of its own; `clock` is its client's.

    No time is long to it, unless the test says so.
    """
    with pytest.MonkeyPatch.context() as patience:
        patience.setattr(greetings, "PATIENCE_SECONDS", 3600.0)
        patience.setattr(seen, "SOON_SECONDS", 3600.0)
        async with _opened(folder, database, clock) as world:
            yield world


@asynccontextmanager
async def _opened(folder: Path, database: Database, clock: Clock | None) -> AsyncIterator[World]:
    async with GitHubServer(folder) as github:
        key = SecretStr(github.app.private_key)
        client = GitHub.as_app(github.app.id, key, base_url=github.api_url, clock=clock)
        client.name_checks(OWN_CHECKS)
        world = World(github, database, client, Git(folder / "mirrors"))
        async with served(world.app) as url:
            github.send_webhooks_to(f"{url}/github/webhook")
            working = asyncio.create_task(world.inbox.run())
            try:
                yield world
            finally:
                working.cancel()
                await asyncio.wait({working})
                if world.client is not client:
                    await world.client.close()
        await client.close()


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    """The application on a port of its own; its address."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
