"""Commands that keep others from deploying, and let them again."""

from dataclasses import dataclass
from typing import ClassVar

from bot.domain.command_arguments import ENVIRONMENT
from bot.domain.command_form import (
    Argument,
    Form,
    Option,
    Who,
    read_duration,
    read_owner,
    read_reason,
    seconds_of_duration,
)

EVERYWHERE = Option(
    "everywhere", "--all", "All environments of the repository.", instead_of="environment"
)


@dataclass(frozen=True)
class Lock:
    """Keep others from deploying."""

    form: ClassVar[Form] = Form(
        "lock",
        "Keep everybody else from deploying to an environment. On a pull request it is released "
        "when that is merged or closed.",
        Who.DEPLOYERS,
        (ENVIRONMENT, Argument("reason", "REASON", read_reason, flag="--reason", takes_rest=True)),
        (
            EVERYWHERE,
            Option(
                "lasts",
                "--for",
                "How long; without it, until it is released.",
                metavar="2h",
                read=read_duration,
            ),
            Option(
                "take_from",
                "--take-from",
                "Take over the lock of this person, who gets a notice.",
                metavar="NAME",
                read=read_owner,
            ),
        ),
        (
            "lock production",
            "lock production --for 2h trying another base image",
            "lock --all --for 1d the cluster is moved",
            "lock production --take-from grace",
        ),
        near=("freeze", "hold"),
    )

    environment: str | None = None
    """None: the only one that there is."""
    reason: str = ""
    everywhere: bool = False
    """All environments, those that do not exist yet too."""
    lasts: str | None = None
    """Such as `2h`; None: until it is released."""
    take_from: str | None = None
    """Whose lock it was when they looked."""

    @property
    def seconds(self) -> float | None:
        """How long it lasts."""
        return None if self.lasts is None else float(seconds_of_duration(self.lasts))


@dataclass(frozen=True)
class Unlock:
    """Let others deploy again."""

    form: ClassVar[Form] = Form(
        "unlock",
        "Let everybody deploy to an environment again.",
        Who.DEPLOYERS,
        (ENVIRONMENT,),
        (
            EVERYWHERE,
            Option(
                "owner",
                "--of",
                "Whose lock it is, where it is not your own; they get a notice.",
                metavar="NAME",
                read=read_owner,
            ),
        ),
        ("unlock production", "unlock production --of grace", "unlock --all"),
        near=("unfreeze", "thaw"),
    )

    environment: str | None = None
    everywhere: bool = False
    """The lock of all environments, not each one's own."""
    owner: str | None = None
    """Whose lock it was when they looked; None: their own."""


@dataclass(frozen=True)
class Resume:
    """Let an environment follow pushes and releases again."""

    form: ClassVar[Form] = Form(
        "resume",
        "Let pushes and releases deploy to an environment again after a rollback, without "
        "deploying now.",
        Who.DEPLOYERS,
        (ENVIRONMENT,),
        examples=("resume production",),
        near=("continue", "unhold"),
    )

    environment: str | None = None
