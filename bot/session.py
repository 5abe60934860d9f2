"""One deployment asked for on the command line: submitted, followed to its end, cancelled."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass

import bot.workflow  # noqa: F401 - here rather than in the middle of the first deployment
from bot.account import user
from bot.app import Bot, open_bot
from bot.domain.audit import Action, Entry
from bot.domain.command_form import read_reason, typed
from bot.domain.deployment import (
    Actor,
    Commit,
    Deployment,
    Kind,
    Outcome,
    Request,
    Trigger,
    new_deployment_id,
)
from bot.domain.plan import image_lines, pipeline_lines
from bot.domain.progress import Accepted, Finished, Planned, Progress, Warned, finished
from bot.domain.reasons import Code, StoppedError
from bot.journal import Listener
from bot.leave import Leave, take_leave
from bot.services.together import both
from bot.settings import Settings
from bot.signals import interruptible, unless
from bot.store.deployments import SKIPPED
from bot.telling import slack_told
from handlers.commands.noting import (
    LINE,
    check_readable,
    leave_at_terminal,
    refusal_at_terminal,
    typed_line,
)
from handlers.reports import words
from handlers.reports.reporter import Reporter

_LOOKS_FOR_WORKERS = 60
"""After so many looks it is seen whether there still is a worker."""
_REST_SECONDS = 10.0
"""How long the rest of its progress is waited for when it has ended."""
_LOOK_SECONDS = 0.5
"""How often the progress of a deployment that runs elsewhere is looked at."""


@dataclass(frozen=True)
class DeployOrder:
    """What `pachops deploy` was asked."""

    repository: str
    ref: str | None = None
    environment: str | None = None
    only: tuple[str, ...] = ()
    reprocess: bool = False
    force: str | None = None
    """The reason, as it was typed."""
    commit: Commit | None = None
    """Where it is known without looking for `ref`."""
    release: str | None = None
    trigger: Trigger = Trigger.CLI
    actor: Actor | None = None
    """None is whoever runs this process."""


@dataclass(frozen=True)
class RollbackOrder:
    """What `pachops rollback` was asked."""

    environment: str
    steps: int
    repository: str | None = None


Attend = Callable[[Bot, Deployment], AbstractAsyncContextManager[None]]
"""What goes on beside a deployment, from when it is on disk to its end."""


async def _not_at_all(_bot: Bot) -> None:
    pass


class Session:
    """A person at a terminal, and the bot that works for them."""

    def __init__(
        self,
        settings: Settings,
        reporter: Reporter,
        attend: Attend = lambda _bot, _deployment: nullcontext(),
        typed: Sequence[str] = (),
        unheard: str = words.SLACK_IS_AWAY,
        greet: Callable[[Bot], Awaitable[None]] = _not_at_all,
    ) -> None:
        """`typed` are the words of the command, for the audit; `unheard` is said where Slack is away.

        `greet` comes before anything that is asked.
        """
        self._settings = settings
        self._reporter = reporter
        self._attend = attend
        self._typed = typed
        self._unheard = unheard
        self._greet = greet
        self.request: Request | None = None
        """What was asked for, once it is known."""
        self._own: Deployment | None = None
        self._accepted = False
        self.ended: Finished | None = None
        """How the person's deployment ended, whatever goes on after it."""
        self.ended_at: float | None = None
        """When that was."""
        self._has_workers = False

    async def deploy(self, order: DeployOrder) -> Finished:
        """Deploy and wait for the end."""
        async with self._open_bot() as bot, self._noted(bot, order.actor or _actor()):
            _, (request, leave) = await both(self._start(bot), self._ask(bot, order))
            return await self._follow(bot, request, leave)

    async def plan(self, order: DeployOrder, *, asking: bool = True) -> Finished:
        """Show what a deployment would do; nothing is changed, and only the audit has it.

        Without `asking` neither a registry nor a cluster hears of it.
        """
        async with self._open_bot() as bot, self._noted(bot, order.actor or _actor()):
            request = await self._read(bot, order)
            plan = await (bot.plan(request) if asking else bot.plan_unasked(request))
        for warning in plan.warnings:
            self._show(Warned(warning))
        self._show(Planned(image_lines(plan), pipeline_lines(plan)))
        return Finished(Outcome.SUCCEEDED, None, request.commit.sha, (), (), None)

    async def roll_back(self, order: RollbackOrder) -> Finished:
        """Take an environment back and wait for the end."""
        async with self._open_bot() as bot, self._noted(bot, _actor()):
            self.request = request = await bot.rollback_request(
                await self._deployed_repository(bot, order),
                order.environment,
                order.steps,
                Trigger.CLI,
                _actor(),
            )
            leave = await take_leave(bot, request, self._show)
            await self._start(bot)
            return await self._follow(bot, request, leave)

    async def work(
        self,
        noted: Callable[[Bot], AbstractAsyncContextManager[None]] = lambda _bot: nullcontext(),
    ) -> tuple[str, ...]:
        """Run what is stored, for deployments that were interrupted, until nothing is left.

        Ctrl-C stops earlier; the ids of those that are left then. It is carried out in `noted`.
        """
        from bot.serve import open_worker  # noqa: PLC0415 - the web server's parts are heavy

        async with (
            open_worker(self._settings, lambda _deployment: self._reporter.show) as bot,
            noted(bot),
            interruptible() as interrupted,
        ):
            left = await bot.deployments.unfinished()
            await bot.engine.start()
            await self._greet(bot)
            async with slack_told(bot, self._say_unheard):
                await unless(interrupted, self._see_the_end(bot, left))
            return await bot.engine.left()

    @asynccontextmanager
    async def _open_bot(self) -> AsyncIterator[Bot]:
        async with open_bot(self._settings, self._listen) as bot:
            await self._greet(bot)
            yield bot

    async def _see_the_end(self, bot: Bot, identities: Sequence[str]) -> None:
        for identity in identities:
            self._show(finished(await bot.engine.wait(identity)))
        await bot.engine.idle()

    async def _start(self, bot: Bot) -> None:
        """On a database that workers share, they run it, and here it is only followed."""
        self._has_workers = bool(await bot.engine.others())
        if self._has_workers:
            bot.engine.leave_to_others()
        await bot.engine.start()

    async def _ask(self, bot: Bot, order: DeployOrder) -> tuple[Request, Leave]:
        request = await self._read(bot, order)
        return request, await take_leave(bot, request, self._show)

    async def _read(self, bot: Bot, order: DeployOrder) -> Request:
        address = await _address(bot, order.repository)
        changed = await bot.git.uncommitted(address)
        if changed:
            self._show(Warned(words.not_committed(changed)))
        commit = order.commit or await bot.git.resolve(address, order.ref, own=True)
        why = typed(read_reason, order.force)
        self.request = Request(
            kind=Kind.DEPLOY,
            repository=address,
            environment=await bot.environment_name(address, commit, order.environment),
            commit=commit,
            trigger=order.trigger,
            actor=order.actor or _actor(),
            only=order.only,
            reprocess=order.reprocess,
            force=bot.redactor.clean(why) if why else None,
            release=order.release,
        )
        return self.request

    async def _deployed_repository(self, bot: Bot, order: RollbackOrder) -> str:
        """The repository that a rollback means: the only one deployed there, or the one here."""
        if order.repository is not None:
            return await _address(bot, order.repository)
        found = await bot.deployments.list(environment=order.environment, limit=500)
        # One that never changed a pipeline has nothing to go back from.
        repositories = sorted({each.request.repository for each in found if each.pipelines})
        if not repositories:
            raise StoppedError(
                Code.NOTHING_TO_ROLL_BACK, f"nothing was ever deployed to {order.environment}"
            )
        if len(repositories) > 1:
            if (here := await _repository_here(bot)) in repositories:
                return here
            raise StoppedError(
                Code.BAD_COMMAND,
                f"several repositories are deployed to {order.environment}: "
                f"{', '.join(repositories)}",
                next_step=f"Name one: `pachops rollback {repositories[0]} "
                f"--to {order.environment}`.",
            )
        return repositories[0]

    @property
    def unsettled(self) -> str | None:
        """The id of the deployment, where this process leaves before its end."""
        return self._own.id if self._own and self._accepted else None

    async def _follow(self, bot: Bot, request: Request, leave: Leave) -> Finished:
        deployment = Deployment(new_deployment_id(), request, created_at=time.time())
        self._own = deployment
        if self._has_workers and request.repository.startswith("/"):
            self._show(Warned(words.path_for_workers(request.repository)))
        async with slack_told(bot, self._say_unheard):
            ended = await self._see_own_end(bot, deployment, leave)
            await self._finish_others(bot)
        return ended

    async def _see_own_end(self, bot: Bot, deployment: Deployment, leave: Leave) -> Finished:
        async with interruptible() as interrupted:
            await self._note_leave(bot, deployment, leave)
            facts = bot.told_in_slack(deployment.request, leave.rules)
            if leave.skipped:
                facts[SKIPPED] = [each.fact for each in leave.skipped]
            await bot.engine.submit(deployment, facts)
            self._accept(deployment)
            place = await bot.say_place(deployment)
            if place is not None and not self._has_workers:
                self._show(place)
            beside = [asyncio.create_task(_cancel(bot, deployment.id, interrupted))]
            if self._has_workers:
                beside.append(asyncio.create_task(self._show_from_afar(bot, deployment.id)))
            try:
                async with self._attend(bot, deployment):
                    ended = finished(await bot.engine.wait(deployment.id))
                    self.ended, self.ended_at = ended, time.time()
                if self._has_workers:
                    await asyncio.wait(beside[1:], timeout=_REST_SECONDS)
            finally:
                for task in beside:
                    task.cancel()
                await asyncio.wait(beside)
        return ended

    async def _note_leave(self, bot: Bot, deployment: Deployment, leave: Leave) -> None:
        """That it is let through, and why."""
        if not self._typed:
            return
        clean = bot.redactor.clean
        line = typed_line(self._typed, clean)
        entry, once = leave_at_terminal(line, deployment, leave.rules, leave.skipped, clean)
        await bot.audit.append(entry, once=once)

    @asynccontextmanager
    async def _noted(self, bot: Bot, by: Actor) -> AsyncIterator[None]:
        """That it was asked for, before anything is read, and why there is no deployment."""
        if not self._typed:
            yield
            return
        clean = bot.redactor.clean
        line = typed_line(self._typed, clean)
        await bot.audit.append(Entry(Action.COMMAND, by, time.time(), facts={LINE: line}))
        try:
            check_readable(self._typed)
            yield
        except StoppedError as stopped:
            if self._own is None:
                # The reason itself counts more than that it was written down.
                with suppress(StoppedError):
                    refused = refusal_at_terminal(line, by, stopped, clean, self.request)
                    await bot.audit.append(refused)
            raise

    async def _show_from_afar(self, bot: Bot, deployment: str) -> None:
        """What a worker writes down of it, up to its end."""
        after, looks = 0, 0
        while True:
            looks += 1
            if looks % _LOOKS_FOR_WORKERS == 0 and not await bot.engine.others():
                self._show(Warned(words.NO_WORKER))
            for number, at, event in await bot.progress.read(deployment, after):
                if isinstance(event, Finished):
                    return
                self._reporter.show(at, event)
                after = number
            await asyncio.sleep(_LOOK_SECONDS)

    async def _finish_others(self, bot: Bot) -> None:
        """What an interrupted bot left is finished too; Ctrl-C leaves it for another time."""
        others = await bot.engine.left()
        if self._has_workers or not others:
            return
        self._show(Warned(words.others_are_finished_first(others)))
        async with interruptible() as interrupted:
            await unless(interrupted, bot.engine.idle())

    def _say_unheard(self) -> None:
        self._show(Warned(self._unheard))

    def _accept(self, deployment: Deployment) -> None:
        """Say once that it is on disk; its first sign of life may come before submit returns."""
        if self._accepted:
            return
        self._accepted = True
        request = deployment.request
        commit = request.commit
        self._show(
            Accepted(deployment.id, request.repository, request.environment, commit.sha, commit.ref)
        )

    def _listen(self, deployment: str) -> Listener:
        """Only the person's own deployment is shown; others are resumed quietly."""
        if self._own is None or deployment != self._own.id:
            return lambda _at, _event: None
        self._accept(self._own)
        return self._reporter.show

    def _show(self, event: Progress) -> None:
        self._reporter.show(time.time(), event)


async def _cancel(bot: Bot, deployment: str, interrupted: asyncio.Event) -> None:
    await interrupted.wait()
    await bot.engine.cancel(deployment, _actor())


async def _address(bot: Bot, repository: str) -> str:
    address = await bot.addresses.typed(repository)
    check_readable([address])
    return address


async def _repository_here(bot: Bot) -> str | None:
    try:
        return await _address(bot, ".")
    except StoppedError:
        return None


def _actor() -> Actor:
    return Actor(user(), "cli")
