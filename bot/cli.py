"""The commands that a person types. Heavy parts are imported by the command that needs them."""

import asyncio
import gc
import getpass
import json
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, TypeVar, cast

import typer
from rich.console import Console, RenderableType
from rich.text import Text
from sqlalchemy import make_url

from bot.domain.approval import Cast, Verdict, Vote, refused_vote
from bot.domain.audit import Row, parse_head
from bot.domain.deployment import Actor, Deployment, Outcome
from bot.domain.progress import Finished, Progress
from bot.domain.reasons import Code, Kind, StoppedError
from bot.engine.claim import Claim, is_claimed
from bot.engine.workers import living
from bot.redact import Redactor
from bot.settings import Settings, load_settings
from bot.store.approvals import Approvals
from bot.store.audit import Audit
from bot.store.backup import back_up
from bot.store.backup import restore as put_back
from bot.store.database import Database
from bot.store.deployments import Deployments
from bot.store.progress import ProgressLog
from bot.units import since_when
from handlers.reports import audit as audit_words
from handlers.reports import words
from handlers.reports.findings import finding_json, finding_lines
from handlers.reports.json_lines import JsonLines, deployment_json
from handlers.reports.plain import PlainLines
from handlers.reports.reporter import Reporter, reporter_for
from handlers.reports.stream import standard_error, standard_output
from handlers.reports.summary import reason_lines
from handlers.reports.tables import deployment_view, history_table, status_table

if TYPE_CHECKING:
    # The engine and the SDKs take seconds to import; `pachops status` must not wait for them.
    from bot.session import Session

T = TypeVar("T")

_log = logging.getLogger(__name__)

app = typer.Typer(
    name="pachops",
    help="From a commit to Pachyderm pipelines that run the image built from it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Repository = Annotated[
    str, typer.Argument(metavar="PATH|URL", help="The repository; a local one by its path.")
]
Identity = Annotated[str, typer.Argument(metavar="ID", help="A deployment's id, or a part of it.")]

_USUAL_PACE = gc.get_threshold()
_STATUS = {Kind.USAGE: 2, Kind.REFUSED: 3, Kind.FAILED: 1, Kind.CANCELLED: 130}


def main() -> None:
    """The `pachops` command."""
    # The SDKs make objects by the hundred thousand that stay: to look through them for garbage
    # at the usual pace is a tenth of the start.
    gc.set_threshold(100_000, 20, 100)
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
        _write(f"pachops {version('pachops')}")
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


@app.command()
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
        from bot.session import DeployOrder  # noqa: PLC0415 - see above

        order = DeployOrder(repository, ref, to, tuple(only or ()), reprocess, force)
        return await (session.plan(order) if dry_run else session.deploy(order))

    _follow(work, as_json=as_json)


@app.command()
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
        from bot.session import RollbackOrder  # noqa: PLC0415 - see above

        return await session.roll_back(RollbackOrder(to, steps, repository))

    _follow(work, as_json=as_json)


@app.command()
def status(*, as_json: Json = False) -> None:
    """What runs where, what is under way and what waits."""

    async def work(stored: _Stored) -> None:
        found = await stored.deployments.list(limit=500)
        _show(found, status_table, as_json=as_json)
        if not as_json and not await stored.is_served() and await stored.deployments.unfinished():
            _write(words.NO_BOT if stored.is_file else words.NO_WORKER)

    _look(work)


