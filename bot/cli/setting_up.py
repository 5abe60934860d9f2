"""What is needed outside is made, and looked at."""

import asyncio
import logging
import os
from collections.abc import Sequence
from typing import IO, Annotated, cast

import typer
from rich.console import Console
from rich.text import Text

from bot.cli.ending import STATUS, explained
from bot.cli.log import keep_a_log
from bot.cli.noting import noted_if_it_can, on, where_there_is_one
from bot.cli.options import Json
from bot.cli.output import tell, write
from bot.domain.finding import Finding
from bot.domain.reasons import Code, Kind, StoppedError
from bot.settings import Settings, load_settings
from handlers.reports.findings import finding_json, finding_lines
from handlers.reports.stream import standard_output


def setup_github(
    *,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="https://HOST",
            help="Where GitHub reaches `pachops serve` from outside; the page asks for it too.",
        ),
    ] = None,
    organization: Annotated[
        str | None,
        typer.Option("--organization", metavar="ORG", help="Whose App it is; default: your own."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Of the App.")] = None,
    teams: Annotated[
        bool, typer.Option("--teams", help="Rules name teams: the App may read who is in them.")
    ] = False,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Of the page on this machine.")
    ] = 8765,
) -> None:
    """Make the bot's GitHub App, with a page in your browser, and keep its keys."""
    with explained():
        settings = load_settings(os.environ)
        keep_a_log(settings)
        from bot.services.github import AppWish  # noqa: PLC0415 - heavy
        from bot.setup import interrupted, new_name, set_up  # noqa: PLC0415 - heavy

        address = url.strip().rstrip("/") if url else None
        wish = AppWish(name or new_name(organization), address, organization, teams)

        async def made() -> None:
            async with noted_if_it_can(settings, on):
                await set_up(settings, wish, tell, port=port)

        try:
            asyncio.run(made())
        except KeyboardInterrupt:
            raise interrupted() from None


def setup_slack(
    *,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="https://HOST",
            help="Where Slack reaches `pachops serve`, for mode http; without it, Socket Mode.",
        ),
    ] = None,
) -> None:
    """Walk through making the Slack app, and check every token and scope."""
    with explained():
        settings = load_settings(os.environ)
        from bot.slack_setup import set_up  # noqa: PLC0415 - heavy

        address = url.strip().rstrip("/") if url else None

        async def walked() -> bool:
            async with noted_if_it_can(settings, on):
                if address is not None and not address.startswith("https://"):
                    raise StoppedError(Code.BAD_COMMAND, "must begin with https://", where="--url")
                return await set_up(settings.slack, address, write)

        is_whole = asyncio.run(walked())
    if not is_whole:
        raise typer.Exit(STATUS[Kind.USAGE])


def doctor(*, as_json: Json = False) -> None:
    """Look at every connection, permission and clock, and say how to mend what does not work."""
    from bot.examination import examine_all, has_faults  # noqa: PLC0415 - heavy

    async def looked(settings: Settings) -> Sequence[Finding]:
        async with noted_if_it_can(settings, where_there_is_one):
            return await examine_all(settings)

    with explained():
        settings = load_settings(os.environ)
        logging.basicConfig(handlers=[logging.NullHandler()], force=True)
        findings = asyncio.run(looked(settings))
    if as_json:
        for finding in findings:
            write(finding_json(finding))
    else:
        output = standard_output()
        console = Console(file=cast(IO[str], output), highlight=False)
        for text, style in finding_lines(findings, output.marks):
            console.print(Text(text, style), soft_wrap=True)
    if has_faults(findings):
        raise typer.Exit(STATUS[Kind.FAILED])
