"""What deploys: a commit, an earlier deployment, a step of a workflow."""

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.ending import exit_status
from bot.cli.following import carried_out, follow
from bot.cli.log import keep_a_log
from bot.cli.options import Json, Repository
from bot.domain.progress import Finished

if TYPE_CHECKING:
    from bot.session import Session


def deploy(  # noqa: PLR0913 - each is an option
    repository: Repository = ".",
    ref: Annotated[
        str | None, typer.Option("--ref", metavar="REF", help="Branch, tag or SHA.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="ENVIRONMENT", help="Where to deploy to.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="NAME", help="Only this image or pipeline; repeatable."),
    ] = None,
    *,
    reprocess: Annotated[
        bool, typer.Option("--reprocess", help="Compute data again that was processed before.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the plan and change nothing.")
    ] = False,
    force: Annotated[
        str | None,
        typer.Option(
            "--force", metavar="REASON", help="Skip freezes, locks and approvals, for a reason."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Build, test, push, update and verify what a commit changes."""

    async def work(session: "Session") -> Finished:
        from bot.session import DeployOrder  # noqa: PLC0415 - heavy

        order = DeployOrder(repository, ref, to, tuple(only or ()), reprocess, force)
        return await (session.plan(order) if dry_run else session.deploy(order))

    follow(work, as_json=as_json)


def rollback(
    repository: Annotated[
        str | None, typer.Argument(metavar="PATH|URL", help="Where several are deployed.")
    ] = None,
    *,
    to: Annotated[str, typer.Option("--to", metavar="ENVIRONMENT", help="What to take back.")],
    steps: Annotated[
        int, typer.Option("--steps", min=1, help="How many good deployments to undo.")
    ] = 1,
    as_json: Json = False,
) -> None:
    """Put back the specs and images of an earlier good deployment."""

    async def work(session: "Session") -> Finished:
        from bot.session import RollbackOrder  # noqa: PLC0415 - heavy

        return await session.roll_back(RollbackOrder(to, steps, repository))

    follow(work, as_json=as_json)


def action() -> None:
    """Deploy as a step of a GitHub Actions workflow: what action.yml runs."""
    from bot.action import ActionStep  # noqa: PLC0415 - heavy

    step = ActionStep(os.environ, sys.stdout)

    def opened() -> "Session":
        settings = step.settings()
        keep_a_log(settings)
        return step.session(settings)

    at, ended = carried_out(opened, step.work)
    step.report.show(at, ended)
    step.finish(ended)
    raise typer.Exit(exit_status(ended))