@app.command()
def history(
    *,
    to: Annotated[
        str | None, typer.Option("--to", metavar="ENVIRONMENT", help="Only this environment.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 20,
    as_json: Json = False,
) -> None:
    """The deployments so far, the newest first."""

    async def work(stored: _Stored) -> None:
        found = await stored.deployments.list(environment=to, limit=limit)
        _show(found, history_table, as_json=as_json)

    _look(work)


@app.command()
def show(
    identity: Identity,
    *,
    log: Annotated[bool, typer.Option("--log", help="Every line of its log too.")] = False,
    as_json: Json = False,
) -> None:
    """One deployment, whole: what was asked, each stage, how it ended."""

    async def work(stored: _Stored) -> None:
        deployment = await stored.find(identity)
        events = await stored.events(deployment.id)
        if as_json:
            facts = {"preparation": await stored.deployments.load(deployment.id, "preparation")}
            _write(json.dumps({"event": "deployment"} | deployment_json(deployment) | facts))
        if as_json or log:
            report = JsonLines(sys.stdout) if as_json else PlainLines(sys.stdout)
            for at, event in events:
                report.show(at, event)
            report.close()
            return
        _draw(deployment_view(deployment, events, now=time.time()))

    _look(work)


@app.command()
def cancel(identity: Identity, *, as_json: Json = False) -> None:
    """Stop a deployment that waits or runs; what it changed is put back."""

    async def work(stored: _Stored) -> None:
        deployment = await stored.find(identity)
        result = await stored.deployments.request_cancel(deployment.id, _user())
        text = words.cancelled(result.value, deployment.id)
        if result.value == "running" and not await stored.is_served():
            text = words.cancelled_when_resumed(deployment.id)
        if as_json:
            text = json.dumps(
                {"event": "cancel", "deployment": deployment.id, "result": result.value}
            )
        _write(text)

    _look(work)


@app.command()
def approve(identity: Identity) -> None:
    """Let a deployment that waits for approval go on; never your own."""
    _vote(identity, Verdict.APPROVE)


@app.command()
def reject(identity: Identity) -> None:
    """End a deployment that waits for approval."""
    _vote(identity, Verdict.REJECT)


@app.command()
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

    async def work(stored: _Stored) -> None:
        if verify or expect is not None:
            noted = _read("--expect", parse_head, expect) if expect else None
            head, faults = await stored.audit.verify(noted)
            _write(audit_words.verified(head, faults, as_json=as_json))
            if faults:
                raise StoppedError(Code.AUDIT_BROKEN, faults[0].text, where=f"row {faults[0].seq}")
            return
        begin = _read("--since", partial(since_when, now=time.time()), since) if since else None
        async for row in stored.audit_rows(begin):
            _write(audit_words.as_json(row) if as_json else audit_words.line(row))

    _look(work)


@app.command()
def worker(
    *,
    drain: Annotated[
        bool, typer.Option("--drain", help="Finish what is there, then end; always so on SQLite.")
    ] = False,
) -> None:
    """Run deployments of a shared PostgreSQL database, until SIGTERM or Ctrl-C."""
    if drain or not _is_shared():
        _drain()
        return
    with _explained():
        settings = _load_settings_and_log()
        from bot.worker import work  # noqa: PLC0415 - see above

        asyncio.run(work(settings))


def _is_shared() -> bool:
    with _explained():
        return not load_settings(os.environ).database_url.startswith("sqlite")


def _drain() -> None:
    reporter = PlainLines(sys.stdout)
    with _explained():
        left = asyncio.run(_session(reporter).work())
    reporter.close()
    _write(words.left(left))
    if left:
        raise typer.Exit(_STATUS[Kind.CANCELLED])


@app.command()
def serve() -> None:
    """Listen to GitHub and run what is asked for, until SIGTERM or Ctrl-C."""
    with _explained():
        _load_settings_and_log()
        from bot.serve import serve as run  # noqa: PLC0415 - see above

        asyncio.run(run(partial(load_settings, os.environ), _tell))


setup_commands = typer.Typer(help="Make what pachops needs outside.", no_args_is_help=True)
app.add_typer(setup_commands, name="setup")


@setup_commands.command("github")
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
    with _explained():
        settings = load_settings(os.environ)
        _keep_a_log(settings)
        from bot.services.github import AppWish  # noqa: PLC0415 - see above
        from bot.setup import interrupted, new_name, set_up  # noqa: PLC0415 - see above

        address = url.strip().rstrip("/") if url else None
        wish = AppWish(name or new_name(organization), address, organization, teams)
        try:
            asyncio.run(set_up(settings, wish, _tell, port=port))
        except KeyboardInterrupt:
            raise interrupted() from None


@setup_commands.command("slack")
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
    with _explained():
        settings = load_settings(os.environ)
        from bot.slack_setup import set_up  # noqa: PLC0415 - see above

        address = url.strip().rstrip("/") if url else None
        if address is not None and not address.startswith("https://"):
            raise StoppedError(Code.BAD_COMMAND, "must begin with https://", where="--url")
        is_whole = asyncio.run(set_up(settings.slack, address, _write))
    if not is_whole:
        raise typer.Exit(_STATUS[Kind.USAGE])


@app.command()
def action() -> None:
    """Deploy as a step of a GitHub Actions workflow: what action.yml runs."""
    from bot.action import ActionStep  # noqa: PLC0415 - see above

    step = ActionStep(os.environ, sys.stdout)

    def opened() -> "Session":
        settings = step.settings()
        _keep_a_log(settings)
        return step.session(settings)

    at, ended = _carried_out(opened, step.work)
    step.report.show(at, ended)
    step.finish(ended)
    raise typer.Exit(_status(ended))


def _load_settings_and_log() -> Settings:
    """For processes that stand: their log goes to stderr, and garbage must not pile up."""
    gc.set_threshold(*_USUAL_PACE)
    settings = load_settings(os.environ)
    _log_to(logging.StreamHandler(), settings)
    return settings


File = Annotated[str, typer.Argument(metavar="FILE")]


@app.command()
def backup(file: File) -> None:
    """Copy the SQLite database into a new FILE, also while a bot runs."""
    with _explained():
        asyncio.run(back_up(_database_file("pg_dump"), Path(file).absolute()))
    _write(words.backed_up(file))


@app.command()
def restore(file: File) -> None:
    """Put a backup in the SQLite database's place; no bot may run."""
    with _explained():
        database = _database_file("pg_restore")
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        claim = Claim(database)
        try:
            old = asyncio.run(put_back(Path(file).absolute(), database))
        finally:
            claim.release()
    _write(words.restored(str(database), str(old) if old else None))


def _database_file(program: str) -> Path:
    url = make_url(load_settings(os.environ).database_url)
    if url.drivername != "sqlite" or not url.database:
        raise StoppedError(
            Code.BAD_COMMAND,
            "the database is PostgreSQL, which has its own way",
            next_step=f"Use `{program}`.",
        )
    return Path(url.database)


@app.command()
def link(
    identity: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="A deployment; all of them without one.")
    ] = None,
    *,
    hours: Annotated[
        int, typer.Option("--hours", min=1, max=8760, help="How long it is good.")
    ] = 12,
) -> None:
    """A link to a deployment's page, or to all pages, good for whoever has it."""

    async def work(stored: _Stored) -> None:
        from bot.site import signed_link  # noqa: PLC0415 - see above

        wanted = (await stored.find(identity)).id if identity else None
        _write(signed_link(load_settings(os.environ), wanted, until=time.time() + hours * 3600))

    _look(work)


