import pytest
from pydantic import SecretStr

from bot.domain.deployment import Stage
from bot.domain.progress import Log, Step, StepState, Warned
from bot.services.docker.lines import LONGEST, Mask
from bot.services.docker.messages import (
    StatusResponse,
    Timestamp,
    Vertex,
    VertexLog,
    VertexWarning,
)
from bot.services.docker.trace import Trace
from tests.bot.services.docker.parts import Events

RUN = "[2/2] RUN make"


class Build:
    """A trace that is fed as the engine does it: over the wire."""

    def __init__(self) -> None:
        self.events = Events()
        self.trace = Trace("edges", self.events, Mask.of([SecretStr("secret")]))

    def tell(self, *messages: Vertex | VertexLog | VertexWarning) -> None:
        status = StatusResponse(
            vertexes=[message for message in messages if isinstance(message, Vertex)],
            logs=[message for message in messages if isinstance(message, VertexLog)],
            warnings=[message for message in messages if isinstance(message, VertexWarning)],
        )
        self.trace.feed(StatusResponse().parse(bytes(status)))


@pytest.fixture
def build() -> Build:
    return Build()


def vertex(
    name: str,
    started: float | None = None,
    completed: float | None = None,
    *,
    cached: bool = False,
    error: str = "",
) -> Vertex:
    message = Vertex(digest=name, name=name, cached=cached, error=error)
    if started is not None:
        message.started = Timestamp(seconds=int(started), nanos=int(started % 1 * 1e9))
    if completed is not None:
        message.completed = Timestamp(seconds=int(completed), nanos=int(completed % 1 * 1e9))
    return message


def log(name: str, text: bytes, stream: int = 1) -> VertexLog:
    return VertexLog(vertex=name, stream=stream, msg=text)


def test_steps_that_are_only_announced_count_and_are_not_reported(build: Build) -> None:
    build.tell(vertex("[1/2] FROM base"), vertex(RUN))
    build.tell(vertex("[1/2] FROM base", 10.0))
    assert build.events.all == [Step("edges", 1, 2, "FROM base", StepState.RUNNING)]


def test_a_step_is_reported_when_it_begins_and_when_it_ends(build: Build) -> None:
    build.tell(vertex(RUN))
    build.tell(vertex(RUN, 10.25))
    build.tell(vertex(RUN, 10.25, 12.75))
    assert build.events.all == [
        Step("edges", 1, 1, "RUN make", StepState.RUNNING),
        Step("edges", 1, 1, "RUN make", StepState.DONE, 2.5),
    ]


def test_what_buildkit_says_twice_is_reported_once(build: Build) -> None:
    build.tell(vertex(RUN, 10.0))
    build.tell(vertex(RUN, 10.0))
    assert len(build.events.all) == 1


def test_a_step_that_begins_again_adds_its_time(build: Build) -> None:
    build.tell(vertex(RUN, 10.0, 11.0))
    build.tell(vertex(RUN, 12.0))
    build.tell(vertex(RUN, 12.0, 14.0))
    assert build.events.steps[-1] == Step("edges", 1, 1, "RUN make", StepState.DONE, 3.0)


def test_a_cached_step_says_so(build: Build) -> None:
    build.tell(vertex(RUN, 10.0, 10.0, cached=True))
    assert build.events.steps[-1].state is StepState.CACHED


def test_steps_that_run_side_by_side_keep_their_numbers(build: Build) -> None:
    one, two = "[build 2/3] RUN a", "[stage-1 2/2] RUN b"
    build.tell(vertex(one), vertex(two))
    build.tell(vertex(two, 10.0))
    build.tell(vertex(one, 11.0))
    build.tell(vertex(two, 10.0, 12.0))
    assert [(step.number, step.text) for step in build.events.steps] == [
        (1, "RUN b"),
        (2, "[build] RUN a"),
        (1, "RUN b"),
    ]


def test_what_buildkit_does_for_itself_is_no_step(build: Build) -> None:
    build.tell(vertex("[internal] load build definition from Dockerfile", 10.0, 11.0))
    assert build.events.all == []


def test_log_lines_are_put_together_for_each_stream(build: Build) -> None:
    build.tell(vertex(RUN, 10.0))
    build.events.all.clear()
    build.tell(log(RUN, b"out "), log(RUN, b"err\n", 2), log(RUN, b"more\n"))
    assert build.events.all == [
        Log(Stage.BUILD, "edges", "err"),
        Log(Stage.BUILD, "edges", "out more"),
    ]


def test_a_line_that_never_ended_comes_before_the_end_of_its_step(build: Build) -> None:
    build.tell(vertex(RUN, 10.0), log(RUN, b"no end"))
    build.tell(vertex(RUN, 10.0, 11.0))
    assert isinstance(build.events.all[-1], Step)
    assert build.events.lines == ["no end"]


def test_a_line_that_never_ended_comes_when_the_build_is_cut(build: Build) -> None:
    build.tell(vertex(RUN, 10.0), log(RUN, b"no end"))
    build.trace.end()
    assert build.events.lines == ["no end"]


def test_secrets_are_hidden_in_lines_steps_and_errors(build: Build) -> None:
    name = "[1/1] RUN echo secret"
    build.tell(vertex(name, 10.0), log(name, b"the secret\n"))
    build.tell(vertex(name, 10.0, 11.0, error="secret failed"))
    assert "secret" not in str(build.events.all)
    assert build.trace.failed is not None
    assert "secret" not in str(build.trace.failed)


def test_a_secret_is_hidden_where_a_long_line_is_cut(build: Build) -> None:
    build.tell(vertex(RUN, 10.0), log(RUN, b"." * (LONGEST - 3) + b"secret" + b"." * LONGEST))
    build.trace.end()
    assert "".join(build.events.lines) == "." * (LONGEST - 3) + "***" + "." * LONGEST


def test_warnings_are_reported(build: Build) -> None:
    build.tell(VertexWarning(short=b"JSON arguments recommended"))
    assert build.events.all == [Warned("Dockerfile of edges: JSON arguments recommended")]


def test_the_step_that_failed_is_kept_with_its_last_lines(build: Build) -> None:
    build.tell(vertex(RUN, 10.0), log(RUN, b"one\ntwo\n"))
    build.tell(vertex(RUN, 10.0, 11.0, error="exit code: 3"))
    failed = build.trace.failed
    assert failed is not None
    assert (failed.number, failed.text, failed.last_lines) == (1, "RUN make", ("one", "two"))
    assert build.events.steps[-1].state is StepState.FAILED


def test_a_step_that_was_cancelled_for_another_is_not_the_one_that_failed(build: Build) -> None:
    build.tell(vertex("[1/2] RUN a", 10.0, 11.0, error="context canceled"))
    build.tell(vertex("[1/2] RUN b", 10.0, 11.0, error="exit code: 1"))
    assert build.trace.failed is not None
    assert build.trace.failed.text == "RUN b"


def test_a_step_of_several_lines_is_one(build: Build) -> None:
    build.tell(vertex("[1/1] RUN <<EOF\necho a\nEOF", 10.0))
    assert build.events.steps[0].text == "RUN <<EOF echo a EOF"
