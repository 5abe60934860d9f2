"""What a repository declares in `.pachops.yml`."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)

from bot.domain.reasons import Code, StoppedError
from bot.positions import find_problems, nearest, read_yaml, stopped
from bot.units import Memory, Seconds, Timeout, lasting

PROJECT_FILE = ".pachops.yml"
DEFAULT_ENVIRONMENT = "default"

_NAME = "[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?"
_PACHYDERM_NAME = "[A-Za-z0-9_-]{1,51}"
_SECRET_ID = "[A-Za-z0-9_.-]{1,128}"  # noqa: S105 - the shape of a name, not a secret
_LATER = "is not supported by this version of pachops; take it out"
_HINTS = {
    key: f"'{key}' {_LATER}" for key in ("on", "deployers", "approvals", "requires", "notify")
}


def _shape(pattern: str, rule: str) -> tuple[AfterValidator, WithJsonSchema]:
    expression = re.compile(pattern)
    text = f"must be {rule}"

    def check(value: str) -> str:
        if expression.fullmatch(value) is None:
            raise ValueError(text)
        return value

    schema = {"type": "string", "pattern": f"^{pattern}$"}
    return AfterValidator(check), WithJsonSchema(schema)


def _inside(value: str) -> str:
    if not value or value.startswith("/") or "\\" in value or not value.isprintable():
        raise ValueError("must be a path inside the repository, with / and without a leading /")
    if ".." in value.split("/"):
        raise ValueError("must be a path inside the repository, without '..'")
    return value


def _without_tag(value: str) -> str:
    if not value or re.search(r"\s", value) or "://" in value:
        raise ValueError("must be an image's name such as registry.example.com/team/name")
    if "@" in value or ":" in value.rsplit("/", 1)[-1]:
        raise ValueError("must be a name without a tag or a digest; tags go under tags")
    return value


def _command(value: object) -> object:
    if not value or not isinstance(value, str | list | tuple):
        raise ValueError("must be a command: a list of words, or a string for sh -c")
    return ["sh", "-c", value] if isinstance(value, str) else value


def _empty_is_default(value: object) -> object:
    return {} if value is None else value


_name_check, _name_schema = _shape(
    _NAME, "lower-case letters, digits, '-', '_' or '.', beginning and ending with one of the first"
)
_pachyderm_check, _pachyderm_schema = _shape(
    _PACHYDERM_NAME, "letters, digits, '-' or '_', at most 51"
)
_secret_check, _secret_schema = _shape(_SECRET_ID, "letters, digits, '_', '.' or '-'")

Name = Annotated[str, _name_check, _name_schema]
PachydermName = Annotated[str, _pachyderm_check, _pachyderm_schema]
SecretId = Annotated[str, _secret_check, _secret_schema]
InnerPath = Annotated[str, AfterValidator(_inside)]
Text = Annotated[str, Field(min_length=1)]
Command = Annotated[
    tuple[Text, ...],
    Field(min_length=1),
    BeforeValidator(_command, json_schema_input_type=str | list[str]),
]


class _Declared(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True
    )


class Image(_Declared):
    """An image that the repository builds."""

    repository: Annotated[str, AfterValidator(_without_tag)]
    """Where it is pushed, without a tag."""
    context: InnerPath = "."
    """The folder that is the build context."""
    dockerfile: InnerPath = "Dockerfile"
    """Relative to the context."""
    tags: Annotated[tuple[Text, ...], Field(min_length=1, max_length=16)] = ("{sha}",)
    """Templates with {sha}, {short_sha}, {branch}, {release} and {date}."""
    target: Text | None = None
    """The stage of the Dockerfile to build; the last one where it is not said."""
    build_args: Mapping[Text, str] = Field(default_factory=dict)
    secrets: tuple[SecretId, ...] = ()
    """Ids of the operator's build secrets that the Dockerfile mounts."""
    test: Command | None = None
    """Run inside the image before it is pushed; a string is a shell command."""
    test_timeout: Timeout = lasting("10m")
    test_memory: Memory = "512m"