@app.command()
def doctor(*, as_json: Json = False) -> None:
    """Look at every connection, permission and clock, and say how to mend what does not work."""
    from bot.examination import examine_all, has_faults  # noqa: PLC0415 - see above

    with _explained():
        settings = load_settings(os.environ)
        logging.basicConfig(handlers=[logging.NullHandler()], force=True)
        findings = asyncio.run(examine_all(settings))
    if as_json:
        for finding in findings:
            _write(finding_json(finding))
    else:
        output = standard_output()
        console = Console(file=cast(IO[str], output), highlight=False)
        for text, style in finding_lines(findings, output.marks):
            console.print(Text(text, style), soft_wrap=True)
    if has_faults(findings):
        raise typer.Exit(_STATUS[Kind.FAILED])


class _Stored:
    """What the database has; read without starting the engine."""

    def __init__(self, database: Database) -> None:
        self.deployments = Deployments(database)
        self.approvals = Approvals(database)
        self.audit = Audit(database)
        self._progress = ProgressLog(database)
        self._database = database

    @property
    def is_file(self) -> bool:
        """Whether the database is one bot's alone."""
        return self._database.path is not None

    async def is_served(self) -> bool:
        """Whether a bot runs deployments from this database now."""
        if self._database.path is None:
            return bool(await self._database.write(living))
        return is_claimed(self._database.path)

    async def find(self, identity: str) -> Deployment:
        """The deployment that a person means."""
        found = await self.deployments.get(identity)
        if found is None:
            raise StoppedError(Code.DEPLOYMENT_UNKNOWN, f"none has the id '{identity}'")
        return found

    async def audit_rows(self, since: float | None) -> AsyncIterator[Row]:
        """The audit from this time on, the oldest first."""
        after = 0
        while rows := await self.audit.read(after=after, since=since):
            for row in rows:
                yield row
            after = rows[-1].seq

    async def events(self, identity: str) -> list[tuple[float, Progress]]:
        """All that it said of itself."""
        events: list[tuple[float, Progress]] = []
        after = 0
        while batch := await self._progress.read(identity, after):
            events += [(at, event) for _, at, event in batch]
            after = batch[-1][0]
        return events


def _vote(identity: str, verdict: Verdict) -> None:
    async def work(stored: _Stored) -> None:
        deployment = await stored.find(identity)
        vote = Vote(Actor(_user(), "cli"), verdict, time.time())
        cast_vote = await stored.approvals.vote(deployment.id, vote)
        if cast_vote in {Cast.COUNTED, Cast.ALREADY}:
            _write(words.VOTES[cast_vote, verdict].format(deployment.id))
            return
        raise refused_vote(cast_vote, deployment.id, vote)

    _look(work)


def _read(option: str, read: Callable[[str], T], text: str) -> T:
    """An option's value; BAD_COMMAND where it is none."""
    try:
        return read(text)
    except ValueError as error:
        raise StoppedError(Code.BAD_COMMAND, f"{option} {error}") from error


