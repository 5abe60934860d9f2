"""Where the settings come from: the environment and the settings file, put together."""

import copy
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot import positions
from bot.domain.reasons import Code, StoppedError
from bot.positions import Document, nearest, read_yaml
from bot.settings.github_app import IDENTITY, read_app

DEFAULT_CLUSTER = "default"

VARIABLES: Mapping[str, positions.Path] = {
    "PACHOPS_DATABASE_URL": ("database_url",),
    "PACHOPS_DATA_DIR": ("data_dir",),
    "PACHOPS_PACHD_ADDRESS": ("clusters", DEFAULT_CLUSTER, "address"),
    "PACHOPS_PACHD_TOKEN": ("clusters", DEFAULT_CLUSTER, "token"),
    "PACHOPS_INSECURE_REGISTRIES": ("insecure_registries",),
    "PACHOPS_PARALLEL_BUILDS": ("parallel_builds",),
    "PACHOPS_ALLOW_FORKS": ("allow_forks",),
    "PACHOPS_RUNNING_DEPLOYMENTS": ("running_deployments",),
    "PACHOPS_MINIMUM_FREE_SPACE": ("minimum_free_space",),
    "PACHOPS_TIMEOUT_SOURCE": ("timeouts", "source"),
    "PACHOPS_TIMEOUT_PLAN": ("timeouts", "plan"),
    "PACHOPS_TIMEOUT_BUILD": ("timeouts", "build"),
    "PACHOPS_TIMEOUT_PUSH": ("timeouts", "push"),
    "PACHOPS_TIMEOUT_UPDATE": ("timeouts", "update"),
    "PACHOPS_TIMEOUT_STOP": ("timeouts", "stop"),
    "PACHOPS_RETENTION_DEPLOYMENTS": ("retention", "deployments"),
    "PACHOPS_RETENTION_ROLLBACKS": ("retention", "rollbacks"),
    "PACHOPS_RETENTION_LOGS": ("retention", "logs"),
    "PACHOPS_RETENTION_DELIVERIES": ("retention", "deliveries"),
    "PACHOPS_RETENTION_RUNS": ("retention", "runs"),
    "PACHOPS_RETENTION_MIRRORS": ("retention", "mirrors"),
    "PACHOPS_RETENTION_IMAGES": ("retention", "images"),
    "PACHOPS_RETENTION_CACHE": ("retention", "cache"),
    "PACHOPS_GITHUB_APP_ID": ("github", "app_id"),
    "PACHOPS_GITHUB_PRIVATE_KEY": ("github", "private_key"),
    "PACHOPS_GITHUB_PRIVATE_KEY_FILE": ("github", "private_key_file"),
    "PACHOPS_GITHUB_TOKEN": ("github", "token"),
    "PACHOPS_GITHUB_WEBHOOK_SECRETS": ("github", "webhook_secrets"),
    "PACHOPS_GITHUB_BASE_URL": ("github", "base_url"),
    "PACHOPS_GITHUB_WORD": ("github", "word"),
    "PACHOPS_GITHUB_BOT_NAME": ("github", "bot_name"),
    "PACHOPS_GITHUB_CLIENT_ID": ("github", "client_id"),
    "PACHOPS_GITHUB_CLIENT_SECRET": ("github", "client_secret"),
    "PACHOPS_GITHUB_CLIENT_SECRET_FILE": ("github", "client_secret_file"),
    "PACHOPS_SLACK_BOT_TOKEN": ("slack", "bot_token"),
    "PACHOPS_SLACK_BOT_TOKEN_FILE": ("slack", "bot_token_file"),
    "PACHOPS_SLACK_APP_TOKEN": ("slack", "app_token"),
    "PACHOPS_SLACK_APP_TOKEN_FILE": ("slack", "app_token_file"),
    "PACHOPS_SLACK_SIGNING_SECRETS": ("slack", "signing_secrets"),
    "PACHOPS_SLACK_SIGNING_SECRETS_FILE": ("slack", "signing_secrets_file"),
    "PACHOPS_SLACK_MODE": ("slack", "mode"),
    "PACHOPS_SLACK_BASE_URL": ("slack", "base_url"),
    "PACHOPS_SLACK_DEFAULT_CHANNEL": ("slack", "default_channel"),
    "PACHOPS_WEB_HOST": ("web", "host"),
    "PACHOPS_WEB_PORT": ("web", "port"),
    "PACHOPS_WEB_WORKER_PORT": ("web", "worker_port"),
    "PACHOPS_WEB_PUBLIC_URL": ("web", "public_url"),
    "PACHOPS_WEB_LINK_KEYS": ("web", "link_keys"),
    "PACHOPS_WEB_LINK_DAYS": ("web", "link_days"),
    "PACHOPS_WEB_METRICS_TOKEN": ("web", "metrics_token"),
    "PACHOPS_LOG_LEVEL": ("log_level",),
    "PACHOPS_BUILDX_BUILDER": ("buildx", "builder"),
    "PACHOPS_BUILDX_CACHE": ("buildx", "cache"),
    "PACHOPS_LOG_FORMAT": ("log_format",),
    "DOCKER_HOST": ("docker_host",),
}
"""Where the value of each variable belongs."""

