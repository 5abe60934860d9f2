"""Where a deployment's environment is declared, and whose rules count for it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from bot.domain.deployment import Kind, Request
from bot.domain.gate_rules import EnvironmentRules
from bot.domain.place import EVERYWHERE, Reach, reach_of
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
    ruling: Source
    """Whose rules count."""
    environment: Environment
    rules: EnvironmentRules
    """Within the operator's own."""


Read = TypeVar("Read")
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
        return (await _in_time(seconds, request, look(git, settings, request))).rules

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


async def reach_of_return(
    git: Git, settings: Settings, request: Request, cluster: str, fell_back: Callable[[str], None]
) -> Reach:
    """What a rollback leaves alone now. Errors: as above.

    It does not wait long for the default branch either; where that does not come nothing is others'.
    """
    reading = open_default(git, request.repository)
    try:
        ruling = await _in_time(ROLLBACK_SECONDS, request, reading)
    except StoppedError as stopped:
        if stopped.reason.code not in _NOT_READ:
            raise
        fell_back(stopped.reason.fact)
        return EVERYWHERE
    return reach_by(settings, ruling, request.environment, cluster)


async def _in_time(seconds: float, request: Request, reading: Awaitable[Read]) -> Read:
    try:
        async with asyncio.timeout(seconds):
            return await reading
    except TimeoutError as error:
        raise StoppedError(
            Code.REPOSITORY_UNREADABLE,
            f"{request.repository} was not read within {seconds:g} s, so that its rules are not known",
        ) from error


def reach_by(settings: Settings, ruling: Source, environment: str, cluster: str) -> Reach:
    """What of a cluster an environment leaves alone, by the rules that count."""
    places = {
        name: replace(place, cluster=settings.one_name(place.cluster))
        for name, place in ruling.project.places().items()
    }
    return reach_of(environment, settings.one_name(cluster), places)


async def declared_and_ruling(git: Git, request: Request, source: Source) -> tuple[Source, Source]:
    """Where a plan's environment is declared, and whose rules say what it reaches. Errors: as above."""
    if not request.is_own:
        default = await open_default(git, request.repository)
        return default, default
    try:
        ruling = (await open_ruling(git, request.repository, source))[0]
        is_there = request.environment in ruling.project.rules().environments
    except StoppedError as stopped:
        if stopped.reason.code not in {Code.BRANCH_UNCLEAR, Code.PROJECT_INVALID}:
            raise
        is_there = False
    # A deployment is refused for that; a plan changes nothing, and shows what a commit brings.
    return source, ruling if is_there else source


async def open_ruling(git: Git, repository: str, declared: Source) -> tuple[Source, str]:
    """The default branch and its name. Errors: as above."""
    commit = await git.default_branch(repository)
    if commit.sha == declared.sha:
        return declared, declared.sha
    return await open_source(git, repository, commit.sha), commit.branch or commit.sha


async def _ruling(git: Git, request: Request, declared: Source) -> Source:
    """The default branch. Errors: environment_unknown, where it has it not."""
    default, branch = await open_ruling(git, request.repository, declared)
    if default is not declared and request.environment not in default.project.rules().environments:
        raise StoppedError(
            Code.ENVIRONMENT_UNKNOWN,
            f"'{request.environment}' is not an environment of {branch}, whose rules count",
            next_step=f"Bring its {PROJECT_FILE} to {branch} first.",
        )
    return default


def _within(settings: Settings, request: Request, declared: Source, ruling: Source) -> Ruled:
    name, environment = declared.project.environment(request.environment)
    rules = settings.narrow(ruling.project.rules(), request.repository)
    return Ruled(declared, ruling, environment, rules.environments[name])
