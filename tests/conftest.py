"""What every test may use: the real parts, found or started once, and a clean environment.

With CI=true a missing real part fails the test; elsewhere the test is skipped and says why.
"""

import contextlib
import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from hypothesis import settings

from tests.real.engine import SHARED_HOST, Engine, MissingPartError, import_busybox
from tests.real.github_emulator import install_emulate
from tests.real.local_slack import alone, install_local_slack
from tests.real.postgresql import PostgreSQL, postgresql
from tests.real.registry import Registry

_ENGINE = pytest.StashKey[Engine]()

# How long an example takes says how busy the machine is.
settings.register_profile("pachops", deadline=None)
settings.load_profile("pachops")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what it runs behind it so, and every command that a test interrupts inherits it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Give all processes of the run one engine: two of our own would share a bridge."""
    is_controller = session.config.getoption("dist", "no") != "no"
    if os.environ.get("PYTEST_XDIST_WORKER") or not is_controller:
        return
    engine = Engine()
    # Where it is missing, the tests that need it say so.
    with contextlib.suppress(MissingPartError):
        engine.start()
        session.config.stash[_ENGINE] = engine
        os.environ[SHARED_HOST] = engine.host


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End it, where it is ours."""
    engine = session.config.stash.get(_ENGINE, None)
    if engine is not None:
        engine.stop()


@contextlib.contextmanager
def real_part() -> Iterator[None]:
    """Where a part is missing in it, the test fails in CI and is skipped elsewhere."""
    try:
        yield
    except MissingPartError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def engine_host() -> Iterator[str]:
    """The DOCKER_HOST of a real Docker Engine."""
    engine = Engine()
    with real_part():
        engine.start()
    yield engine.host
    engine.stop()


@pytest.fixture(scope="session")
def registry() -> Iterator[Registry]:
    """A real registry on a loopback port, without a login."""
    registry = Registry()
    with real_part():
        registry.start()
    yield registry
    registry.stop()


@pytest.fixture(scope="session")
def busybox_image(engine_host: str) -> Iterator[str]:
    """A small base image that is in the engine, under a name of this run only."""
    with real_part():
        image = import_busybox(engine_host, "pachops-test/busybox", uuid.uuid4().hex[:12])
    yield image
    with contextlib.closing(docker.APIClient(base_url=engine_host, version="auto")) as client:
        client.remove_image(image, force=True)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQL]:
    """A real PostgreSQL on a loopback port."""
    with contextlib.ExitStack() as stack:
        with real_part():
            server = stack.enter_context(postgresql())
        yield server


@pytest.fixture(scope="session")
def emulate_packages() -> Path:
    """A GitHub that others have written, as npm has it."""
    with real_part():
        return install_emulate()


@pytest.fixture(scope="session")
def local_slack_program() -> Path:
    """A Slack that others have written, and a network that it may have for itself."""
    with real_part():
        alone([])
        return install_local_slack()


@pytest.fixture(scope="session", autouse=True)
def _nobodys_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test sees the settings, logins or git identity of whoever runs it."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(("PACHOPS_", "PACH_", "DOCKER_", "GIT_")):
                patch.delenv(name)
        patch.setenv("HOME", str(home))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Ada")
            patch.setenv(f"GIT_{role}_EMAIL", "ada@example.com")
        yield
