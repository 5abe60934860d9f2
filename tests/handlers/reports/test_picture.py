"""The live picture at fixed sizes and a fixed moment."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from bot.domain.deployment import Stage
from bot.domain.progress import Accepted, Log, StageStarted, Step, StepState
from handlers.reports.board import Board
from handlers.reports.picture import Picture
from handlers.reports.words import ASCII, UNICODE, Marks
from tests.handlers.reports.example import (
    START,
    Events,
    board,
    building,
    pushing,
    verifying,
)


def draw(known: Board, *, width: int = 80, height: int = 24, marks: Marks = UNICODE) -> list[str]:
    out = io.StringIO()
    # Markup is on, as a careless caller may leave it: nothing may depend on it being off.
    console = Console(file=out, width=width, height=height, color_system=None, markup=True)
    console.print(Picture(known, START + 61, marks))
    return out.getvalue().splitlines()


def test_build_at_80_columns() -> None:
    assert draw(board(building())) == [
        "3f9c2a1  acme/vision → staging  feature/[red]x                             1m 1s",
        "✓ source                                                                    1.2s",
        "✓ plan      1 image, 2 pipelines                                            0.4s",
        "● build                                                                      59s",
        "    edges  4/9  RUN pip install -r requirements.txt                          58s",
        "    base   3/3  done (1 cached)",
        "    │ Get [b]2[/b]",
        "    │ Get [b]3[/b]",
        "    │ Get [b]4[/b]",
        "    │ Get [b]5[/b]",
        "    │ Get [b]6[/b]",
        "    │ Get [b]7[/b]",
        "· test",
        "· push",
        "· update",
        "· verify",
    ]


def test_build_at_40_columns() -> None:
    assert draw(board(building()), width=40)[:6] == [
        "3f9c2a1  acme/vision → staging  …  1m 1s",
        "✓ source                            1.2s",
        "✓ plan      1 image, 2 pipelines    0.4s",
        "● build                              59s",
        "    edges  4/9  RUN pip install -r…  58s",
        "    base   3/3  done (1 cached)",
    ]


def test_push_shows_how_much_is_there() -> None:
    assert "    edges  12.4 MB of 45.6 MB (27%)" in draw(board(pushing()))


def test_verify_shows_version_state_and_evidence() -> None:
    assert draw(board(verifying()))[-2:] == [
        "    vision/edges    v4 running  ✓ 2 of 2 workers available",
        "    vision/montage  v1 starting",
    ]


def test_stage_that_was_passed_over_is_not_expected_any_more() -> None:
    events: Events = [(START, StageStarted(Stage.PLAN)), (START, StageStarted(Stage.UPDATE))]
    assert draw(board(events))[-1:] == ["· verify"]
    assert not any("build" in line for line in draw(board(events)))


def test_waiting_deployment_says_so() -> None:
    accepted = Accepted("id", "/src/vision", "staging", "3f9c2a1b", "main")
    assert "waits for its turn" in draw(board([(START, accepted)]))[0]


def test_lines_of_several_images_say_whose_they_are() -> None:
    events = [*building(), (START + 30, Log(Stage.BUILD, "base", "hello"))]
    assert "    │ base: hello" in draw(board(events))


def test_encoding_without_the_signs_gets_ascii() -> None:
    assert all(line.isascii() for line in draw(board(verifying()), marks=ASCII))


def test_what_runs_is_seen_when_not_all_images_fit() -> None:
    steps: Events = [
        (START, Step(f"image{number}", 3, 3, "COPY", StepState.DONE)) for number in range(30)
    ]
    running = Step("slow", 2, 3, "RUN make", StepState.RUNNING)
    lines = draw(board([(START, StageStarted(Stage.BUILD)), *steps, (START, running)]))
    assert any("slow" in line and "RUN make" in line for line in lines)
    assert any("more" in line for line in lines)


@pytest.mark.parametrize("height", range(3, 30))
@pytest.mark.parametrize("events", [building(), pushing(), verifying()], ids=str.__class__)
def test_picture_is_never_higher_than_the_terminal(events: Events, height: int) -> None:
    assert len(draw(board(events), height=height)) <= max(height - 1, 4)


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=60), width=st.integers(20, 100))
def test_nothing_from_outside_leaves_its_line(text: str, width: int) -> None:
    events: Events = [
        (START, Accepted("id", f"/{text}", text, text, text)),
        (START, StageStarted(Stage.BUILD)),
        (START, Step(text, 1, 2, text, StepState.RUNNING)),
        (START, Log(Stage.BUILD, text, text)),
    ]
    lines = draw(board(events), width=width)
    assert len(lines) == 8
    assert all(cell_len(line) <= width for line in lines)
    assert all("\x1b" not in line for line in lines)
