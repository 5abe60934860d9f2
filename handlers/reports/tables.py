"""Stored deployments for `status`, `history` and `show`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from bot.domain.deployment import Deployment, State
from bot.domain.progress import Progress
from handlers.reports import words
from handlers.reports.board import Board
from handlers.reports.summary import (
    COLOURS,
    HEADING,
    INDENT,
    QUIET,
    Line,
    image_lines,
    log_lines,
    mark_of,
    pipeline_lines,
    reason_lines,
    text_lines,
)
from handlers.reports.text import one_line
from handlers.reports.words import ASCII, UNICODE, Marks


def status_table(
    deployments: Sequence[Deployment],
    *,
    now: float,
    zone: tzinfo | None = None,
) -> RenderableType:
    """What runs, what waits in its order, and the last end of each target.

    Args:
        deployments: in the order in which they were asked for, in either direction.
        now: seconds since the epoch.
        zone: for absolute times; the machine's own where None.
    """
    ordered = sorted(deployments, key=lambda each: each.id)
    latest = {each.request.target: each for each in ordered if each.state is State.FINISHED}
    groups = (
        (words.RUNNING, [each for each in ordered if each.state is State.RUNNING]),
        (words.WAITING, [each for each in ordered if each.state is State.WAITING]),
        (words.LATEST, list(reversed(latest.values()))),
    )
    return _Shown(
        lambda marks: (
            line
            for heading, members in groups
            for line in _under(heading, members, now, zone, marks)
        )
    )


def history_table(
    deployments: Sequence[Deployment],
    *,
    now: float,
    zone: tzinfo | None = None,
) -> RenderableType:
    """Deployments in the order given, two lines each, the reason below where one failed."""
    return _Shown(
        lambda marks: (line for each in deployments for line in _entry(each, now, zone, marks))
    )


def deployment_view(
    deployment: Deployment,
    events: Iterable[tuple[float, Progress]],
    *,
    now: float,
    zone: tzinfo | None = None,
) -> RenderableType:
    """All that is known of a deployment: who asked, its stages, and how it ended."""
    board = Board()
    for at, event in events:
        board = board.after(at, event)
    return _Shown(lambda marks: _view(deployment, board, now, zone, marks))


@dataclass(frozen=True)
class _Shown:
    """Lines whose signs are chosen when the output's encoding is known."""

    lines: Callable[[Marks], Iterable[Line]]

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        lines = list(self.lines(ASCII if options.ascii_only else UNICODE))
        yield from (line.rich for line in lines or [Line(Text(words.NO_DEPLOYMENTS))])


def _under(
    heading: str, members: list[Deployment], now: float, zone: tzinfo | None, marks: Marks
) -> Iterator[Line]:
    if not members:
        return
    yield Line(Text(heading, HEADING))
    for each in members:
        yield from _entry(each, now, zone, marks)


def _entry(deployment: Deployment, now: float, zone: tzinfo | None, marks: Marks) -> Iterator[Line]:
    request = deployment.request
    text = Text().append_text(_state(deployment, now, marks))
    text.append(f"  {words.short_sha(one_line(request.commit.sha))}", "cyan")
    text.append(f"  {_target(deployment, marks)}")
    text.append(f"  {words.ago(_latest_moment(deployment), now)}")
    yield Line(text)
    about = f"{one_line(deployment.id)}  {words.moment(_latest_moment(deployment), zone)}"
    yield Line(Text(f"{about}  {one_line(words.asked(deployment))}", QUIET), INDENT)
    if request.commit.title:
        yield Line(Text(one_line(request.commit.title)), INDENT)
    if deployment.reason is not None:
        where = f"{deployment.reason.where}: " if deployment.reason.where else ""
        first = one_line(deployment.reason.fact.strip().split("\n")[0])
        text = Text().append(one_line(deployment.reason.title), "yellow")
        yield Line(text.append(f": {one_line(where)}{first}"), INDENT)


