"""The settings as they are used, and how they are checked."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from bot.domain.gate_rules import Rules
from bot.domain.reasons import Code, StoppedError
from bot.positions import find_problems, stopped
from bot.services.logins import Login
from bot.settings.rules import LimitsSetting, narrowed
from bot.settings.sources import DEFAULT_CLUSTER, read_sources
from bot.settings.values import (
    Address,
    AppToken,
    BotToken,
    BuildSecret,
    Certificates,
    CommandWord,
    DatabaseUrl,
    EngineAddresses,
    FilePath,
    Host,
    Key,
    PrivateKey,
    Secret,
    SlackChannel,
    Token,
    WebAddress,
    incomplete,
    take_from_file,
)
from bot.units import Days, Seconds, Size, Timeout, lasting, lasting_days, sized

_REDELIVERED = 8 * 86_400.0

_HINTS = {
    "pachd_address": "'pachd_address' is not known; write clusters: default: address: ...",
    "pachd_token": "'pachd_token' is not known; write clusters: default: token: ...",
}
_MOST_SECRETS = 2


def _a_week(value: float) -> float:
    if value < _REDELIVERED:
        raise ValueError("must be at least 8d: GitHub delivers again what is a week old")
    return value


class _Set(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True
    )


class ClusterSettings(_Set):
    """How to reach a Pachyderm cluster."""

    address: Address
    """`grpc://HOST:PORT`, or `grpcs://` for TLS."""
    token: Token | None = None
    """None where the cluster has no authentication."""
    root_certs: Certificates | None = Field(default=None, repr=False)
    """Read from a PEM file: whom to trust for `grpcs://`; the system's authorities where None."""

    @model_validator(mode="before")
    @classmethod
    def _token_file(cls, data: object, info: ValidationInfo) -> object:
        return take_from_file(data, "token", info)


class GitLogin(_Set):
    """A login for a git host."""

    username: Annotated[str, Field(min_length=1)]
    password: Annotated[SecretStr, Field(min_length=1)]
    """A password or a token."""

    @model_validator(mode="before")
    @classmethod
    def _password_file(cls, data: object, info: ValidationInfo) -> object:
        return take_from_file(data, "password", info)


class Timeouts(_Set):
    """How long a stage may take, in seconds; a test's and verify's own are the repository's."""

    source: Timeout = lasting("10m")
    plan: Timeout = lasting("2m")
    build: Timeout = lasting("60m")
    push: Timeout = lasting("30m")
    update: Timeout = lasting("2m")
    """Also for putting the old specs back."""
    stop: Seconds = lasting("20s")
    """How long a process that is told to stop lets deployments run on; then they are interrupted,
    and go on elsewhere or after the next start."""


class Retention(_Set):
    """How long what is not needed any more is kept, in seconds.

    What runs, and what a rollback needs, is kept whatever its age.
    """

    deployments: Days = lasting_days("365d")
    rollbacks: Annotated[int, Field(ge=1, le=500)] = 20
    """Of each target so many deployments stay, and so many whose update is in place."""
    logs: Days = lasting_days("30d")
    """The lines that builds and tests wrote."""
    deliveries: Annotated[Days, AfterValidator(_a_week)] = lasting_days("30d")
    runs: Days = lasting_days("7d")
    """The queue's own notes of runs that ended."""
    mirrors: Days = lasting_days("30d")
    """Since a repository was last deployed."""
    images: Days = lasting_days("7d")
    """On the engines; the registries keep theirs."""
    cache: Days = lasting_days("14d")
    """The engines' build cache, since it was last used."""


