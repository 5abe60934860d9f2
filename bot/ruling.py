"""Where a deployment's environment is declared, and whose rules count for it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.domain.deployment import Request
from bot.domain.gate_rules import EnvironmentRules
from bot.domain.reasons import Code, StoppedError
from bot.project import PROJECT_FILE, Environment
from bot.services.git import Git
from bot.settings import Settings
from bot.stages.source import Source, open_default, open_source


@dataclass(frozen=True)
class Ruled:
    """An environment, and what the rules say of it now."""

    declared: Source
    """Where it is declared."""
    environment: Environment
    rules: EnvironmentRules
    """Within the operator's own."""


Look = Callable[[Git, Settings, Request], Awaitable[Ruled]]


async def ruled(git: Git, settings: Settings, request: Request) -> Ruled:
    """What counts for a request. Errors: those of git and of the project file."""
    if request.is_own and request.is_commit_known:
        declared = await open_source(git, request.repository, request.commit.sha)
        ruling = await _ruling(git, request, declared)
    else:
        # A pull request must not choose where it goes.
        declared = ruling = await open_default(git, request.repository)
    return _within(settings, request, declared, ruling)


async def ruled_by_its_commit(git: Git, settings: Settings, request: Request) -> Ruled:
    """What its own commit says, for which our copy is enough where that has it. Errors: as above."""
    declared = await open_source(git, request.repository, request.commit.sha)
    return _within(settings, request, declared, declared)


async def _ruling(git: Git, request: Request, declared: Source) -> Source:
    """The default branch, where there is one. Errors: environment_unknown, where it has it not."""
    commit = await git.default_branch(request.repository)
    if commit is None or commit.sha == declared.sha:
        return declared
    default = await open_source(git, request.repository, commit.sha)
    if request.environment not in default.project.rules().environments:
        branch = commit.branch or commit.sha
        raise StoppedError(
            Code.ENVIRONMENT_UNKNOWN,
            f"'{request.environment}' is not an environment of {branch}, whose rules count",
            next_step=f"Bring its {PROJECT_FILE} to {branch} first.",
        )
    return default


def _within(settings: Settings, request: Request, declared: Source, ruling: Source) -> Ruled:
    name, environment = declared.project.environment(request.environment)
    rules = settings.narrow(ruling.project.rules(), request.repository)
    return Ruled(declared, environment, rules.environments[name])
