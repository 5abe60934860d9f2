"""Where a deployment's environment is declared, and whose rules count for it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.domain.deployment import Kind, Request
from bot.domain.gate_rules import EnvironmentRules
from bot.domain.reasons import GITHUB_PASSES, Code, StoppedError
from bot.project import PROJECT_FILE, Environment
from bot.services.git import Git
from bot.settings import Settings
from bot.stages.source import Source, open_default, open_source

ROLLBACK_SECONDS = 3.0
"""How long a rollback waits for what the default branch says of it, where we have other rules."""
LONGEST_ROLLBACK_SECONDS = 20.0
"""And where we have none."""
_NOT_READ = GITHUB_PASSES | {
    Code.REPOSITORY_UNKNOWN,
    Code.REPOSITORY_UNREADABLE,
    Code.REF_UNKNOWN,
    Code.BRANCH_UNCLEAR,
    Code.DISK_FULL,
    Code.DATA_DIR_UNUSABLE,
    Code.BAD_SETTINGS,
    Code.GITHUB_REFUSED,
    Code.GITHUB_LOGIN_REFUSED,
}


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


async def rules_at_terminal(
    git: Git, settings: Settings, request: Request, fell_back: Callable[[str], None]
) -> EnvironmentRules:
    """What counts for a command line. Errors: as above.

    Whoever takes something back waits for git a little only: where the default branch does not come
    soon our copy of the commit says it that comes back, and `fell_back` is told why. What comes and is
    wrong counts.
    """

    async def within(seconds: float, look: Look) -> EnvironmentRules:
        try:
            async with asyncio.timeout(seconds):
                return (await look(git, settings, request)).rules
        except TimeoutError as error:
            raise StoppedError(
                Code.REPOSITORY_UNREADABLE,
                f"{request.repository} was not read within {seconds:g} s, so that its rules are not"
                " known",
            ) from error

    if request.kind is Kind.DEPLOY:
        return (await ruled(git, settings, request)).rules
    if not request.is_commit_known or not await git.has(request.repository, request.commit.sha):
        return await within(LONGEST_ROLLBACK_SECONDS, ruled)
    try:
        return await within(ROLLBACK_SECONDS, ruled)
    except StoppedError as stopped:
        if stopped.reason.code not in _NOT_READ:
            raise
        fell_back(stopped.reason.fact)
    return await within(ROLLBACK_SECONDS, ruled_by_its_commit)


async def _ruling(git: Git, request: Request, declared: Source) -> Source:
    """The default branch. Errors: environment_unknown, where it has it not."""
    commit = await git.default_branch(request.repository)
    if commit.sha == declared.sha:
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