class GitHubSettings(_Set):
    """Who the bot is on GitHub, and what it listens to there."""

    app_id: Annotated[int, Field(ge=1)] | None = None
    """The GitHub App's, with its private key; None where a token is used."""
    private_key: PrivateKey | None = None
    token: Token | None = None
    """Instead of an App, for small teams. Nobody but Apps can write checks."""
    webhook_secrets: tuple[Secret, ...] = ()
    """The current one, and while it is being changed the previous one."""
    client_id: Annotated[str, Field(min_length=1)] | None = None
    """The App's for logins of people, with its secret; kept by `pachops setup github`."""
    client_secret: Secret | None = None
    base_url: WebAddress = "https://github.com"
    """Another for GitHub Enterprise Server."""
    word: CommandWord = "/pachops"
    """What a command in a comment begins with."""
    bot_name: Annotated[str, Field(min_length=1, max_length=40)] = "pachops"
    """What checks are called."""

    @model_validator(mode="before")
    @classmethod
    def _files(cls, data: object, info: ValidationInfo) -> object:
        for key in ("private_key", "token", "client_secret"):
            data = take_from_file(data, key, info)
        return data

    @property
    def has_login(self) -> bool:
        """Whether anything is said of who the bot is."""
        return any(each is not None for each in (self.app_id, self.private_key, self.token))

    def login(self) -> tuple[str, Login] | None:
        """Host and login with which git reads repositories; None where an App asks for its own."""
        if self.token is None:
            return None
        return urlsplit(self.git_url).netloc, Login("x-access-token", self.token)

    @property
    def git_url(self) -> str:
        """Where the repositories are: `base_url`, or for an API's own URL its host's."""
        parts = urlsplit(self.base_url.lower())
        host = parts.netloc.removeprefix("api.") if _is_cloud(parts.hostname) else parts.netloc
        return f"{parts.scheme}://{host}"

    def secrets(self) -> tuple[SecretStr, ...]:
        """All that must not be shown."""
        given = (self.private_key, self.token, self.client_secret, *self.webhook_secrets)
        return tuple(each for each in given if each is not None)


class SlackSettings(_Set):
    """Who the bot is in Slack, and how Slack reaches it; nothing is said there without a token."""

    bot_token: BotToken | None = None
    app_token: AppToken | None = None
    """For Socket Mode, in which the bot calls Slack and needs no address of its own."""
    signing_secrets: tuple[Secret, ...] = ()
    """For mode http: the current one, and while it is being changed the previous one."""
    mode: Literal["socket", "http"] = "socket"
    base_url: WebAddress = "https://slack.com/api"
    """The API's; another for GovSlack."""
    default_channel: SlackChannel | None = None
    """Where deployments are told of whose environment names no channel."""

    @model_validator(mode="before")
    @classmethod
    def _files(cls, data: object, info: ValidationInfo) -> object:
        for key in ("bot_token", "app_token"):
            data = take_from_file(data, key, info)
        data = take_from_file(data, "signing_secrets", info)
        if isinstance(data, dict) and isinstance(text := data.get("signing_secrets"), str):
            return data | {"signing_secrets": [part for part in re.split(r"[,\s]+", text) if part]}
        return data

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        given = self.bot_token or self.app_token or self.signing_secrets or self.default_channel
        if not given:
            return self
        if self.bot_token is None:
            raise incomplete("is missing: without it nothing can be said in Slack", "bot_token")
        if self.mode == "socket" and self.app_token is None:
            raise incomplete("is missing: Socket Mode needs it; or set mode to http", "app_token")
        if self.mode == "http" and not self.signing_secrets:
            raise incomplete("is missing: mode http needs it", "signing_secrets")
        if len(self.signing_secrets) > _MOST_SECRETS:
            raise incomplete("has more than the current and the previous one", "signing_secrets")
        return self

    @property
    def api_url(self) -> str:
        """As the client wants it."""
        return f"{self.base_url}/"

    def secrets(self) -> tuple[SecretStr, ...]:
        """All that must not be shown."""
        given = (self.bot_token, self.app_token, *self.signing_secrets)
        return tuple(each for each in given if each is not None)


class BuildxSettings(_Set):
    """Builds by `docker buildx` instead of an engine: several platforms, remote builders."""

    builder: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    """A name that `docker buildx ls` lists, whatever its driver."""
    cache: bool = False
    """Whether each image's build cache is kept in its registry, under `pachops-cache`."""


