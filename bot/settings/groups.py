"""The settings of each part: clusters, git, GitHub, Slack, builders, the web, and how long things last."""

from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    SecretStr,
    ValidationInfo,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from bot.services.logins import Login
from bot.settings.values import (
    Address,
    AppToken,
    BotToken,
    Certificates,
    CommandWord,
    Key,
    PrivateKey,
    Secret,
    Secrets,
    SlackChannel,
    Token,
    WebAddress,
    add_file_field,
    incomplete,
    take_from_file,
)
from bot.units import Days, Seconds, Timeout, lasting, lasting_days

_REDELIVERED = 8 * 86_400.0

_MOST_SECRETS = 2


def _a_week(value: float) -> float:
    if value < _REDELIVERED:
        raise ValueError("must be at least 8d: GitHub delivers again what is a week old")
    return value


class Group(BaseModel):
    """Settings that belong together; every field of it is known."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True
    )
    from_files: ClassVar[tuple[str, ...]] = ()
    """Fields that may stand in a file of their own, which `FIELD_file` names."""

    @model_validator(mode="before")
    @classmethod
    def _read_files(cls, data: object, info: ValidationInfo) -> object:
        for key in cls.from_files:
            data = take_from_file(data, key, info)
        return data

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema = handler(core_schema)
        for key in cls.from_files:
            add_file_field(handler.resolve_ref_schema(schema), key)
        return schema


class ClusterSettings(Group):
    """How to reach a Pachyderm cluster."""

    from_files = ("token",)

    address: Address
    """`grpc://HOST:PORT`, or `grpcs://` for TLS."""
    token: Token | None = None
    """A robot's; without it the cluster must have no authentication."""
    root_certs: Certificates | None = Field(default=None, repr=False)
    """Read from a PEM file: whom to trust for `grpcs://`; without it the system's authorities."""

    @property
    def server(self) -> tuple[str | None, int | None]:
        """Host and port: equal for one cluster, however its address is written."""
        url = urlsplit(self.address)
        return url.hostname, url.port


class GitLogin(Group):
    """A login for a git host."""

    from_files = ("password",)

    username: Annotated[str, Field(min_length=1)]
    """Whose it is; many hosts take anything beside a token."""
    password: Annotated[SecretStr, Field(min_length=1)]
    """A password or a token."""


class Timeouts(Group):
    """How long a stage may take, in seconds; a test's and verify's own are the repository's."""

    source: Timeout = lasting("10m")
    """Fetching the commit."""
    plan: Timeout = lasting("2m")
    """Reading the specs, the registry and Pachyderm."""
    build: Timeout = lasting("60m")
    """Building all images."""
    push: Timeout = lasting("30m")
    """Pushing all images."""
    update: Timeout = lasting("2m")
    """Also for putting the old specs back."""
    stop: Seconds = lasting("20s")
    """How long a process that is told to stop lets deployments run on; then they are interrupted,
    and go on elsewhere or after the next start."""


class Retention(Group):
    """How long what is not needed any more is kept, in seconds.

    What runs, and what a rollback needs, is kept whatever its age.
    """

    deployments: Days = lasting_days("365d")
    """What was deployed, by whom, and how it ended."""
    rollbacks: Annotated[int, Field(ge=1, le=500)] = 20
    """Of each target so many deployments stay, and so many whose update is in place."""
    logs: Days = lasting_days("30d")
    """The lines that builds and tests wrote."""
    deliveries: Annotated[Days, AfterValidator(_a_week)] = lasting_days("30d")
    """GitHub's webhooks, which arrive more than once; 8 days at least."""
    runs: Days = lasting_days("7d")
    """The queue's own notes of runs that ended."""
    mirrors: Days = lasting_days("30d")
    """Since a repository was last deployed."""
    images: Days = lasting_days("7d")
    """On the engines; the registries keep theirs."""
    cache: Days = lasting_days("14d")
    """The engines' build cache, since it was last used."""


class GitHubSettings(Group):
    """Who the bot is on GitHub, and what it listens to there."""

    from_files = ("private_key", "token", "client_secret")

    app_id: Annotated[int, Field(ge=1)] | None = None
    """The GitHub App's, with its private key; not beside a token."""
    private_key: PrivateKey | None = None
    """The App's, as GitHub gave it."""
    token: Token | None = None
    """Instead of an App, for small teams. Nobody but Apps can write checks."""
    webhook_secrets: tuple[Secret, ...] = ()
    """The current one, and while it is being changed the previous one."""
    client_id: Annotated[str, Field(min_length=1)] | None = None
    """The App's for logins of people, with its secret; kept by `pachops setup github`."""
    client_secret: Secret | None = None
    """Of `client_id`."""
    base_url: WebAddress = "https://github.com"
    """Another for GitHub Enterprise Server."""
    word: CommandWord = "/pachops"
    """What a command in a comment begins with."""
    bot_name: Annotated[str, Field(min_length=1, max_length=40)] = "pachops"
    """What checks are called."""

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


class SlackSettings(Group):
    """Who the bot is in Slack, and how Slack reaches it; nothing is said there without a token."""

    from_files = ("bot_token", "app_token", "signing_secrets")

    bot_token: BotToken | None = None
    """Who the bot is: `xoxb-...`."""
    app_token: AppToken | None = None
    """For Socket Mode, in which the bot calls Slack and needs no address of its own."""
    signing_secrets: Secrets = ()
    """For mode http: the current one, and while it is being changed the previous one."""
    mode: Literal["socket", "http"] = "socket"
    """Whether the bot calls Slack, or Slack calls the bot at its public address."""
    base_url: WebAddress = "https://slack.com/api"
    """The API's; another for GovSlack."""
    default_channel: SlackChannel | None = None
    """Where deployments are told of whose environment names no channel."""

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


class BuildxSettings(Group):
    """Builds by `docker buildx` instead of an engine: several platforms, remote builders."""

    builder: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    """A name that `docker buildx ls` lists, whatever its driver."""
    cache: bool = False
    """Whether each image's build cache is kept in its registry, under `pachops-cache`."""


class WebSettings(Group):
    """Where the web server listens; TLS is for a proxy in front of it."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    """The address that is listened at."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """The port of `serve`; 0 for any that is free."""
    worker_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    """Where a worker says whether it is well, and Prometheus its calls; without one, nowhere."""
    public_url: WebAddress | None = None
    """Where people reach it; without one, reports have no link to the pages."""
    link_keys: tuple[Key, ...] = ()
    """What links and sessions are signed with: the first signs, all are good. Made where none is
    set; servers that share a database need the same ones."""
    link_days: Annotated[int, Field(ge=1, le=365)] = 14
    """How long the link in a report is good."""
    metrics_token: Key | None = None
    """Whoever asks for /metrics must have it; without it nobody may."""

    def secrets(self) -> tuple[SecretStr, ...]:
        """All that must not be shown."""
        given = (*self.link_keys, self.metrics_token)
        return tuple(each for each in given if each is not None)


def _is_cloud(host: str | None) -> bool:
    return host == "api.github.com" or bool(host and host.endswith(".ghe.com"))
