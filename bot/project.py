"""What a repository declares in `.pachops.yml`."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, Tag, TypeAdapter, ValidationError
from pydantic.json_schema import GenerateJsonSchema

from bot.domain.gate_rules import Rules
from bot.domain.place import Place
from bot.domain.reasons import Code, StoppedError
from bot.positions import find_problems, nearest, read_yaml, stopped
from bot.project_rules import Gated
from bot.project_values import (
    Command,
    Declared,
    InnerPath,
    Name,
    PachydermName,
    Platform,
    Repository,
    SecretId,
    Text,
    empty_is_default,
)
from bot.units import Memory, Seconds, Timeout, lasting

PROJECT_FILE = ".pachops.yml"
_OTHER_NAME = ".pachops.yaml"
DEFAULT_ENVIRONMENT = "default"


class Image(Declared):
    """An image that the repository builds."""

    repository: Repository
    """Where it is pushed, without a tag."""
    context: InnerPath = "."
    """The folder that is the build context."""
    dockerfile: InnerPath = "Dockerfile"
    """Relative to the context."""
    tags: Annotated[tuple[Text, ...], Field(min_length=1, max_length=16)] = ("{sha}",)
    """Templates with {sha}, {short_sha}, {branch}, {release} and {date}."""
    platforms: Annotated[tuple[Platform, ...], Field(max_length=8)] = ()
    """What the image is built for; the builder's own platform where it is not said."""
    target: Text | None = None
    """The stage of the Dockerfile to build; the last one where it is not said."""
    build_args: Mapping[Text, str] = Field(default_factory=dict)
    """For the Dockerfile's `ARG`s; nothing secret."""
    secrets: tuple[SecretId, ...] = ()
    """Ids of the operator's build secrets that the Dockerfile mounts."""
    test: Command | None = None
    """Run inside the image before it is pushed; a string is a shell command."""
    test_timeout: Timeout = lasting("10m")
    """How long the test may take."""
    test_memory: Memory = "512m"
    """How much memory the test may take."""


class SpecsSource(Declared):
    """Specs that are files of the repository."""

    specs: InnerPath
    """A path; `*` and `?` stand for any characters within a folder, `**` for any folders."""


class JsonnetSource(Declared):
    """Specs that a jsonnet template gives."""

    jsonnet: InnerPath
    """A path, with the wildcards of `specs`."""
    args: Mapping[Text, str] = Field(default_factory=dict)
    """The template's arguments."""


class Verify(Declared):
    """How an update is watched."""

    timeout: Timeout = lasting("10m")
    """How long the pipelines may take until they are seen to work."""
    window: Seconds = lasting("15s")
    """How long they must stay out of an error state."""
    rollback: bool = True
    """Whether the old specs are put back when they do not work."""


class Environment(Gated):
    """A named place to deploy to."""

    project: PachydermName = "default"
    """The Pachyderm project: its pipelines are changed by environments that name it, and by no other."""
    cluster: Name = "default"
    """A cluster of the operator's settings."""
    verify: Annotated[
        Verify, BeforeValidator(empty_is_default, json_schema_input_type=Verify | None)
    ] = Verify()
    """How updates there are watched."""


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
    Environment, BeforeValidator(empty_is_default, json_schema_input_type=Environment | None)
]


class Project(Declared):
    """All that a repository declares; everything has a default."""

    images: Mapping[Name, Image] = Field(default_factory=dict)
    """By names of your own; without it the Dockerfile at the root."""
    pipelines: tuple[PipelineSource, ...] = ()
    """Where their specs are; without it the spec at the root."""
    environments: Mapping[Name, _DeclaredEnvironment] = Field(default_factory=dict)
    """Where to deploy to, by names of your own; without it `default`."""

    def declares(self, field: str) -> bool:
        """Whether the file says it itself: an empty list means none, and not the default."""
        return field in self.model_fields_set

    @property
    def _known(self) -> Mapping[str, Environment]:
        return self.environments or {DEFAULT_ENVIRONMENT: Environment()}

    def rules(self) -> Rules:
        """What the gate asks; only those of the default branch's file are the repository's."""
        return Rules({name: each.rules() for name, each in self._known.items()})

    def places(self) -> Mapping[str, Place]:
        """Where each environment has its pipelines; clusters by the names that are written."""
        return {name: Place(each.cluster, each.project) for name, each in self._known.items()}

    def environment(self, name: str | None) -> tuple[str, Environment]:
        """The environment that a command means; StoppedError where that is not clear.

        A repository that declares none has one, `default`; one that declares a single
        environment means that one unless told otherwise.
        """
        known = self._known
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
        if not self.environments:
            raise StoppedError(
                Code.ENVIRONMENT_UNKNOWN,
                f"'{name}' is not an environment: the repository has no {PROJECT_FILE} "
                f"that declares any, so there is only `{DEFAULT_ENVIRONMENT}`",
                next_step=f"Leave out `--to`, or declare '{name}' under `environments` there.",
            )
        near = nearest(name, known)
        raise StoppedError(
            Code.ENVIRONMENT_UNKNOWN,
            f"'{name}' is not an environment of this repository; there are: {listed}",
            where=f"{PROJECT_FILE}: environments",
            next_step=f"Did you mean `--to {near}`?" if near else None,
        )


def misplaced(at_root: Collection[str]) -> StoppedError | None:
    """What is wrong where the project file is none, by the names beside which it should be."""
    if PROJECT_FILE in at_root:
        return StoppedError(
            Code.PROJECT_INVALID,
            "it is a folder, or a link that leads nowhere in the repository",
            where=PROJECT_FILE,
            next_step="Commit a file in its place.",
        )
    if _OTHER_NAME in at_root:
        return StoppedError(
            Code.PROJECT_INVALID,
            f"the project file is called {PROJECT_FILE}",
            where=_OTHER_NAME,
            next_step=f"Rename it: `git mv {_OTHER_NAME} {PROJECT_FILE}`.",
        )
    return None


def parse_project(text: bytes, *, file: str = PROJECT_FILE) -> Project:
    """Read a project file; StoppedError names the line and what to write instead.

    An empty file declares nothing, which is allowed.
    """
    document = read_yaml(text, file=file, code=Code.PROJECT_INVALID)
    try:
        return Project.model_validate({} if document.data is None else document.data)
    except ValidationError as error:
        problems = find_problems(error, Project, document.where, {})
    raise stopped(Code.PROJECT_INVALID, problems, next_step=None)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a project file, for editors and for docs."""
    schema = TypeAdapter(Project).json_schema(mode="validation")
    return {"$schema": GenerateJsonSchema.schema_dialect} | schema
