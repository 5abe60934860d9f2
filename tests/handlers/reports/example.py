"""One deployment as it is reported, with everything awkward in it that reports must bear."""

from collections.abc import Iterable

from bot.domain.deployment import (
    Actor,
    BuiltImage,
    Commit,
    Deployment,
    Kind,
    Outcome,
    Request,
    Stage,
    State,
    Trigger,
    UpdatedPipeline,
)
from bot.domain.progress import (
    Accepted,
    ApprovalNeeded,
    Ended,
    Finished,
    Log,
    PipelineSeen,
    Planned,
    Progress,
    StageFinished,
    StageStarted,
    Step,
    StepState,
    Tested,
    Transfer,
    Voted,
    Warned,
)
from bot.domain.reasons import MEANINGS, Code, Reason
from handlers.reports.board import Board

Events = list[tuple[float, Progress]]

START = 1_700_000_000.0
ID = "01jd7k2m9q4x8v3w"
SHA = "3f9c2a1b7d4e5f60718293a4b5c6d7e8f9012345"
DIGEST = "sha256:" + "9c1d7a3b4e5f" * 5 + "abcd"
REPOSITORY = "https://github.com/acme/vision.git"

IMAGES = (
    BuiltImage("edges", "registry.acme.io/vision/edges", SHA, DIGEST, built=True),
    BuiltImage("base", "registry.acme.io/vision/base", SHA, DIGEST, built=False),
)
PIPELINES = (
    UpdatedPipeline("vision", "edges", 3, 4),
    UpdatedPipeline("vision", "montage", None, 1),
)
BROKEN = Reason(
    Code.BUILD_FAILED,
    "RUN pip install ended with exit code 1\nERROR: no nunpy==1.26",
    MEANINGS[Code.BUILD_FAILED].next_step,
    "edges/Dockerfile:7",
)


def _at(*events: tuple[float, Progress]) -> Events:
    return [(START + after, event) for after, event in events]


def building() -> Events:
    """Up to the middle of a build, its log coloured and with rich's markup in it."""
    return _at(
        (0, Accepted(ID, REPOSITORY, "staging", SHA, "feature/[red]x")),
        (0.1, StageStarted(Stage.SOURCE)),
        (1.3, StageFinished(Stage.SOURCE, Ended.SUCCEEDED, 1.2)),
        (1.3, StageStarted(Stage.PLAN)),
        (1.4, Warned("src/[bold]edges.py is not committed")),
        (1.5, Planned(("edges: build",), ("vision/edges: update version 3",))),
        (1.7, StageFinished(Stage.PLAN, Ended.SUCCEEDED, 0.4, "1 image, 2 pipelines")),
        (1.8, StageStarted(Stage.BUILD)),
        (2, Step("base", 1, 3, "FROM python:3.11-slim", StepState.CACHED)),
        (2, Step("base", 3, 3, "COPY . .", StepState.DONE, 0.5)),
        (3, Step("edges", 4, 9, "RUN pip install -r requirements.txt", StepState.RUNNING)),
        *((4 + n, Log(Stage.BUILD, "edges", f"\x1b[31mGet\x1b[0m [b]{n}[/b]")) for n in range(8)),
    )


def asking() -> Events:
    """Others are to approve it, and one of them has."""
    needed = ApprovalNeeded(
        deployment=ID,
        sha=SHA,
        digest="5e8c" * 16,
        asked_by="ada",
        needed=2,
        deadline=START + 86_400,
        changes=("registry.acme.io/vision/edges@sha256:9c1d", "vision/edges: update version 3"),
        reprocesses=True,
        running_jobs=2,
    )
    return pushing() + _at(
        (50, StageFinished(Stage.PUSH, Ended.SUCCEEDED, 6.0)),
        (50, StageStarted(Stage.APPROVE)),
        (50, needed),
        (60, Voted("grace", "github", approves=True)),
    )


def pushing() -> Events:
    """The build done, half of an image in the registry."""
    return building() + _at(
        (40, StageFinished(Stage.BUILD, Ended.SUCCEEDED, 38.2, "edges, base")),
        (40, StageStarted(Stage.TEST)),
        (44, Tested("edges", 0, 4.0, ("3 passed",))),
        (44, StageFinished(Stage.TEST, Ended.SUCCEEDED, 4.0, "edges passed")),
        (44, StageStarted(Stage.PUSH)),
        (45, Transfer("edges", 12_300_000, 45_600_000)),
        (46, Transfer("edges", 12_400_000, 45_600_000)),
    )


def verifying() -> Events:
    """The pipelines updated, one of them seen to work."""
    return pushing() + _at(
        (50, StageFinished(Stage.PUSH, Ended.SUCCEEDED, 6.0)),
        (50, StageStarted(Stage.UPDATE)),
        (51, StageFinished(Stage.UPDATE, Ended.SUCCEEDED, 0.7, "2 pipelines")),
        (51, StageStarted(Stage.VERIFY)),
        (52, PipelineSeen("vision", "edges", 4, "RUNNING", "2 of 2 workers available")),
        (52, PipelineSeen("vision", "montage", 1, "STARTING", "")),
        (53, PipelineSeen("vision", "montage", 1, "STARTING", "")),
    )


def succeeded() -> Events:
    """To the good end."""
    note = "vision/edges: 1,204 datums were processed before and are skipped"
    end = Finished(Outcome.SUCCEEDED, ID, SHA, IMAGES, PIPELINES, None, (note,))
    return verifying() + _at(
        (72, StageFinished(Stage.VERIFY, Ended.SUCCEEDED, 21.0, "2 pipelines work")), (72, end)
    )


def failed() -> Events:
    """To the bad end, in the build."""
    return building() + _at(
        (42, Step("edges", 4, 9, "RUN pip install", StepState.FAILED)),
        (42, StageFinished(Stage.BUILD, Ended.FAILED, 40.2)),
        (42, Finished(Outcome.FAILED, ID, SHA, (), (), BROKEN)),
    )


def board(events: Iterable[tuple[float, Progress]]) -> Board:
    """What is known after the events."""
    known = Board()
    for at, event in events:
        known = known.after(at, event)
    return known


def request(environment: str = "staging", kind: Kind = Kind.DEPLOY) -> Request:
    """What Ada asked for."""
    return Request(
        kind=kind,
        repository=REPOSITORY,
        environment=environment,
        commit=Commit(SHA, "main", "main", "Sharper edges [red]at night", "Ada"),
        trigger=Trigger.CLI,
        actor=Actor("ada", "cli"),
    )


GOOD = Deployment(
    ID,
    request(),
    State.FINISHED,
    Outcome.SUCCEEDED,
    None,
    Stage.VERIFY,
    IMAGES,
    PIPELINES,
    ("a note",),
    START,
    START + 0.1,
    START + 72,
)
BAD = Deployment(
    "01jd7k2m9q4x8v40",
    request("production"),
    State.FINISHED,
    Outcome.FAILED,
    BROKEN,
    Stage.BUILD,
    created_at=START + 100,
    started_at=START + 101,
    finished_at=START + 143,
)
RUNNING = Deployment(
    "01jd7k2m9q4x8v50",
    request(),
    State.RUNNING,
    stage=Stage.BUILD,
    created_at=START + 280,
    started_at=START + 282,
)
WAITING = Deployment("01jd7k2m9q4x8v60", request(kind=Kind.ROLLBACK), created_at=START + 290)
