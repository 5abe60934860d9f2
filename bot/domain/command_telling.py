"""Commands that tell something and change nothing."""

from dataclasses import dataclass
from typing import ClassVar

from bot.domain.command_arguments import DEPLOYMENT
from bot.domain.command_form import (
    Argument,
    Form,
    Who,
    read_topic,
)


@dataclass(frozen=True)
class Status:
    """What runs where."""

    form: ClassVar[Form] = Form(
        "status",
        "What runs where, what is under way and what waits.",
        Who.READERS,
        examples=("status",),
        near=("state", "list", "where"),
    )


@dataclass(frozen=True)
class History:
    """The deployments so far."""

    form: ClassVar[Form] = Form(
        "history",
        "The deployments so far, the newest first.",
        Who.READERS,
        examples=("history",),
        near=("log", "past"),
    )


@dataclass(frozen=True)
class Why:
    """Why a deployment waits, was refused or failed."""

    form: ClassVar[Form] = Form(
        "why",
        "Why a deployment waits, was refused or failed.",
        Who.READERS,
        (DEPLOYMENT,),
        examples=("why", "why 06h8k2m4"),
        near=("explain", "reason"),
    )

    deployment: str | None = None


@dataclass(frozen=True)
class Help:
    """How commands are written."""

    form: ClassVar[Form] = Form(
        "help",
        "How commands are written.",
        Who.READERS,
        (Argument("topic", "COMMAND", read_topic),),
        examples=("help", "help deploy"),
        near=("commands", "usage", "?"),
    )

    topic: str | None = None
    """A command's name; None: all of them."""
