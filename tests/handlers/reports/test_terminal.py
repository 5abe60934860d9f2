"""The live report on a stand-in for a terminal."""

import io

from rich.console import Console

from bot.domain.deployment import Outcome, Stage
from bot.domain.progress import Accepted, Finished, Log, StageStarted, Warned
from handlers.reports.terminal import LiveTerminal
from tests.handlers.reports.example import START, Events, building, failed, succeeded


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def console(out: io.StringIO, width: int = 80, **more: bool) -> Console:
    colours = None if more.get("no_color") else "standard"
    return Console(
        file=out,
        width=width,
        height=24,
        force_terminal=True,
        color_system=colours,  # type: ignore[arg-type]  # a literal, chosen above
        _environ={"TERM": "xterm"},
        markup=False,
        emoji=False,
        highlight=False,
    )


def run(events: Events, *, width: int = 80, no_color: bool = False) -> str:
    out = Terminal()
    drawn = console(out, width, no_color=no_color)
    live = LiveTerminal(out, clock=lambda: START + 61, console=drawn)
    for at, event in events:
        live.show(at, event)
    live.close()
    return out.getvalue()


def left_on_screen(written: str) -> list[str]:
    """What stays: the live picture is erased when it stops."""
    return written.rsplit("\x1b[2K", 1)[-1].replace("\r", "").splitlines()


def test_summary_is_what_stays() -> None:
    lines = left_on_screen(run(succeeded(), no_color=True))
    assert lines[0].startswith("✓ Succeeded  acme/vision → staging  3f9c2a1  in 1m 12s")
    assert lines[-1].rstrip() == "To look again: pachops show 01jd7k2m9q4x8v3w"


def test_failure_shows_log_reason_and_where_to_look() -> None:
    text = "\n".join(left_on_screen(run(failed(), no_color=True)))
    assert "│ Get [b]7[/b]" in text
    assert "✗ Failed in build" in text
    assert "edges/Dockerfile:7" in text
    assert "Next: Correct the step" in text
    assert "pachops show 01jd7k2m9q4x8v3w --log" in text


def test_summary_fits_40_columns() -> None:
    lines = left_on_screen(run(failed(), width=40, no_color=True))
    assert max(len(line) for line in lines) <= 40
    assert any("exit code" in line for line in lines)


def test_plan_and_warnings_stay_above_the_picture() -> None:
    written = run(building(), no_color=True)
    assert written.index("! src/[bold]edges.py is not committed") < written.index("edges: build")


def test_colour_is_used_where_there_is_colour() -> None:
    assert "\x1b[1;32m" in run(succeeded())


def test_no_color_has_no_colour() -> None:
    assert "\x1b[1;32m" not in run(succeeded(), no_color=True)


def test_outside_text_reaches_the_terminal_without_its_sequences() -> None:
    evil = "\x1b]0;owned\x07\x1b[2J[red]x[/red] :boom:"
    events: Events = [
        (START, Accepted("id", "/r", evil, evil, evil)),
        (START, Warned(evil)),
        (START, StageStarted(Stage.BUILD)),
        (START, Log(Stage.BUILD, "a", evil)),
        (START, Finished(Outcome.CANCELLED, "id", None, (), (), None, (evil,))),
    ]
    written = run(events)
    assert "\x1b]0" not in written
    assert "\x1b[2J" not in written
    assert "[red]x[/red] :boom:" in written


def test_cursor_comes_back_at_the_end() -> None:
    written = run(succeeded())
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")


def test_report_that_is_closed_early_says_that_the_deployment_goes_on() -> None:
    lines = left_on_screen(run(building(), no_color=True))
    assert any("● build" in line for line in lines)
    assert lines[-1].rstrip() == "To look again: pachops show 01jd7k2m9q4x8v3w"


def test_closing_before_anything_was_shown_writes_nothing() -> None:
    assert run([]) == ""