SETTINGS_FILE = "PACHOPS_SETTINGS_FILE"
GIT_HOST = "PACHOPS_GIT_HOST"
GIT_LOGIN = {"PACHOPS_GIT_USERNAME": "username", "PACHOPS_GIT_PASSWORD": "password"}
BUILD_SECRET = "PACHOPS_BUILD_SECRET_"  # noqa: S105 - a prefix, not a secret
_PREFIX = "PACHOPS_"
_GITHUB_SECRETS = ("private_key", "token", "webhook_secrets", "client_secret")
_SLACK_SECRETS = ("bot_token", "app_token", "signing_secrets")
_WEB_SECRETS = ("link_keys", "metrics_token")
_LISTS = {"insecure_registries", "webhook_secrets", "signing_secrets", "link_keys"}


@dataclass(frozen=True)
class Sources:
    """The settings as they were given, and where each came from."""

    data: object
    home: Path | None
    variables: Mapping[positions.Path, str]
    document: Document | None
    app: Document | None = None
    """The App that `pachops setup github` has kept."""

    def where(self, path: positions.Path) -> str:
        """Name the variable or the line that a value came from or should come from."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.variables:
                return self.variables[path[:length]]
        for document in (self.document, self.app):
            if document and path[:2] in document.lines:
                return document.where(path)
        usual = {place: variable for variable, place in VARIABLES.items()}
        if path in usual:
            return usual[path]
        return self.document.where(path) if self.document else ".".join(path)


def read_sources(given: Mapping[str, str]) -> Sources:
    """Put the file and the environment together; the environment wins.

    Args:
        given: the variables that are not empty.
    """
    _refuse_unknown(given)
    document = _read_file(given)
    data = copy.deepcopy(document.data) if document else {}
    variables: dict[positions.Path, str] = {}
    if isinstance(data, dict):
        for variable, path, value in _assignments(given):
            variables[path] = variable
            _put(data, path, value)
        _put_data_dir(data, given)
    home = Path(given["HOME"]) if "HOME" in given else None
    app = _put_app(data, home) if isinstance(data, dict) else None
    return Sources(data, home, variables, document, app)


def _refuse_unknown(given: Mapping[str, str]) -> None:
    known = {*VARIABLES, *GIT_LOGIN, SETTINGS_FILE, GIT_HOST}
    for name in sorted(given):
        if not name.startswith(_PREFIX) or name in known or name.startswith(BUILD_SECRET):
            continue
        near = nearest(name, known)
        raise StoppedError(
            Code.BAD_SETTINGS,
            f"{name} is not a setting" + (f"; {near} is" if near else ""),
            where=name,
            next_step="Correct its name or unset it.",
        )


def _read_file(given: Mapping[str, str]) -> Document | None:
    named = given.get(SETTINGS_FILE)
    file = Path(named).absolute() if named else _usual_file(given)
    if file is None or (named is None and not file.exists()):
        return None
    try:
        text = file.read_bytes()
        mode = file.stat().st_mode
    except OSError as error:
        where = SETTINGS_FILE if named else str(file)
        fact = f"the settings file {file} cannot be read: {error.strerror}"
        raise StoppedError(Code.BAD_SETTINGS, fact, where=where) from None
    document = read_yaml(text, file=str(file), code=Code.BAD_SETTINGS)
    _refuse_open_secrets(document, mode)
    if document.data is None:
        return Document(document.file, {}, document.lines)
    return document


def _refuse_open_secrets(document: Document, mode: int) -> None:
    if mode & (stat.S_IROTH | stat.S_IWOTH) and _holds_secrets(document.data):
        raise StoppedError(
            Code.BAD_SETTINGS,
            "the settings file holds secrets and every user of this machine can open it",
            where=document.file,
            next_step=f"Run `chmod 600 {document.file}`.",
        )


def _usual_file(given: Mapping[str, str]) -> Path | None:
    folder = _folder(given, "XDG_CONFIG_HOME", ".config")
    return folder / "pachops" / "settings.yaml" if folder else None


def _folder(given: Mapping[str, str], variable: str, below_home: str) -> Path | None:
    # The XDG specification says to ignore a relative path.
    if (folder := Path(given.get(variable, ""))).is_absolute():
        return folder
    return Path(given["HOME"]) / below_home if "HOME" in given else None


def _holds_secrets(data: object) -> bool:
    if not isinstance(data, dict):
        return False
    secrets = data.get("build_secrets")
    if isinstance(secrets, dict) and any(isinstance(each, str) for each in secrets.values()):
        return True
    if re.search(r"://[^/@]*:[^/@]*@", str(data.get("database_url"))):
        return True
    for group, keys in (
        ("github", _GITHUB_SECRETS),
        ("slack", _SLACK_SECRETS),
        ("web", _WEB_SECRETS),
    ):
        found = data.get(group)
        if isinstance(found, dict) and any(found.get(key) for key in keys):
            return True
    return any(
        isinstance(entry, dict) and entry.get(key) is not None
        for group, key in (("clusters", "token"), ("git_logins", "password"))
        if isinstance(entries := data.get(group), dict)
        for entry in entries.values()
    )


def _assignments(given: Mapping[str, str]) -> Iterator[tuple[str, positions.Path, object]]:
    """What the environment sets: variable, place, value."""
    for variable, path in VARIABLES.items():
        if variable not in given:
            continue
        value: object = given[variable]
        if path[-1] in _LISTS:
            value = [part.strip() for part in given[variable].split(",") if part.strip()]
        elif variable == "PACHOPS_DATA_DIR":
            value = str(Path(given[variable]).absolute()) if given[variable][0] != "~" else value
        elif variable == "PACHOPS_LOG_LEVEL":
            value = given[variable].lower()
        yield variable, path, value
    yield from _git_login(given)
    for variable in given:
        if secret := variable.removeprefix(BUILD_SECRET):
            # Ids in Dockerfiles are mostly lower case, variables upper case: both will do.
            for name in {secret, secret.lower()} if secret != variable else ():
                yield variable, ("build_secrets", name), given[variable]


def _git_login(given: Mapping[str, str]) -> Iterator[tuple[str, positions.Path, object]]:
    parts = [variable for variable in (GIT_HOST, *GIT_LOGIN) if variable in given]
    if not parts:
        return
    missing = [variable for variable in (GIT_HOST, *GIT_LOGIN) if variable not in given]
    if missing:
        fact = f"{' and '.join(parts)} need {' and '.join(missing)} beside"
        raise StoppedError(Code.BAD_SETTINGS, fact, where=missing[0])
    for variable, key in GIT_LOGIN.items():
        yield variable, ("git_logins", given[GIT_HOST], key), given[variable]


def _put(data: dict[Any, Any], path: positions.Path, value: object) -> None:
    for key in path[:-1]:
        inner = data.get(key)
        if inner is None:
            inner = data[key] = {}
        if not isinstance(inner, dict):
            return  # the file is wrong here, and is told so
        data = inner
    data.pop(f"{path[-1]}_file", None)
    data[path[-1]] = value


def _put_data_dir(data: dict[Any, Any], given: Mapping[str, str]) -> None:
    if data.get("data_dir") is not None:
        return
    folder = _folder(given, "XDG_DATA_HOME", ".local/share")
    if folder is None:
        fact = "must be set where there is no HOME"
        raise StoppedError(Code.BAD_SETTINGS, fact, where="PACHOPS_DATA_DIR")
    data["data_dir"] = str(folder / "pachops")


def _put_app(data: dict[Any, Any], home: Path | None) -> Document | None:
    """Fill in the App that is kept in the data folder; what the operator sets goes before it."""
    written = data.get("data_dir")
    if not isinstance(written, str):
        return None  # the settings are wrong here, and are told so
    folder = home / written[2:] if written.startswith("~/") and home else Path(written)
    found = read_app(folder) if folder.is_absolute() else None
    if found is None:
        return None
    document, mode = found
    _refuse_open_secrets(document, mode)
    kept = document.data.get("github") if isinstance(document.data, dict) else None
    if not isinstance(kept, dict):
        fact = "is not what `pachops setup github` writes"
        raise StoppedError(Code.BAD_SETTINGS, fact, where=document.file)
    given = data.get("github")
    if given is None:
        given = data["github"] = {}
    if not isinstance(given, dict) or any(given.get(key) is not None for key in IDENTITY):
        return None
    for key, value in kept.items():
        if given.get(key) is None:
            given[key] = value
    return document
