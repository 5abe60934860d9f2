"""The settings as they are used, and how they are checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic.json_schema import GenerateJsonSchema

from bot.domain.gate_rules import Rules
from bot.domain.reasons import Code, StoppedError
from bot.positions import find_problems, stopped
from bot.services.logins import Login
from bot.settings.groups import (
    BuildxSettings,
    ClusterSettings,
    GitHubSettings,
    GitLogin,
    Group,
    Retention,
    SlackSettings,
    Timeouts,
    WebSettings,
)
from bot.settings.rules import LimitsSetting, narrowed
from bot.settings.sources import DEFAULT_CLUSTER, read_sources
from bot.settings.values import (
    BuildSecret,
    DatabaseUrl,
    EngineAddresses,
    FilePath,
    Host,
    incomplete,
)
from bot.units import Size, sized

_HINTS = {
    "pachd_address": "'pachd_address' is not known; write clusters: default: address: ...",
    "pachd_token": "'pachd_token' is not known; write clusters: default: token: ...",
}


class Settings(Group):
    """Everything the operator sets; files named in it have been read."""

    data_dir: FilePath
    """Mirrors of repositories, and the database where it is SQLite: `~/.local/share/pachops`."""
    database_url: DatabaseUrl = Field(
        default_factory=lambda known: f"sqlite:///{known['data_dir']}/pachops.db", repr=False
    )  # may hold a password
    """`postgresql://...`, or `sqlite:////path`, which is in the data folder where nothing is said."""
    clusters: Mapping[Annotated[str, Field(min_length=1)], ClusterSettings] = Field(
        default_factory=dict
    )
    """Pachyderm's, by the names that environments give; `default` where one gives none."""
    git_logins: Mapping[Host, GitLogin] = Field(default_factory=dict)
    """By the git host, `HOST` or `HOST:PORT`; a GitHub App has its own."""
    build_secrets: Mapping[str, BuildSecret] = Field(default_factory=dict)
    """What Dockerfiles may mount, by the ids in `secrets` of `.pachops.yml`."""
    docker_host: EngineAddresses = ()
    """Each repository's builds go to one of them; without it the engine's usual socket."""
    buildx: BuildxSettings | None = None
    """Without it the engines build."""
    insecure_registries: tuple[Host, ...] = ()
    """Registries that are spoken to without TLS."""
    parallel_builds: Annotated[int, Field(ge=1, le=64)] = 2
    """How many images of one deployment are built at a time."""
    running_deployments: Annotated[int, Field(ge=0, le=1000)] = 200
    """How many `serve` or a worker runs at a time; 0 for a `serve` that leaves them to workers."""
    minimum_free_space: Size = sized("1g")
    """Bytes that the engine's disk must have free before a build."""
    allow_forks: bool = True
    """Whether an environment may say `forks: true`; `false` refuses every build of a fork."""
    timeouts: Timeouts = Timeouts()
    """How long a stage may take."""
    retention: Retention = Retention()
    """How long what is not needed any more is kept."""
    github: GitHubSettings = GitHubSettings()
    """For `pachops serve`, and for private repositories."""
    slack: SlackSettings = SlackSettings()
    """For `pachops serve`."""
    web: WebSettings = WebSettings()
    """For `pachops serve`."""
    rules: tuple[LimitsSetting, ...] = ()
    """Narrow what repositories allow; all that fit an environment count."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Of the bot's own log."""
    log_format: Literal["console", "json"] = "console"
    """Of the bot's own log: lines to read, or one object a line."""

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

    def one_name(self, cluster: str) -> str:
        """The first of the names that a cluster has: several may have one address."""
        if (found := self.clusters.get(cluster)) is None:
            return cluster
        return next(name for name, each in self.clusters.items() if each.server == found.server)

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


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a settings file, for editors and for docs."""
    schema = Settings.model_json_schema()
    # It is filled in before the model is made.
    schema["required"].remove("data_dir")
    return {"$schema": GenerateJsonSchema.schema_dialect} | schema