class SpecsSource(_Declared):
    """Specs that are files of the repository."""

    specs: InnerPath
    """A path; `*` and `?` stand for any characters within a folder, `**` for any folders."""


class JsonnetSource(_Declared):
    """Specs that a jsonnet template gives."""

    jsonnet: InnerPath
    """A path, with the wildcards of `specs`."""
    args: Mapping[Text, str] = Field(default_factory=dict)


class Verify(_Declared):
    """How an update is watched."""

    timeout: Timeout = lasting("10m")
    """How long the pipelines may take until they are seen to work."""
    window: Seconds = lasting("15s")
    """How long they must stay out of an error state."""
    rollback: bool = True
    """Whether the old specs are put back when they do not work."""


class Environment(_Declared):
    """A named place to deploy to."""

    project: PachydermName = "default"
    """The Pachyderm project."""
    cluster: Name = "default"
    """A cluster of the operator's settings."""
    verify: Annotated[
        Verify, BeforeValidator(_empty_is_default, json_schema_input_type=Verify | None)
    ] = Verify()


def _kind_of_source(value: object) -> str:
    is_jsonnet = isinstance(value, JsonnetSource) or (
        isinstance(value, dict) and "jsonnet" in value
    )
    return "<jsonnet>" if is_jsonnet else "<specs>"


def _string_is_specs(value: object) -> object:
    if isinstance(value, dict) and {"specs", "jsonnet"} <= value.keys():
        raise ValueError("has specs and jsonnet; write two entries")
    if isinstance(value, dict) and "args" in value and "jsonnet" not in value:
        raise ValueError("has args, which are for a jsonnet template; write jsonnet: PATH")
    return {"specs": value} if isinstance(value, str) else value


PipelineSource = Annotated[
    Annotated[SpecsSource, Tag("<specs>")] | Annotated[JsonnetSource, Tag("<jsonnet>")],
    Discriminator(_kind_of_source),
    BeforeValidator(_string_is_specs, json_schema_input_type=str | SpecsSource | JsonnetSource),
]
_DeclaredEnvironment = Annotated[
    Environment, BeforeValidator(_empty_is_default, json_schema_input_type=Environment | None)
]


class Project(_Declared):
    """All that a repository declares; everything has a default."""

    images: Mapping[Name, Image] = Field(default_factory=dict)
    pipelines: tuple[PipelineSource, ...] = ()
    environments: Mapping[Name, _DeclaredEnvironment] = Field(default_factory=dict)

    def environment(self, name: str | None) -> tuple[str, Environment]:
        """The environment that a command means; StoppedError where that is not clear.

        A repository that declares none has one, `default`; one that declares a single
        environment means that one unless told otherwise.
        """
        known = self.environments or {DEFAULT_ENVIRONMENT: Environment()}
        if name is not None and name in known:
            return name, known[name]
        if name is None and len(known) == 1:
            return next(iter(known.items()))
        listed = ", ".join(known)
        if name is None:
            raise StoppedError(
                Code.ENVIRONMENT_UNKNOWN,
                "the repository has several environments and none was named",
                where=f"{PROJECT_FILE}: environments",
                next_step=f"Say which with `--to`: {listed}.",
            )
        near = nearest(name, known)
        raise StoppedError(
            Code.ENVIRONMENT_UNKNOWN,
            f"'{name}' is not an environment of this repository; there are: {listed}",
            where=f"{PROJECT_FILE}: environments",
            next_step=f"Did you mean `--to {near}`?" if near else None,
        )


def parse_project(text: bytes, *, file: str = PROJECT_FILE) -> Project:
    """Read a project file; StoppedError names the line and what to write instead.

    An empty file declares nothing, which is allowed.
    """
    document = read_yaml(text, file=file, code=Code.PROJECT_INVALID)
    try:
        return Project.model_validate({} if document.data is None else document.data)
    except ValidationError as error:
        problems = find_problems(error, Project, document.where, _HINTS)
    raise stopped(Code.PROJECT_INVALID, problems, next_step=None)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a project file, for editors and for docs."""
    schema = TypeAdapter(Project).json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema
