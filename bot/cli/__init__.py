"""The commands that a person types, one file for each group of them.

Heavy parts are imported by the command that needs them: the engine and the SDKs take seconds.
"""

import os
from importlib.metadata import version
from typing import Annotated

import typer

from bot.cli import deciding, deploying, keeping, locking, looking, setting_up, standing
from bot.cli.output import write
from bot.garbage import load_quickly
from handlers.reports.stream import standard_error, standard_output

app = typer.Typer(
    name="pachops",
    help="From a commit to Pachyderm pipelines that run the image built from it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
setup = typer.Typer(help="Make what pachops needs outside.", no_args_is_help=True)

for _command in (
    deploying.deploy,
    deploying.rollback,
    looking.status,
    looking.history,
    looking.show,
    deciding.cancel,
    deciding.approve,
    deciding.reject,
    locking.lock,
    locking.unlock,
    locking.resume,
    looking.why,
    looking.audit,
    standing.worker,
    standing.serve,
    deploying.action,
    keeping.backup,
    keeping.restore,
    looking.link,
    setting_up.doctor,
):
    app.command()(_command)
setup.command("github")(setting_up.setup_github)
setup.command("slack")(setting_up.setup_slack)
app.add_typer(setup, name="setup")


def main() -> None:
    """The `pachops` command."""
    load_quickly()
    try:
        app()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    standard_output().flush()
    standard_error().flush()
    # All that was opened is closed. Taking the SDKs' modules apart would take half a second.
    os._exit(status)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer's
    if wanted:
        write(f"pachops {version('pachops')}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    pass
