"""Commands that deploy, or say what that would do."""

from dataclasses import dataclass, replace
from typing import ClassVar

from bot.domain.command_arguments import DEPLOYMENT, ENVIRONMENT, MOST_NAMES
from bot.domain.command_form import (
    Argument,
    Form,
    Option,
    Who,
    read_environment,
    read_name,
    read_reason,
    read_ref,
    read_steps,
)


@dataclass(frozen=True)
class Deploy:
    """Bring an environment to a commit."""

    form: ClassVar[Form] = Form(
        "deploy",
        "Build, test, push, update and verify what a commit changes.",
        Who.DEPLOYERS,
        (ENVIRONMENT, Argument("ref", "REF|SHA", read_ref, flag="--ref")),
        (
            Option(
                "only",
                "--only",
                "Only this image or pipeline.",
                metavar="NAME",
                read=read_name,
                most=MOST_NAMES,
            ),
            Option("reprocess", "--reprocess", "Compute data again that was processed before."),
            Option(
                "force",
                "--force",
                "Skip checks, reviews, freezes, locks and approvals, for a reason; comes last.",
                metavar="REASON",
                read=read_reason,
                takes_rest=True,
            ),
        ),
        ("deploy staging", "deploy production v1.4.0", "deploy staging --only edges"),
        near=("redeploy", "ship", "promote", "release", "run", "build", "update"),
    )

    environment: str | None = None
    """None: the only one that there is."""
    ref: str | None = None
    """None: the pull request's head, or the default branch where there is none."""
    only: tuple[str, ...] = ()
    reprocess: bool = False
    force: str | None = None
    """Why what can be skipped is to be skipped."""

    def meant_on(self, pull_request: int) -> "Deploy":
        """The same as it is meant on a pull request: its head by any name, a branch by its own."""
        name = (self.ref or "").removeprefix("refs/")
        if name in {"", "HEAD", "@", f"pull/{pull_request}/head"}:
            return replace(self, ref=None)
        branch = name.removeprefix("heads/")
        return self if branch == name else replace(self, ref=branch)


@dataclass(frozen=True)
class Plan:
    """Show what a deployment would do."""

    form: ClassVar[Form] = Form(
        "plan",
        "Show what a deployment would do, and change nothing.",
        Who.DEPLOYERS,
        (ENVIRONMENT,),
        examples=("plan staging",),
        near=("diff", "preview", "dry-run", "noop"),
    )

    environment: str | None = None


@dataclass(frozen=True)
class Rollback:
    """Put back what ran before."""

    form: ClassVar[Form] = Form(
        "rollback",
        "Put back the specs and images of an earlier good deployment.",
        Who.DEPLOYERS,
        (Argument("environment", "ENV", read_environment, flag="--to", required=True),),
        (
            Option(
                "steps",
                "--steps",
                "How many good deployments to undo; 1 where it is not said.",
                metavar="N",
                read=read_steps,
            ),
        ),
        ("rollback production", "rollback production --steps 2"),
        near=("revert", "undo", "back"),
    )

    environment: str
    steps: int = 1


@dataclass(frozen=True)
class Cancel:
    """Stop a deployment."""

    form: ClassVar[Form] = Form(
        "cancel",
        "Stop a deployment that waits or runs; what it changed is put back.",
        Who.DEPLOYERS,
        (DEPLOYMENT,),
        examples=("cancel", "cancel 06h8k2m4"),
        near=("abort", "stop", "kill"),
    )

    deployment: str | None = None
    """None: the one of this pull request that is under way."""