def _state(deployment: Deployment, now: float, marks: Marks) -> Text:
    if deployment.outcome is not None:
        sign = mark_of(deployment.outcome, marks)
        took = ""
        if deployment.started_at is not None and deployment.finished_at is not None:
            seconds = deployment.finished_at - deployment.started_at
            took = f" {words.took(deployment.outcome, seconds)}"
        return Text(
            f"{sign} {words.OUTCOMES[deployment.outcome]}{took}", COLOURS[deployment.outcome]
        )
    if deployment.state is State.WAITING or deployment.started_at is None:
        return Text(f"{marks.waiting} {words.WAITS}", "yellow")
    stage = f" {words.STAGES[deployment.stage]}" if deployment.stage else ""
    passed = words.duration(now - deployment.started_at)
    return Text(f"{marks.running} {words.RUNNING.lower()}{stage} {passed}", "cyan")


def _target(deployment: Deployment, marks: Marks) -> str:
    request = deployment.request
    return one_line(words.target(request.repository, request.environment, marks))


def _latest_moment(deployment: Deployment) -> float:
    return deployment.finished_at or deployment.started_at or deployment.created_at


def _view(
    deployment: Deployment, board: Board, now: float, zone: tzinfo | None, marks: Marks
) -> Iterator[Line]:
    state = Text().append_text(_state(deployment, now, marks))
    yield Line(state.append(f"  {_target(deployment, marks)}"))
    for name, value in _facts(deployment, now, zone):
        text = Text().append(name.ljust(words.FACT_WIDTH), QUIET)
        yield Line(text.append(value), INDENT)
    planned = board.planned
    yield from text_lines(words.PLAN, (*planned.images, *planned.pipelines) if planned else ())
    yield from _stages(board)
    yield from text_lines(words.WARNINGS, board.warnings)
    if board.failed_log is not None and board.failed_stage is not None:
        subject, tail = board.failed_log
        yield Line(Text(words.last_lines(one_line(subject), board.failed_stage), HEADING))
        yield from log_lines(tail, marks)
    yield from image_lines(deployment.images)
    yield from pipeline_lines(deployment.pipelines, marks)
    yield from text_lines(words.NOTES, deployment.notes)
    if deployment.reason is not None:
        yield Line(Text(words.REASON, HEADING))
        yield from reason_lines(deployment.reason)


def _facts(deployment: Deployment, now: float, zone: tzinfo | None) -> Iterator[tuple[str, str]]:
    request, commit = deployment.request, deployment.request.commit
    yield words.DEPLOYMENT, one_line(deployment.id)
    yield words.COMMIT, one_line(f"{commit.sha} ({commit.ref})".lstrip())
    if commit.title:
        author = f" ({commit.author})" if commit.author else ""
        yield words.TITLE, one_line(commit.title + author)
    yield words.REPOSITORY, one_line(request.repository)
    yield words.ASKED, one_line(words.asked(deployment))
    if request.only:
        yield words.ONLY, one_line(", ".join(request.only))
    moments = (
        (words.CREATED, deployment.created_at),
        (words.STARTED, deployment.started_at),
        (words.FINISHED, deployment.finished_at),
    )
    for name, at in moments:
        if at is not None:
            yield name, f"{words.moment(at, zone)} ({words.ago(at, now)})"
    if deployment.cancel_requested_by:
        yield words.CANCELLED_BY, one_line(deployment.cancel_requested_by)


def _stages(board: Board) -> Iterator[Line]:
    for number, line in enumerate(board.stages.values()):
        if number == 0:
            yield Line(Text(words.STAGES_HEADING, HEADING))
        ended = line.ended.value if line.ended else words.RUNNING.lower()
        took = words.duration(line.seconds) if line.ended else ""
        text = Text(f"{words.STAGES[line.stage].ljust(9)} {ended.ljust(9)} {took.rjust(6)}")
        if line.detail:
            text.append(f"  {one_line(line.detail)}", QUIET)
        yield Line(text, INDENT)
