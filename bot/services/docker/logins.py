"""Registry logins as docker has them: its config file, with its credential helpers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from docker import auth
from docker.errors import DockerException
from docker.utils.config import find_config_file
from pydantic import SecretStr

from bot.domain.reasons import Code, StoppedError
from bot.services.logins import Login

HUB = auth.INDEX_NAME
HUB_HOSTS = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
"""Docker Hub's names; logins are filed under the first."""
IDENTITY_TOKEN = auth.TOKEN_USERNAME
"""The user name that says: the password is an identity token."""


def docker_logins() -> Callable[[str], Login | None]:
    """Finds the login for a registry's host in docker's config file (DOCKER_CONFIG).

    The file is read anew each time, as docker does, and a credential helper may be run: call it in
    a thread. It raises StoppedError BAD_SETTINGS where the file or the helper does not work.
    """
    return _find_login


def registry_of(repository: str) -> str:
    """The registry's host of a repository or reference."""
    host: str = auth.resolve_repository_name(repository)[0]
    return HUB if host in HUB_HOSTS else host


def auth_config(registry: str, login: Login | None) -> dict[str, str]:
    """A login as the engine's API takes it; empty for none."""
    if login is None:
        return {}
    password = login.password.get_secret_value()
    if login.username == IDENTITY_TOKEN:
        return {"identitytoken": password, "serveraddress": registry}
    return {"username": login.username, "password": password, "serveraddress": registry}


def _find_login(registry: str) -> Login | None:
    host = HUB if registry in HUB_HOSTS else registry
    with config_errors():
        found = auth.load_config().resolve_authconfig(host) or {}
    found = {key.lower(): value for key, value in found.items()}
    if token := found.get("identitytoken"):
        return Login(IDENTITY_TOKEN, SecretStr(token))
    if found.get("username") and found.get("password"):
        return Login(found["username"], SecretStr(found["password"]))
    return None


@contextmanager
def config_errors() -> Iterator[None]:
    """Turn what is raised for a config file or a helper that does not work into StoppedError."""
    try:
        yield
    except (DockerException, ValueError, OSError) as error:
        raise _unusable(error) from error


def _unusable(error: Exception) -> StoppedError:
    file = find_config_file() or Path("~/.docker/config.json")
    # A helper's own words may hold what it was asked to keep.
    fact = (
        "a credential helper failed"
        if "store error" in str(error)
        else "a registry login in docker's config file cannot be read"
    )
    return StoppedError(
        Code.BAD_SETTINGS, fact, where=str(file), next_step="Log in again with `docker login`."
    )
