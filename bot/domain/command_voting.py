"""Commands of those who let a deployment go on or end it."""

from dataclasses import dataclass
from typing import ClassVar

from bot.domain.command_arguments import DEPLOYMENT
from bot.domain.command_form import (
    Argument,
    Form,
    Who,
    read_seen,
)

SEEN = Argument("seen", "SHA|DIGEST", read_seen, flag="--at")


@dataclass(frozen=True)
class Approve:
    """Let a deployment that waits go on."""

    form: ClassVar[Form] = Form(
        "approve",
        "Let a deployment that waits for approval go on.",
        Who.APPROVERS,
        (DEPLOYMENT, SEEN),
        examples=("approve", "approve 06h8k2m4 3f9a2c1d7b"),
        near=("lgtm", "confirm", "yes"),
    )

    deployment: str | None = None
    """None: the one of this pull request that waits for approval."""
    seen: str | None = None
    """The first digits of the commit, or of the plan's digest, that they looked at."""


@dataclass(frozen=True)
class Reject:
    """End a deployment that waits for approval."""

    form: ClassVar[Form] = Form(
        "reject",
        "End a deployment that waits for approval.",
        Who.APPROVERS,
        (DEPLOYMENT, SEEN),
        examples=("reject", "reject 06h8k2m4 3f9a2c1d7b"),
        near=("deny", "no"),
    )

    deployment: str | None = None
    seen: str | None = None
