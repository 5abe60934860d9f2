"""`pachops action`: a deployment as a step of a GitHub Actions workflow, without a server."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TextIO

from handlers.reports.github.view import View
from pydantic import SecretStr, TypeAdapter

from bot.app import Bot
from bot.domain.deployment import Actor, Deployment, Outcome, Request
from bot.domain.progress import Finished, Warned
from bot.domain.reasons import Code, Reason, StoppedError
from bot.redact import Redactor
from bot.services.github import GitHub, api_url
from bot.session import DeployOrder, Session
from bot.settings import Settings, load_settings
from bot.stages.source import open_source
from handlers.action import words
from handlers.action.events import Brought, brought
from handlers.action.inputs import Inputs, check_complete, read_inputs, settings_variables
from handlers.action.runner import Runner, read_runner
from handlers.github.words import refused
from handlers.reports.actions import words as said
from handlers.reports.actions.files import write_outputs, write_summary
from handlers.reports.actions.log import ActionsLog
from handlers.reports.github.comment import SURFACE, progress_comment
from handlers.reports.github.marks import MARKS, Mark, Marks, Ration
from handlers.reports.github.origin import ORIGIN, Origin
from handlers.reports.github.plan import plan_comment, plan_marker
from handlers.reports.github.reporter import GitHubReports
from handlers.reports.github.safe import Safe

LOG = logging.getLogger(__name__)

LAST_WORDS = 60.0
"""Seconds that GitHub may take to hear how it ended."""
_LOOK = 1.0
_MARKS = {
    "comment": frozenset({Mark.COMMENT}),
    "deployment": frozenset({Mark.DEPLOYMENT, Mark.STATUS}),
    "check": frozenset({Mark.CHECK}),
}
_ASKED_BY_SERVER = ("deployers", "requires", "approvals")
_JSON: TypeAdapter[object] = TypeAdapter(object)


@dataclass(frozen=True)
class _Given:
    """All that the step was given, checked."""

    runner: Runner
    inputs: Inputs
    brought: Brought
    settings: Settings

    @property
    def only_plans(self) -> bool:
        """Whether nothing is to be changed."""
        return self.inputs.dry_run or self.brought.is_fork

    @property
    def order(self) -> DeployOrder:
        """What is asked for."""
        inputs, found = self.inputs, self.brought
        is_events = inputs.ref is None and inputs.path is None
        return DeployOrder(
            repository=self._repository,
            ref=inputs.ref or (None if inputs.path else found.ref),
            environment=inputs.environment,
            only=inputs.only,
            reprocess=inputs.reprocess,
            commit=found.commit if is_events else None,
            release=found.release,
            actor=Actor(self.runner.actor, SURFACE),
        )

    @property
    def _repository(self) -> str:
        if self.inputs.path:
            return str(self.runner.workspace / self.inputs.path)
        return f"{self.runner.server}/{self.runner.repository}.git"


class ActionStep:
    """One run of the step: its log, its reports and its outputs."""

    def __init__(self, environ: Mapping[str, str], out: TextIO | None) -> None:
        self._environ = environ
        self._runner: Runner | None = None
        self._given: _Given | None = None
        self._session: Session | None = None
        self._deployment: Deployment | None = None
        self._unmasked = tuple(
            SecretStr(value)
            for name, value in environ.items()
            if name in {"INPUT_PACHD_TOKEN", "INPUT_GITHUB_TOKEN"} and value
        )
        self._safe = Safe(Redactor(self._unmasked))
        self.report = ActionsLog(out, self._safe)

    def settings(self) -> Settings:
        """Read all that the step was given. Raises StoppedError where something is wrong."""
        self._runner = runner = read_runner(self._environ)
        self.report.mask(self._unmasked)
        inputs = read_inputs(self._environ)
        found = brought(runner)
        if not found.is_fork:
            check_complete(inputs, self._environ)
        settings = load_settings(settings_variables(inputs, self._environ, runner.temporary))
        self.report.mask(settings.secrets())
        self._safe = self.report.safe = Safe(Redactor(settings.secrets()))
        self._given = _Given(runner, inputs, found, settings)
        return settings

    def session(self, settings: Settings) -> Session:
        """Whoever carries it out."""
        self._session = Session(settings, self.report, self._attend)
        return self._session

    async def work(self, session: Session) -> Finished:
        """Deploy, or plan where no more is asked for or allowed. Errors: those of a session."""
        given = self._known
        try:
            if given.brought.is_fork:
                self.report.show(time.time(), Warned(said.FORK))
                return await session.plan(given.order, asking=False)
            if given.only_plans:
                ended = await session.plan(given.order)
                await self._comment_plan()
                return ended
            return await session.deploy(given.order)
        except StoppedError as stopped:
            raise self._in_our_words(stopped) from stopped

    def finish(self, ended: Finished) -> None:
        """Leave the outputs and the summary, and the log as it should stay."""
        runner = self._runner
        if runner is not None:
            try:
                if runner.outputs:
                    write_outputs(runner.outputs, self._outputs(ended))
                if runner.summary:
                    write_summary(runner.summary, self._summary(ended))
            except OSError as error:
                self.report.warn(f"{said.NOT_WRITTEN}: {error.strerror or error}")
        self.report.close()

    @property
    def _known(self) -> _Given:
        if self._given is None:
            raise RuntimeError("the settings were not read")
        return self._given

    def _in_our_words(self, stopped: StoppedError) -> StoppedError:
        """A step has inputs, not options."""
        reason = stopped.reason
        if reason.code is not Code.ENVIRONMENT_UNKNOWN:
            return stopped
        return StoppedError(
            reason.code, reason.fact, where=reason.where, next_step=words.name_environment()
        )

    # --- GitHub

    @asynccontextmanager
    async def _attend(self, bot: Bot, deployment: Deployment) -> AsyncIterator[None]:
        """Tell GitHub of the deployment from when it is on disk; nothing waits for it meanwhile."""
        self._deployment = deployment
        given = self._known
        await self._tell_of_rules(bot, deployment.request)
        shown = frozenset[Mark]().union(*(_MARKS[each] for each in given.inputs.report))
        if given.inputs.github_token is None or not shown:
            yield
            return
        github = _log_in(given)
        try:
            await bot.deployments.save(deployment.id, ORIGIN, _origin(given).to_json())
            reports = GitHubReports(
                bot.database,
                Redactor(given.settings.secrets()),
                lambda origin: github.for_repository(origin.owner, origin.name),
                page=lambda _deployment: given.runner.run_url,
                ration=Ration(marks=shown),
            )
            ended = asyncio.Event()
            telling = asyncio.create_task(_tell(reports, ended))
            try:
                yield
            finally:
                ended.set()
                await self._hear_out(telling)
                await self._tell_refused(bot, deployment.id)
        finally:
            await github.close()

    async def _tell_of_rules(self, bot: Bot, request: Request) -> None:
        """Nobody should believe that a rule was asked which was not."""
        source = await open_source(bot.git, request.repository, request.commit.sha)
        _, environment = source.project.environment(request.environment)
        named = [each for each in _ASKED_BY_SERVER if each in environment.model_fields_set]
        if named:
            self.report.show(time.time(), Warned(said.rules_not_asked(request.environment, named)))

    async def _hear_out(self, telling: "asyncio.Task[None]") -> None:
        done, _ = await asyncio.wait({telling}, timeout=LAST_WORDS)
        if not done:
            telling.cancel()
            await asyncio.wait({telling})
            self.report.warn(said.NOT_TOLD)
        elif telling.exception():
            LOG.error("the reports failed", exc_info=telling.exception())
            self.report.warn(said.NOT_TOLD)

    async def _tell_refused(self, bot: Bot, deployment: str) -> None:
        """A job's token has only what its `permissions:` say."""
        marks = Marks.from_json(await bot.deployments.load(deployment, MARKS))
        missing = [name for name, each in _MARKS.items() if each & marks.refused]
        if missing:
            self.report.note(said.not_permitted(missing))

    async def _comment_plan(self) -> None:
        """Keep one comment with the newest plan for the environment."""
        given, number = self._known, self._known.brought.pull_request
        markdown = self._plan()
        environment = self._environment
        if number is None or markdown is None or "comment" not in given.inputs.report:
            return
        if given.inputs.github_token is None or environment is None:
            return
        github = _log_in(given)
        try:
            origin = _origin(given)
            client = github.for_repository(origin.owner, origin.name)
            marker = plan_marker(environment)
            async with asyncio.timeout(LAST_WORDS):
                known = await client.find_comment(number, marker)
                if known is None or not await client.edit_comment(known, markdown, marker=marker):
                    await client.create_comment(number, markdown, marker=marker)
        except (StoppedError, TimeoutError) as error:
            LOG.warning("the plan was not written on GitHub: %s", error)
            refused = isinstance(error, StoppedError) and error.reason.code is Code.GITHUB_REFUSED
            self.report.note(said.not_permitted(["comment"]) if refused else said.NOT_TOLD)
        finally:
            await github.close()

    # --- what is left behind

    @property
    def _environment(self) -> str | None:
        request = self._session.request if self._session else None
        return request.environment if request else None

    def _outputs(self, ended: Finished) -> dict[str, str]:
        planned = ended.outcome is Outcome.SUCCEEDED and ended.deployment is None
        reason = ended.reason
        values = {
            "outcome": said.PLANNED if planned else ended.outcome.value,
            "deployment": ended.deployment or "",
            "environment": self._environment or "",
            "sha": ended.sha or "",
            "images": _json(ended.images),
            "pipelines": _json(ended.pipelines),
            "plan": _json(self.report.board.planned),
            "reason": reason.code.value if reason else "",
            "message": self._safe.line(f"{reason.title}: {reason.fact}", 1000) if reason else "",
        }
        return {name: self._safe.clean(value) for name, value in values.items()}

    def _summary(self, ended: Finished) -> str:
        if self._deployment is not None:
            runner = self._runner
            view = View(self._deployment, self.report.board, runner.run_url if runner else None)
            return progress_comment(view, self._safe)
        return self._plan() or _refusal(ended.reason, self._environment, self._safe)

    def _plan(self) -> str | None:
        planned, request = self.report.board.planned, self._session and self._session.request
        if planned is None or not request:
            return None
        warnings = self.report.board.warnings
        return plan_comment(planned, warnings, request.environment, request.commit.sha, self._safe)


async def _tell(reports: GitHubReports, ended: asyncio.Event) -> None:
    """Keep GitHub in step, to the end and a little beyond."""
    while not ended.is_set():
        await reports.look()
        try:
            async with asyncio.timeout(_LOOK):
                await ended.wait()
        except TimeoutError:
            continue
    await reports.look()
    while not reports.is_idle:
        await asyncio.sleep(_LOOK)
        await reports.look()


def _log_in(given: _Given) -> GitHub:
    token = given.inputs.github_token or SecretStr("")
    return GitHub.with_token(token, base_url=api_url(given.settings.github.base_url))


def _origin(given: _Given) -> Origin:
    owner, _, name = given.runner.repository.partition("/")
    sha = given.brought.commit.sha if given.brought.commit else given.runner.sha
    return Origin(owner, name, pull_request=given.brought.pull_request, head_sha=sha)


def _refusal(reason: Reason | None, environment: str | None, safe: Safe) -> str:
    what = f"Not deployed to **{safe.text(environment)}**." if environment else "Not deployed."
    return refused(what, (reason,) if reason else (), safe)


def _json(value: object) -> str:
    return json.dumps(_JSON.dump_python(value, mode="json"))
