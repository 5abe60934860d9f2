"""The engine under test, with names and a registry of this run only."""

import contextlib
import uuid
from collections.abc import AsyncIterator, Callable, Iterator

import docker
import pytest

from bot.services.docker import DockerEngine
from bot.services.logins import Login
from tests.bot.services.docker.parts import Events
from tests.real.registry import Registry


def nobody(_registry: str) -> Login | None:
    """No login for any registry."""
    return None


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def api(engine_host: str) -> Iterator[docker.APIClient]:
    """The SDK's own client, to look at the engine with other eyes than ours."""
    with contextlib.closing(
        docker.APIClient(base_url=engine_host, version="auto", timeout=60)
    ) as client:
        yield client


@pytest.fixture
def repository(api: docker.APIClient) -> Iterator[str]:
    """A repository's name on the engine; its images are removed."""
    name = f"pachops-test/{uuid.uuid4().hex[:12]}"
    yield name
    for image in api.images(name):
        for tag in image["RepoTags"]:
            api.remove_image(tag)


@pytest.fixture
async def engine(engine_host: str) -> AsyncIterator[DockerEngine]:
    """The engine, with BuildKit."""
    engine = await DockerEngine.connect(engine_host, find_login=nobody)
    yield engine
    await engine.close()


@pytest.fixture(params=["buildkit", "legacy"])
async def any_engine(
    engine_host: str, request: pytest.FixtureRequest
) -> AsyncIterator[DockerEngine]:
    """The engine with each of its builders."""
    engine = await DockerEngine.connect(
        engine_host, find_login=nobody, buildkit=request.param == "buildkit"
    )
    yield engine
    await engine.close()


@pytest.fixture(scope="session")
def private_registry(registry: Registry) -> Iterator[Registry]:  # noqa: ARG001 - it is installed
    """A registry that asks for a login."""
    with Registry(login=True) as private:
        yield private


@pytest.fixture
def private_login(private_registry: Registry) -> Callable[[str], Login | None]:
    """Finds the private registry's login."""
    return lambda host: private_registry.login if host == private_registry.address else None
