"""What a plan asks of the registry and of pachd; it changes neither."""

from collections.abc import Mapping
from typing import Protocol

from bot.services.pachyderm import LivePipeline


class Registry(Protocol):
    """As the registry's service does it, with its errors."""

    async def digest(self, repository: str, tag: str) -> str | None:
        """The digest that a tag has; None where there is none."""


class Cluster(Protocol):
    """As the Pachyderm client does it, with its errors."""

    async def version(self) -> str:
        """The version of pachd."""

    async def inspect(self, project: str, name: str) -> LivePipeline | None:
        """The pipeline as it is now; None where there is none."""

    async def effective(self, spec_json: str) -> dict[str, object]:
        """The spec with the defaults of cluster and project."""

    async def render(self, template: str, args: Mapping[str, str]) -> str:
        """A jsonnet template as JSON."""
