"""Registry logins as docker has them: its config file, with its credential helpers."""

import shutil
from collections.abc import Callable
from pathlib import Path

from docker import auth
from docker.credentials.constants import PROGRAM_PREFIX
from docker.errors import DockerException
from docker.utils.config import find_config_file
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

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


def logged_in_hosts() -> tuple[str, ...]:
    """The registries that docker's config file has a login or a helper for.

    Raises StoppedError BAD_SETTINGS.
    """
    check_config()
    try:
        config = auth.load_config()
    except (DockerException, ValueError, OSError) as error:
        raise _unusable(error) from error
    names = {*(config.auths or {}), *(config.cred_helpers or {})}
    hosts = {auth.convert_to_hostname(name) for name in names}
    return tuple(sorted({"docker.io" if host in HUB_HOSTS else host for host in hosts}))


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
    check_config()
    try:
        config = auth.load_config()
        _check_helper(config.get_credential_store(host))
        found = config.resolve_authconfig(host) or {}
    # The SDK takes a helper's answer for what it should be.
    except (DockerException, ValueError, OSError, KeyError, TypeError) as error:
        raise _unusable(error) from error
    found = {key.lower(): value for key, value in found.items()}
    if token := found.get("identitytoken"):
        return Login(IDENTITY_TOKEN, SecretStr(token))
    if found.get("username") and found.get("password"):
        return Login(found["username"], SecretStr(found["password"]))
    return None


def _file() -> Path | None:
    found = find_config_file()
    return Path(str(found)) if found else None


class _Entry(BaseModel):
    model_config = ConfigDict(strict=True)

    auth: str = ""
    identitytoken: str = ""


class _Config(BaseModel):
    """The parts of docker's config file that the SDK reads, as it needs them."""

    model_config = ConfigDict(strict=True)

    auths: dict[str, _Entry] | None = None
    creds_store: str | None = Field(None, alias="credsStore")
    cred_helpers: dict[str, str] | None = Field(None, alias="credHelpers")
    headers: dict[str, str] = Field({}, alias="HttpHeaders")
    proxies: dict[str, dict[str, str]] = {}


def check_config() -> None:
    """Refuse a config file that the SDK would stumble over, or read as if it were empty.

    Raises StoppedError BAD_SETTINGS.
    """
    file = _file()
    if file is None or file.name != "config.json":
        return
    try:
        if text := file.read_bytes().strip():
            _Config.model_validate_json(text)
        auth.load_config()
    except ValidationError as error:
        # The values may be secrets; their places are not.
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        fact = f"'{place}' is not as docker writes it" if place else "it is not a JSON object"
        raise StoppedError(
            Code.BAD_SETTINGS, fact, where=str(file), next_step="Correct or remove it."
        ) from None
    except (DockerException, ValueError, OSError) as error:
        raise _unusable(error) from error


def _check_helper(name: str | None) -> None:
    """Look before the SDK does: it would warn on stderr, too."""
    program = f"{PROGRAM_PREFIX}{name}"
    if name and shutil.which(program) is None:
        raise StoppedError(
            Code.BAD_SETTINGS,
            f"the credential helper {program} is not installed",
            where=str(_file()),
            next_step="Install it, or take its name out of the file.",
        )


def _unusable(error: Exception) -> StoppedError:
    file = _file() or Path("~/.docker/config.json")
    # A helper's own words may hold what it was asked to keep.
    fact = (
        "a credential helper failed"
        if "store error" in str(error)
        else "a registry login in docker's config file cannot be read"
    )
    return StoppedError(
        Code.BAD_SETTINGS, fact, where=str(file), next_step="Log in again with `docker login`."
    )