def _look(work: Callable[[_Stored], Coroutine[object, object, None]]) -> None:
    """Run a command that only needs the database."""

    async def opened() -> None:
        database = await Database.open(load_settings(os.environ).database_url)
        try:
            await work(_Stored(database))
        finally:
            await database.close()

    with _explained():
        asyncio.run(opened())


def _follow(
    work: "Callable[[Session], Coroutine[object, object, Finished]]", *, as_json: bool
) -> None:
    """Run a command that ends with a Finished, and with its exit status."""
    reporter = reporter_for(sys.stdout, json=as_json)
    at, ended = _carried_out(lambda: _session(reporter), work)
    reporter.show(at, ended)
    reporter.close()
    raise typer.Exit(_status(ended))


def _carried_out(
    opened: "Callable[[], Session]",
    work: "Callable[[Session], Coroutine[object, object, Finished]]",
) -> tuple[float, Finished]:
    """When and how the work ended, however that came."""
    session: Session | None = None
    try:
        session = opened()
        ended = asyncio.run(work(session))
    except StoppedError as error:
        kind = error.reason.kind
        outcome = Outcome.FAILED if kind is Kind.FAILED else Outcome.REFUSED
        ended = _ended(outcome, error, session)
    except KeyboardInterrupt:
        left = session.unsettled if session else None
        stopped = StoppedError(
            Code.CANCELLED,
            words.LEFT_UNSETTLED if left else words.INTERRUPTED,
            next_step=words.SETTLE if left else None,
        )
        ended = _ended(Outcome.CANCELLED, stopped, session)
    except Exception as error:  # noqa: BLE001 - a person gets a reason, never a traceback
        _log.exception("the command failed")
        fact = f"{type(error).__name__}: {error}"
        ended = _ended(Outcome.FAILED, StoppedError(Code.INTERNAL_ERROR, fact), session)
    # It may have ended a while ago: what an interrupted bot left is finished before we say so.
    return (session and session.ended_at) or time.time(), ended


def _ended(outcome: Outcome, error: StoppedError, session: "Session | None") -> Finished:
    deployment = session.unsettled if session else None
    reason = error.reason
    if deployment and outcome is Outcome.FAILED:
        reason = replace(reason, next_step=f"{reason.next_step} {words.GO_ON}")
    return Finished(outcome, deployment, None, (), (), reason)


def _status(ended: Finished) -> int:
    if ended.outcome is Outcome.SUCCEEDED:
        return 0
    if ended.outcome is Outcome.CANCELLED:
        return _STATUS[Kind.CANCELLED]
    if ended.outcome in {Outcome.REFUSED, Outcome.SUPERSEDED} and ended.reason is not None:
        return _STATUS[ended.reason.kind]
    return _STATUS[Kind.FAILED]


def _session(reporter: Reporter) -> "Session":
    settings = load_settings(os.environ)
    _keep_a_log(settings)
    from bot.session import Session  # noqa: PLC0415 - see above

    return Session(settings, reporter)


def _keep_a_log(settings: Settings) -> None:
    """The bot's own log goes to a file: the terminal is the deployment's."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = logging.FileHandler(settings.log_file, delay=True)
    except OSError as error:
        raise StoppedError(
            Code.DATA_DIR_UNUSABLE, error.strerror or str(error), where=str(settings.data_dir)
        ) from error
    # A log that cannot be written any more, on a full disk, is nothing for the person's terminal.
    logging.raiseExceptions = False
    _log_to(handler, settings)


def _log_to(handler: logging.Handler, settings: Settings) -> None:
    from bot.logs import keep_log  # noqa: PLC0415 - see above

    keep_log(
        handler,
        level=settings.log_level,
        as_json=settings.log_format == "json",
        redactor=Redactor(settings.secrets()),
    )


@contextmanager
def _explained() -> Iterator[None]:
    """A reason for people and its exit status instead of a traceback."""
    try:
        yield
    except StoppedError as error:
        for line in reason_lines(error.reason):
            console = Console(file=cast(IO[str], standard_error()), highlight=False)
            console.print(line.rich)
        raise typer.Exit(_STATUS[error.reason.kind]) from error


def _show(
    found: Sequence[Deployment],
    table: Callable[..., RenderableType],
    *,
    as_json: bool,
) -> None:
    if not as_json:
        _draw(table(found, now=time.time()))
        return
    for each in found:
        _write(json.dumps({"event": "deployment"} | deployment_json(each)))


def _draw(renderable: RenderableType) -> None:
    Console(file=cast(IO[str], standard_output()), highlight=False).print(renderable)


def _write(line: str) -> None:
    standard_output().write(line + "\n")


def _tell(line: str) -> None:
    """At once, also where the output is a pipe: somebody waits for it."""
    _write(line)
    standard_output().flush()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
