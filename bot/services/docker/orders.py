"""What the Docker Engine is asked for, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import SecretStr


@dataclass(frozen=True)
class LocalImage:
    """An image that is on the engine."""

    id: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class BuildOrder:
    """An image to build; its context comes as a tar stream."""

    image: str
    """Our name for it, used in events."""
    tags: tuple[str, ...]
    """Full references."""
    dockerfile: str
    """Path in the context."""
    place: str = ""
    """The Dockerfile's path for people; without one, `dockerfile`."""
    target: str | None = None
    build_args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    platforms: tuple[str, ...] = ()
    """Such as `linux/arm64`; the builder's own where none is said. Only buildx takes any."""
    no_network: bool = False
    no_logins: bool = False
    """Whether images are pulled as anybody would."""
    no_cache: bool = False
    """Whether every step runs, whatever earlier builds left."""
    bases: tuple[str, ...] = ()
    """References it is FROM, as far as they are known.

    BuildKit asks for the logins it needs; the legacy builder must be told them before. It gets those
    of the registries of `bases` and `tags`.
    """


@dataclass(frozen=True)
class TestOrder:
    """A command to run in an image, locked down; `command` replaces the image's entry point."""

    __test__: ClassVar[bool] = False
    """pytest takes a class of this name for tests."""

    image: str
    """Our name for it, used in events."""
    reference: str
    command: tuple[str, ...]
    timeout: float
    """Seconds."""
    memory: int | str
    """Bytes, or docker's way to write them: `512m`."""
    environment: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    """`pachops.deployment` lets `remove_leftovers` find the container of a killed bot."""


@dataclass(frozen=True)
class TestRun:
    """How a test ended.

    A command that is not in the image ends with 127, and the last line of its output says so.
    """

    __test__: ClassVar[bool] = False

    exit_code: int
    out_of_memory: bool
    """As far as the engine saw it: rarely one was killed for it and only its exit status 137 tells."""
    timed_out: bool
    seconds: float
    output_tail: tuple[str, ...]
    """The last lines."""
