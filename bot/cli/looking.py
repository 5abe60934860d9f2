"""What only looks: at what runs, what was, who did it."""

import json
import os
import sys
import time
from collections.abc import Iterable, Mapping
from functools import partial
from itertools import starmap
from typing import Annotated

import typer

from bot.cli.options import Identity, Json, read
from bot.cli.output import draw, write
from bot.cli.stored import Stored, change, look
from bot.domain.audit import parse_head
from bot.domain.reasons import Code, StoppedError
from bot.settings import load_settings
from bot.units import since_when
from handlers.reports import audit as audit_words
from handlers.reports import words
from handlers.reports.awaiting import awaited_line
from handlers.reports.json_lines import (
    JsonLines,
    awaited_json,
    deployment_json,
    hold_json,
    lock_json,
)
from handlers.reports.locks import hold_line, lock_line
from handlers.reports.plain import PlainLines
from handlers.reports.tables import deployment_view, history_table, status_table
from handlers.reports.why import why_lines


def status(*, as_json: Json = False) -> None:
    """What runs where, what is under way and what waits."""

    async def work(stored: Stored) -> None:
        now = time.time()
        found = await stored.deployments.list(limit=500)
        locks, holds = await stored.locks(now), await stored.holds(found)
        awaiting = await stored.awaiting.list()
        if as_json:
            for each in found:
                _write_json("deployment", deployment_json(each, await stored.place(each)))
            _write_all("awaiting", map(awaited_json, awaiting))
            _write_all("lock", map(lock_json, locks))
            _write_all("hold", starmap(hold_json, holds))
            return
        draw(status_table(found, now=now))
        _write_of((each.request.repository, awaited_line(each, now)) for each in awaiting)
        _write_of((each.repository, lock_line(each, now)) for each in locks)
        for request, hold in holds:
            write(f"{hold_line(request.environment, hold, 'pachops')}.")
        if not await stored.is_served() and await stored.deployments.unfinished():
            write(words.NO_BOT if stored.is_file else words.NO_WORKER)

    look(work)


def history(
    *,
    to: Annotated[
        str | None, typer.Option("--to", metavar="ENVIRONMENT", help="Only this environment.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 20,
    as_json: Json = False,
) -> None:
    """The deployments so far, the newest first."""

    async def work(stored: Stored) -> None:
        found = await stored.deployments.list(environment=to, limit=limit)
        if as_json:
            for each in found:
                _write_json("deployment", deployment_json(each))
            return
        if to and not found:
            write(words.never_deployed(to))
            return
        draw(history_table(found, now=time.time()))

    look(work)


def show(
    identity: Identity,
    *,
    log: Annotated[bool, typer.Option("--log", help="Every line of its log too.")] = False,
    as_json: Json = False,
) -> None:
    """One deployment, whole: what was asked, each stage, how it ended."""

    async def work(stored: Stored) -> None:
        deployment = await stored.find(identity)
        events = await stored.events(deployment.id)
        if as_json:
            facts = {"preparation": await stored.deployments.load(deployment.id, "preparation")}
            _write_json("deployment", deployment_json(deployment) | facts)
        if as_json or log:
            report = JsonLines(sys.stdout) if as_json else PlainLines(sys.stdout)
            for at, event in events:
                report.show(at, event)
            report.close()
            return
        draw(deployment_view(deployment, events, now=time.time()))

    look(work)


def why(
    identity: Annotated[
        str | None, typer.Argument(metavar="ID", help="A deployment; the newest event without.")
    ] = None,
) -> None:
    """Why a deployment waits, was refused or failed: the facts, the rule and what to do."""

    async def work(stored: Stored) -> None:
        from handlers.commands.explaining import explain, explain_newest  # noqa: PLC0415 - heavy

        if identity is not None:
            explanation = await explain(stored.sources, await stored.find(identity))
        elif (newest := await explain_newest(stored.sources)) is not None:
            explanation = newest
        else:
            raise StoppedError(Code.DEPLOYMENT_UNKNOWN, "nothing was deployed or refused so far")
        for line in why_lines(explanation, "pachops", time.time()):
            write(line)

    look(work)


def audit(
    *,
    verify: Annotated[
        bool, typer.Option("--verify", help="Look whether every row is as it was written.")
    ] = False,
    expect: Annotated[
        str | None,
        typer.Option(
            "--expect", metavar="HEAD", help="With --verify: a head that was printed earlier."
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="2h, 7d, or a day such as 2026-11-30."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Who did what, from where, on which facts; the oldest first."""

    async def work(stored: Stored) -> None:
        if verify or expect is not None:
            noted = read("--expect", parse_head, expect) if expect is not None else None
            head, faults = await stored.audit.verify(noted)
            write(audit_words.verified(head, faults, as_json=as_json))
            if faults:
                raise StoppedError(Code.AUDIT_BROKEN, faults[0].text, where=f"row {faults[0].seq}")
            return
        when = partial(since_when, now=time.time())
        begin = None if since is None else read("--since", when, since)
        async for row in stored.audit_rows(begin):
            write(audit_words.as_json(row) if as_json else audit_words.line(row))

    look(work)


def link(
    identity: Annotated[
        str | None, typer.Argument(metavar="ID", help="A deployment; all of them without one.")
    ] = None,
    *,
    hours: Annotated[
        int, typer.Option("--hours", min=1, max=8760, help="How long it is good.")
    ] = 12,
) -> None:
    """A link to a deployment's page, or to all pages, good for whoever has it."""

    async def work(stored: Stored) -> None:
        from bot.site import signed_link  # noqa: PLC0415 - heavy

        wanted = (await stored.find(identity)).id if identity is not None else None
        until = time.time() + hours * 3600
        write(signed_link(load_settings(os.environ), wanted, until=until))

    change(work)


def _write_of(lines: Iterable[tuple[str, str]]) -> None:
    """Each with the repository that it is about."""
    for repository, line in lines:
        write(f"{words.repository_name(repository)}: {line}.")


def _write_all(event: str, found: Iterable[Mapping[str, object]]) -> None:
    for each in found:
        _write_json(event, each)


def _write_json(event: str, fields: Mapping[str, object]) -> None:
    write(json.dumps({"event": event} | dict(fields)))
