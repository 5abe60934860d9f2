from collections import Counter
from typing import Any

import pytest

from bot.domain.reasons import Code, StoppedError
from bot.services.docker import EnginePool
from bot.services.docker.pool import DOWN_SECONDS
from tests.bot.services.docker.parts import reason_of

HOSTS = ("tcp://one:2375", "tcp://two:2375", "tcp://three:2375")
REPOSITORIES = [f"https://github.com/acme/{number}" for number in range(300)]


class Engine:
    """An engine that is there or not."""

    def __init__(self, host: str | None, down: set[str | None]) -> None:
        self.host = host
        self.closed = False
        self._down = down

    async def ping(self) -> None:
        if self.host in self._down:
            raise StoppedError(Code.ENGINE_UNREACHABLE, "no route to host", where=self.host)

    async def close(self) -> None:
        self.closed = True


class World:
    """Engines, a pool of them, and a clock."""

    def __init__(self, hosts: tuple[str, ...] = HOSTS) -> None:
        self.down: set[str | None] = set()
        self.asked: list[str | None] = []
        self.now = 0.0
        self.pool = EnginePool(hosts, self._connect, clock=lambda: self.now)

    async def _connect(self, host: str | None) -> Any:
        self.asked.append(host)
        engine = Engine(host, self.down)
        await engine.ping()
        return engine

    async def host_for(self, repository: str) -> str | None:
        engine: Any = await self.pool.engine_for(repository)
        host: str | None = engine.host
        return host


@pytest.fixture
def world() -> World:
    return World()


async def test_a_repository_goes_to_the_same_engine_in_every_process(world: World) -> None:
    other = World(HOSTS[::-1])
    for repository in REPOSITORIES[:20]:
        assert await world.host_for(repository) == await other.host_for(repository)


async def test_repositories_are_spread(world: World) -> None:
    counts = Counter([await world.host_for(repository) for repository in REPOSITORIES])
    assert min(counts.values()) > len(REPOSITORIES) / len(HOSTS) / 2


async def test_one_engine_less_moves_only_its_own_repositories(world: World) -> None:
    less = World(HOSTS[:2])
    for repository in REPOSITORIES:
        host = await world.host_for(repository)
        if host in HOSTS[:2]:
            assert await less.host_for(repository) == host


async def test_where_one_is_down_another_is_taken_and_then_it_again(world: World) -> None:
    own = await world.host_for("edges")
    world.down = {own}
    world.pool._engines.clear()
    taken = await world.host_for("edges")
    assert taken != own
    world.down = set()
    world.now += DOWN_SECONDS
    assert await world.host_for("edges") == own


async def test_one_that_goes_down_after_it_was_connected_is_noticed(world: World) -> None:
    own = await world.host_for("edges")
    world.down.add(own)
    assert await world.host_for("edges") != own


async def test_one_that_was_down_is_not_asked_for_every_build(world: World) -> None:
    own = await World().host_for("edges")
    world.down = {own}
    for _ in range(5):
        await world.host_for("edges")
    assert world.asked.count(own) == 1


async def test_all_down_is_said_with_each_of_them(world: World) -> None:
    world.down = set(HOSTS)
    stopped = await reason_of(world.pool.engine_for("edges"))
    assert stopped.reason.code is Code.ENGINE_UNREACHABLE
    assert all(host in stopped.reason.fact for host in HOSTS)
    world.down = set()
    assert await world.host_for("edges") in HOSTS


async def test_without_a_list_there_is_the_usual_one() -> None:
    assert await World(()).host_for("edges") is None


async def test_a_wrong_setting_is_not_passed_over() -> None:
    async def connect(host: str | None) -> Any:
        raise StoppedError(Code.BAD_SETTINGS, "not an address", where=host)

    stopped = await reason_of(EnginePool(HOSTS, connect).engine_for("edges"))
    assert stopped.reason.code is Code.BAD_SETTINGS
