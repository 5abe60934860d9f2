import pytest

from bot.domain.progress import StepState, Warned
from bot.services.docker.legacy import LegacyOutput
from tests.bot.services.docker.parts import Events


@pytest.fixture
def output(events: Events) -> LegacyOutput:
    return LegacyOutput("edges", events)


def test_a_step_ends_where_the_next_begins(output: LegacyOutput, events: Events) -> None:
    output.feed("Step 1/2 : FROM base\n")
    output.feed(" ---> 0123456789ab\n")
    output.feed("Step 2/2 : RUN make\n")
    output.end(None)
    assert [(step.number, step.state) for step in events.steps] == [
        (1, StepState.RUNNING),
        (1, StepState.DONE),
        (2, StepState.RUNNING),
        (2, StepState.DONE),
    ]


def test_a_cached_step_says_so(output: LegacyOutput, events: Events) -> None:
    output.feed("Step 1/1 : RUN make\n")
    output.feed(" ---> Using cache\n")
    output.end(None)
    assert events.steps[-1].state is StepState.CACHED


def test_the_builders_own_words_are_no_log(output: LegacyOutput, events: Events) -> None:
    output.feed("Step 1/1 : RUN make\n")
    output.feed(" ---> Running in 0123456789ab\n")
    output.feed("no end of line")
    output.feed("Removing intermediate container 0123456789ab\n")
    output.feed("Successfully built 0123456789ab\n")
    assert events.lines == ["no end of line"]


def test_warnings_are_warnings(output: LegacyOutput, events: Events) -> None:
    output.feed("[Warning] One or more build-args [X] were not consumed\n")
    assert events.all == [
        Warned("Dockerfile of edges: One or more build-args [X] were not consumed")
    ]


def test_the_step_that_failed_is_given_with_its_last_lines(
    output: LegacyOutput, events: Events
) -> None:
    output.feed("Step 2/3 : RUN make\n")
    output.feed("one\n")
    failed = output.end("returned a non-zero code: 3")
    assert failed is not None
    assert (failed.number, failed.total, failed.text) == (2, 3, "RUN make")
    assert failed.last_lines == ("one",)
    assert events.steps[-1].state is StepState.FAILED


def test_a_build_that_fails_before_its_first_step_has_no_step(output: LegacyOutput) -> None:
    assert output.end("Cannot locate specified Dockerfile") is None
