"""What this machine needs: git, the Docker Engine, registries."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial

from bot.doctor.finding import Check, fault, good, note, warning
from bot.domain.finding import Finding
from bot.domain.reasons import StoppedError
from bot.services.docker import DockerEngine, docker_logins, logged_in_hosts, look_at_builder
from bot.services.git import git_version
from bot.services.logins import Login
from bot.services.registry import Registry
from bot.settings import Settings
from bot.units import shown_size

OLDEST_GIT = (2, 31)
"""The first that takes its configuration from the environment (GIT_CONFIG_COUNT)."""
_GIT, _ENGINE, _BUILDX = "git", "Docker Engine", "docker buildx"


def checks(settings: Settings, repositories: Iterable[str]) -> Sequence[Check]:
    """Those of this file; `repositories` are images' that were pushed lately."""
    find_login = docker_logins()

    async def registries() -> Sequence[Finding]:
        return await look_at_registries(settings, find_login, repositories)

    return [
        Check(_GIT, look_at_git),
        *_of_engines(settings, find_login),
        *_of_builder(settings),
        Check("registries", registries, seconds=40.0),
    ]


def _of_engines(settings: Settings, find_login: Callable[[str], Login | None]) -> Iterator[Check]:
    """One for each, so that one that does not answer hides no other."""
    hosts: Sequence[str | None] = settings.docker_host or (None,)
    for host in hosts:
        what = f"{_ENGINE} {host}" if len(hosts) > 1 else _ENGINE
        yield Check(what, partial(look_at_engine, what, host, settings, find_login))


def _of_builder(settings: Settings) -> Iterator[Check]:
    if settings.buildx is not None:
        yield Check(_BUILDX, partial(look_at_buildx, settings.buildx.builder), seconds=30.0)


async def look_at_git() -> Sequence[Finding]:
    """Whether it is there and new enough."""
    found = await git_version()
    step = "Install git 2.31 or newer."
    if found is None:
        return [fault(_GIT, "it is not installed", step)]
    text = ".".join(map(str, found))
    if found < OLDEST_GIT:
        return [fault(_GIT, f"version {text} is too old", step)]
    return [good(_GIT, f"version {text}")]


async def look_at_engine(
    what: str, host: str | None, settings: Settings, find_login: Callable[[str], Login | None]
) -> Sequence[Finding]:
    """Whether it answers, builds with BuildKit and has room."""
    engine = await DockerEngine.connect(host, find_login=find_login)
    try:
        free = await engine.free_bytes()
    finally:
        await engine.close()
    found = [good(what, f"version {engine.version}")]
    if not engine.has_buildkit:
        step = "Use Docker 23 or newer: builds get a cache, secrets and parallel steps."
        found.append(warning(what, "it has no BuildKit; the legacy builder is used", step))
    if free is not None and free < settings.minimum_free_space:
        least = shown_size(settings.minimum_free_space)
        fact = f"{shown_size(free)} are free on its disk; builds need {least}"
        found.append(fault(what, fact, "Run `docker system prune` there, or give it more."))
    elif free is not None:
        found.append(good(what, f"{shown_size(free)} free on its disk"))
    return found


async def look_at_buildx(builder: str) -> Sequence[Finding]:
    """Whether its builder is there, and answers where that can be asked without starting it."""
    found = await look_at_builder(builder)
    platforms = f", for {', '.join(found.platforms)}" if found.platforms else ""
    return [good(_BUILDX, f"builder {builder}, driver {found.driver}{platforms}")]


async def look_at_registries(
    settings: Settings,
    find_login: Callable[[str], Login | None],
    repositories: Iterable[str],
) -> Sequence[Finding]:
    """Each that there is a login for or that was pushed to: whether it answers, and lets us."""
    registry = Registry(find_login, insecure=settings.insecure_registries)
    places = sorted(set(repositories))
    hosts = sorted({*logged_in_hosts(), *(place.partition("/")[0] for place in places)})
    if not hosts:
        step = "Run `docker login HOST` as the user that runs pachops."
        return [note("registries", "docker's configuration has no login", step)]
    looks = [
        *(_look(f"registry {host}", registry.greet(host), "it answers") for host in hosts),
        *(_look(f"registry, {each}", registry.may_push(each), "we may push") for each in places),
    ]
    try:
        return await asyncio.gather(*looks)
    finally:
        await registry.close()


async def _look(what: str, asking: Awaitable[None], fact: str) -> Finding:
    try:
        await asking
    except StoppedError as stopped:
        return fault(what, stopped.reason.fact, stopped.reason.next_step)
    return good(what, fact)
