"""What is known of a deployment after its events."""

import pytest

from bot.domain import progress
from bot.domain.deployment import Outcome, Stage
from bot.domain.progress import (
    Ended,
    Finished,
    Log,
    StageFinished,
    StageStarted,
    Step,
    StepState,
    Warned,
)
from handlers.reports.board import TAIL
from tests.handlers.reports.example import START, Events, board, building, failed, succeeded


def test_running_stage_is_the_one_that_has_not_ended() -> None:
    running = board(building()).running
    assert running is not None
    assert (running.stage, running.started_at) == (Stage.BUILD, START + 1.8)


def test_nothing_runs_at_the_end() -> None:
    assert board(succeeded()).running is None


def test_build_is_done_with_its_last_step() -> None:
    builds = board(building()).builds
    assert builds["base"].is_done
    assert builds["base"].cached == 1
    assert not builds["edges"].is_done


def test_failed_step_stays_what_is_shown() -> None:
    step = Step("edges", 5, 9, "RUN other", StepState.DONE)
    assert board([*failed(), (START + 43, step)]).builds["edges"].step.number == 4


def test_stage_that_is_taken_up_again_starts_anew() -> None:
    again = board([*building(), (START + 90, StageStarted(Stage.BUILD))])
    assert again.stages[Stage.BUILD].started_at == START + 90
    assert not again.builds


def test_log_keeps_its_last_lines() -> None:
    logs = [(START, Log(Stage.BUILD, "edges", str(number))) for number in range(100)]
    tail = board(logs).tails[Stage.BUILD, "edges"]
    assert (len(tail), tail[-1]) == (TAIL, "99")


def test_same_warning_twice_is_one() -> None:
    assert board([(0, Warned("a")), (1, Warned("b")), (2, Warned("a"))]).warnings == ("a", "b")


def test_log_of_the_failure_is_that_of_the_image_that_failed() -> None:
    other = (START + 41, Log(Stage.BUILD, "base", "all is well"))
    events = failed()
    found = board([*events[:-3], other, *events[-3:]]).failed_log
    assert found is not None
    assert found[0] == "edges"


def test_output_of_a_failed_test_is_found_without_a_log() -> None:
    events: Events = [
        (0.0, StageStarted(Stage.TEST)),
        (1.0, progress.Tested("edges", 1, 1.0, ("1 failed",))),
        (1.0, StageFinished(Stage.TEST, Ended.FAILED, 1.0)),
        (1.0, Finished(Outcome.FAILED, None, None, (), (), None)),
    ]
    assert board(events).failed_log == ("edges", ("1 failed",))


def test_success_has_no_failed_stage() -> None:
    assert board(succeeded()).failed_stage is None


@pytest.mark.parametrize("ended", [Ended.CANCELLED, None])
def test_cancelled_in_a_stage_names_it(ended: Ended | None) -> None:
    events = building()
    if ended:
        events.append((START + 20, StageFinished(Stage.BUILD, ended, 18)))
    events.append((START + 20, Finished(Outcome.CANCELLED, None, None, (), (), None)))
    assert board(events).failed_stage is Stage.BUILD


def test_roll_back_that_worked_is_not_what_failed() -> None:
    events: Events = [
        (0.0, StageStarted(Stage.VERIFY)),
        (1.0, StageFinished(Stage.VERIFY, Ended.FAILED, 1.0)),
        (1.0, StageStarted(Stage.ROLL_BACK)),
        (2.0, StageFinished(Stage.ROLL_BACK, Ended.SUCCEEDED, 1.0)),
        (2.0, Finished(Outcome.ROLLED_BACK, None, None, (), (), None)),
    ]
    assert board(events).failed_stage is Stage.VERIFY
