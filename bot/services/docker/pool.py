"""Several engines: a repository's builds go to the same one as long as it answers."""

import asyncio
import hashlib
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

from bot.domain.reasons import Code, StoppedError
from bot.services.docker.engine import DockerEngine

LOG = logging.getLogger(__name__)

DOWN_SECONDS = 30.0
"""How long one that did not answer is not asked again, while there are others."""


class EnginePool:
    """Each repository has its order of the engines, by rendezvous hashing.

    Caches stay warm, and one engine more or less moves only the repositories that were or will be
    its own. Without `hosts` there is one, where docker usually is.
    """

    def __init__(
        self,
        hosts: Sequence[str],
        connect: Callable[[str | None], Awaitable[DockerEngine]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hosts: tuple[str | None, ...] = tuple(hosts) or (None,)
        self._connect = connect
        self._clock = clock
        self._engines: dict[str | None, DockerEngine] = {}
        self._down_since: dict[str | None, float] = {}
        self._connecting: defaultdict[str | None, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def connected(self) -> tuple[DockerEngine, ...]:
        """Those that were needed so far."""
        return tuple(self._engines.values())

    async def engine_for(self, repository: str) -> DockerEngine:
        """The first engine of the repository's order that answers.

        Raises:
            StoppedError: ENGINE_UNREACHABLE where none does; BAD_SETTINGS.
        """
        order = sorted(self._hosts, key=lambda host: _weight(host, repository), reverse=True)
        # Those that were down lately come last: their time-outs would delay every build.
        order.sort(key=self._is_down)
        problems = []
        for host in order:
            try:
                engine = await self._engine(host)
            except StoppedError as stopped:
                if stopped.reason.code is not Code.ENGINE_UNREACHABLE:
                    raise
                self._down_since[host] = self._clock()
                problems.append(stopped)
                if len(order) > 1:
                    LOG.warning("an engine does not answer, another is taken: %s", stopped)
                continue
            self._down_since.pop(host, None)
            return engine
        raise problems[0] if len(problems) == 1 else _all_down(problems)

    async def close(self) -> None:
        """Wait for the engines' threads."""
        for engine in self._engines.values():
            await engine.close()

    async def _engine(self, host: str | None) -> DockerEngine:
        async with self._connecting[host]:
            engine = self._engines.get(host)
            if engine is None:
                engine = self._engines[host] = await self._connect(host)
            elif len(self._hosts) > 1:
                await engine.ping()
            return engine

    def _is_down(self, host: str | None) -> bool:
        since = self._down_since.get(host)
        return since is not None and self._clock() - since < DOWN_SECONDS


def _weight(host: str | None, repository: str) -> bytes:
    return hashlib.sha256(f"{host}\0{repository}".encode()).digest()


def _all_down(problems: Sequence[StoppedError]) -> StoppedError:
    facts = "; ".join(f"{each.reason.where}: {each.reason.fact}" for each in problems)
    return StoppedError(Code.ENGINE_UNREACHABLE, facts, where="DOCKER_HOST")
