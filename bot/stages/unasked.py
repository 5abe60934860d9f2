"""A registry and a cluster that nobody asks: for the plan of a commit that may meet no secret."""

import json
from collections.abc import Mapping

from bot.domain.reasons import Code, StoppedError
from bot.services.pachyderm import LivePipeline


class NoRegistry:
    """Has nothing."""

    async def digest(self, repository: str, tag: str) -> str | None:  # noqa: ARG002 - a registry's
        """There is none."""
        return None


class NoCluster:
    """Runs nothing, has no defaults, and renders nothing."""

    async def version(self) -> str:
        """None in particular."""
        return ""

    async def inspect(self, project: str, name: str) -> LivePipeline | None:  # noqa: ARG002 - a cluster's
        """There is none."""
        return None

    async def effective(self, spec_json: str) -> dict[str, object]:
        """The spec as it is."""
        effective: dict[str, object] = json.loads(spec_json)
        return effective

    async def render(self, template: str, args: Mapping[str, str]) -> str:  # noqa: ARG002 - a cluster's
        """A template may fetch what it names, from where the cluster is."""
        raise StoppedError(
            Code.FORK_NOT_ALLOWED,
            "the commit has a jsonnet template, which Pachyderm would have to render",
        )