class WebSettings(_Set):
    """Where the web server listens; TLS is for a proxy in front of it."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    public_url: WebAddress | None = None
    """Where people reach it; without one, reports have no link to the pages."""
    link_keys: tuple[Key, ...] = ()
    """What links and sessions are signed with: the first signs, all are good. Made where none is
    set; servers that share a database need the same ones."""
    link_days: Annotated[int, Field(ge=1, le=365)] = 14
    """How long the link in a report is good."""
    metrics_token: Key | None = None
    """Whoever asks for /metrics must have it; None: nobody may."""

    def secrets(self) -> tuple[SecretStr, ...]:
        """All that must not be shown."""
        given = (*self.link_keys, self.metrics_token)
        return tuple(each for each in given if each is not None)


class Settings(_Set):
    """Everything the operator sets; files named in it have been read."""

    data_dir: FilePath
    """Mirrors of repositories, and the database where it is SQLite."""
    database_url: DatabaseUrl = Field(
        default_factory=lambda known: f"sqlite:///{known['data_dir']}/pachops.db", repr=False
    )
    """May hold a password, so it is left out of the repr."""
    clusters: Mapping[Annotated[str, Field(min_length=1)], ClusterSettings] = Field(
        default_factory=dict
    )
    git_logins: Mapping[Host, GitLogin] = Field(default_factory=dict)
    build_secrets: Mapping[str, BuildSecret] = Field(default_factory=dict)
    docker_host: EngineAddresses = ()
    """Each repository's builds go to one of them; none means the engine's usual socket."""
    buildx: BuildxSettings | None = None
    """None means that the engines build."""
    insecure_registries: tuple[Host, ...] = ()
    """Registries that are spoken to without TLS."""
    parallel_builds: Annotated[int, Field(ge=1, le=64)] = 2
    running_deployments: Annotated[int, Field(ge=0, le=1000)] = 200
    """How many `serve` or a worker runs at a time; 0 for a `serve` that leaves them to workers."""
    minimum_free_space: Size = sized("1g")
    """Bytes that the engine's disk must have free before a build."""
    allow_forks: bool = True
    """Whether an environment may say `forks: true`; False refuses every build of a fork."""
    timeouts: Timeouts = Timeouts()
    retention: Retention = Retention()
    github: GitHubSettings = GitHubSettings()
    slack: SlackSettings = SlackSettings()
    web: WebSettings = WebSettings()
    rules: tuple[LimitsSetting, ...] = ()
    """Narrow what repositories allow; all that fit an environment count."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"

    @property
    def log_file(self) -> Path:
        """The bot's own log, where a terminal is the deployment's."""
        return self.data_dir / "pachops.log"

    @model_validator(mode="after")
    def _somebody_runs(self) -> "Settings":
        if not self.running_deployments and self.database_url.startswith("sqlite"):
            raise incomplete(
                "must be at least 1 with SQLite, where no other process can run deployments",
                "running_deployments",
            )
        return self

    def cluster(self, name: str) -> ClusterSettings:
        """The cluster of that name; StoppedError says which there are."""
        if name in self.clusters:
            return self.clusters[name]
        known = ", ".join(sorted(self.clusters))
        raise StoppedError(
            Code.CLUSTER_UNKNOWN,
            f"the settings have no cluster '{name}'; they have: {known or 'none'}",
            next_step="Set PACHOPS_PACHD_ADDRESS to grpc://HOST:PORT, "
            "or name the cluster in the settings file."
            if name == DEFAULT_CLUSTER
            else f"Add it to the settings file: clusters: {name}: address: grpc://HOST:PORT.",
        )

    def narrow(self, rules: Rules, repository: str) -> Rules:
        """A repository's rules within the operator's own; the repository by its address."""
        return narrowed(self.rules, rules, repository)

    def logins(self) -> dict[str, Login]:
        """The login for each git host (`HOST` or `HOST:PORT`)."""
        on_github = self.github.login()
        return dict([on_github] if on_github else []) | {
            host: Login(found.username, found.password) for host, found in self.git_logins.items()
        }

    def secrets(self) -> tuple[SecretStr, ...]:
        """Every secret among the settings, to be kept out of what people see."""
        tokens = (cluster.token for cluster in self.clusters.values())
        password = _password_in(self.database_url)
        return (
            *(token for token in tokens if token is not None),
            *(login.password for login in self.git_logins.values()),
            *self.build_secrets.values(),
            *self.github.secrets(),
            *self.slack.secrets(),
            *self.web.secrets(),
            *((SecretStr(password),) if password else ()),
        )


def _is_cloud(host: str | None) -> bool:
    return host == "api.github.com" or bool(host and host.endswith(".ghe.com"))


def _password_in(url: str) -> str | None:
    password = urlsplit(url).password
    return unquote(password) if password else None


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings; StoppedError names the variable or the file's line that is wrong.

    Only `environ` and the files that it leads to are looked at. An empty variable counts as
    one that is not set.
    """
    sources = read_sources({name: value for name, value in environ.items() if value})
    try:
        return Settings.model_validate(sources.data, context={"home": sources.home})
    except ValidationError as error:
        problems = find_problems(error, Settings, sources.where, _HINTS)
    raise stopped(Code.BAD_SETTINGS, problems, next_step=None)
