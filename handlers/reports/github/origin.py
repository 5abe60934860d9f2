"""Where on GitHub a deployment was asked for, kept with the deployment."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

from pydantic import TypeAdapter

ORIGIN = "github"
"""The fact of a deployment that holds its origin; without it nothing is said on GitHub."""


@dataclass(frozen=True)
class Origin:
    """The place of a deployment's reports."""

    owner: str
    name: str
    installation: int | None = None
    """None with a token, or where the App is to ask."""
    pull_request: int | None = None
    comment_id: int | None = None
    """The comment that has the command."""
    head_sha: str | None = None
    has_our_comments: bool = True
    """Whether we may have commented there when it was asked for."""
    is_of_pull_request: bool | None = None
    """Whether the commit is known to be the pull request's own; None: an older version wrote it."""

    def sha_of(self, sha: str) -> str:
        """The commit that is told of, where `sha` is that of the deployment as far as it is known."""
        return sha or self.head_sha or ""

    def to_json(self) -> dict[str, Any]:
        """For `Deployments.save(id, ORIGIN, ...)`."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Origin":
        """What `to_json` gave; what it does not know is left out."""
        return _ORIGIN.validate_python(value)


_ORIGIN: TypeAdapter[Origin] = TypeAdapter(Origin)


def comment_marker(environment: str) -> str:
    """How the comment of an environment is known again."""
    return f"<!-- pachops:environment:{quote(environment, safe='')} -->"


def ask_marker(deployment: str) -> str:
    """How the comment that calls those who may approve is known again."""
    return f"<!-- pachops:ask:{quote(deployment, safe='')} -->"


def failure_marker(deployment: str) -> str:
    """How the comment that tells of a failure is known again."""
    return f"<!-- pachops:failure:{quote(deployment, safe='')} -->"
