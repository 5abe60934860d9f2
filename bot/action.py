"""`pachops action`: a deployment as a step of a GitHub Actions workflow, without a server."""

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from pydantic import SecretStr, TypeAdapter

from bot.app import Bot
from bot.domain.deployment import ACTION, GITHUB, Actor, Deployment, Outcome, Request, Trigger
from bot.domain.progress import Finished, Warned
from bot.domain.reasons import Code, Reason, StoppedError
from bot.redact import Redactor
from bot.services.github import GitHub, api_url
from bot.session import DeployOrder, Session
from bot.settings import Settings, load_settings
from handlers.action import words
from handlers.action.events import Brought, brought
from handlers.action.inputs import (
    Inputs,
    check_complete,
    named_as_inputs,
    read_inputs,
    settings_variables,
)
from handlers.action.runner import Runner, read_runner
from handlers.github.words import refused
from handlers.reports.actions import words as said
from handlers.reports.actions.files import write_outputs, write_summary
from handlers.reports.actions.github import OnGitHub
from handlers.reports.actions.log import ActionsLog
from handlers.reports.github.comment import progress_comment
from handlers.reports.github.origin import Origin
from handlers.reports.github.plan import plan_comment
from handlers.reports.github.safe import Safe
from handlers.reports.view import View

_LONGEST_TAIL = 100
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
        inputs, found, is_events = self.inputs, self.brought, self._is_events
        return DeployOrder(
            repository=self._repository,
            ref=inputs.ref or (None if inputs.path else found.ref),
            environment=inputs.environment,
            only=inputs.only,
            reprocess=inputs.reprocess,
            commit=found.commit if is_events else None,
            release=found.release if is_events else None,
            trigger=Trigger.ACTION,
            actor=self._actor,
        )

    @property
    def _actor(self) -> Actor:
        login = self.runner.actor
        return Actor(login, ACTION, f"{GITHUB}:{login.lower()}")

    @property
    def origin(self) -> Origin:
        """Where on GitHub it is told of."""
        owner, _, name = self.runner.repository.partition("/")
        sha = self.brought.commit.sha if self.brought.commit else self.runner.sha
        number = self.brought.pull_request
        is_its_own = number is not None and self._is_events
        return Origin(owner, name, pull_request=number, head_sha=sha, is_of_pull_request=is_its_own)

    @property
    def _is_events(self) -> bool:
        """Whether what the event brought is deployed, and no other commit."""
        return self.inputs.ref is None and self.inputs.path is None

    @property
    def _repository(self) -> str:
        if self.inputs.path:
            return str(self.runner.workspace / self.inputs.path)
        return self.runner.url


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
        found = brought(runner, named=bool(inputs.ref or inputs.path))
        if not found.is_fork:
            check_complete(inputs, self._environ)
        variables = settings_variables(inputs, self._environ, runner.temporary)
        try:
            settings = load_settings(variables)
        except StoppedError as stopped:
            raise named_as_inputs(stopped, inputs, runner.temporary) from stopped
        self.report.mask(settings.secrets())
        self._safe = self.report.safe = Safe(Redactor(settings.secrets()))
        self._given = _Given(runner, inputs, found, settings)
        return settings

    def session(self, settings: Settings) -> Session:
        """Whoever carries it out."""
        self._session = Session(
            settings,
            self.report,
            self._attend,
            typed=["action"],
            unheard=said.SLACK_IS_AWAY,
            greet=self._tell_git,
        )
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
                await self._tell_plan()
                return ended
            return await session.deploy(given.order)
        except StoppedError as stopped:
            raise self._in_our_words(stopped) from stopped

    def finish(self, ended: Finished) -> None:
        """Leave the outputs and the summary, and the log as it should stay."""
        runner = self._runner
        if ended.reason and ended.reason.code is Code.INTERNAL_ERROR and self._given:
            # The machine will be gone, and its own log with it.
            self.report.quote(said.OWN_LOG, _tail(self._given.settings.log_file))
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
        if reason.code is Code.ENVIRONMENT_UNKNOWN:
            step = words.name_environment()
        elif reason.code is Code.REPOSITORY_UNKNOWN and self._known.inputs.path:
            step = words.NO_CHECKOUT_NEXT
        else:
            return stopped
        return StoppedError(reason.code, reason.fact, where=reason.where, next_step=step)

    # --- while it runs

    async def _tell_git(self, bot: Bot) -> None:
        """What a checkout does not say: it has the one branch that was pushed to."""
        runner = self._known.runner
        if (branch := runner.default_branch) is not None:
            bot.git.tell_default(runner.url, branch)

    @asynccontextmanager
    async def _attend(self, bot: Bot, deployment: Deployment) -> AsyncIterator[None]:
        """Tell GitHub of the deployment from when it is on disk; nothing waits for it meanwhile."""
        self._deployment = deployment
        await self._tell_of_rules(bot, deployment.request)
        async with self._on_github() as github, github.telling(bot.database, deployment):
            yield

    @asynccontextmanager
    async def _on_github(self) -> AsyncIterator[OnGitHub]:
        """With the step's own token, which may have been taken away: then nothing is told."""
        given = self._known
        token, origin = given.inputs.github_token, given.origin
        url = api_url(given.settings.github.base_url)
        github = GitHub.with_token(token, base_url=url) if token else GitHub(None, base_url=url)
        try:
            yield OnGitHub(
                github.for_repository(origin.owner, origin.name),
                self.report,
                given.inputs.report if token else (),
                origin,
                given.runner.run_url,
            )
        finally:
            await github.close()

    async def _tell_plan(self) -> None:
        markdown, environment = self._plan(), self._environment
        if markdown is not None and environment is not None:
            async with self._on_github() as github:
                await github.tell_plan(markdown, environment)

    async def _tell_of_rules(self, bot: Bot, request: Request) -> None:
        """Nobody should believe that a rule was asked which was not."""
        try:
            rules = (await bot.ruled(request)).rules
        except StoppedError:
            # The deployment says so itself, and is under way.
            return
        if rules.checks is not None or rules.review or rules.fresh:
            warned = said.rules_not_asked(request.environment, ["requires"])
            self.report.show(time.time(), Warned(warned))

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


def _tail(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()[-_LONGEST_TAIL:]
    except OSError:
        return []


def _refusal(reason: Reason | None, environment: str | None, safe: Safe) -> str:
    what = f"Not deployed to **{safe.text(environment)}**." if environment else "Not deployed."
    return refused(what, (reason,) if reason else (), safe)


def _json(value: object) -> str:
    return json.dumps(_JSON.dump_python(value, mode="json"))
