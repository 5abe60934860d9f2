"""Plain lines: what a log or a pipe gets."""

import io

from bot.domain.deployment import Outcome
from bot.domain.progress import Accepted, Finished, Resumed, Transfer
from bot.domain.reasons import Code, StoppedError
from handlers.reports.plain import PlainLines
from tests.handlers.reports.example import REPOSITORY, START, Events, failed, pushing, succeeded


def report(events: Events) -> list[str]:
    out = io.StringIO()
    lines = PlainLines(out)
    for at, event in events:
        lines.show(at, event)
    lines.close()
    return out.getvalue().splitlines()


def test_good_deployment_from_start_to_end() -> None:
    assert report(succeeded()) == [
        "deployment 01jd7k2m9q4x8v3w acme/vision → staging 3f9c2a1 (feature/[red]x)",
        "source started",
        "source succeeded in 1.2s",
        "plan started",
        "warning: src/[bold]edges.py is not committed",
        "plan image edges: build",
        "plan pipeline vision/edges: update version 3",
        "plan succeeded in 0.4s: 1 image, 2 pipelines",
        "build started",
        "build base 1/3 cached: FROM python:3.11-slim",
        "build base 3/3 done in 0.5s: COPY . .",
        "build edges 4/9 running: RUN pip install -r requirements.txt",
        *(f"build edges | Get [b]{number}[/b]" for number in range(8)),
        "build succeeded in 38s: edges, base",
        "test started",
        "test edges passed in 4.0s",
        "test succeeded in 4.0s: edges passed",
        "push started",
        "push edges 11.4 MB of 45.6 MB (25%)",
        "push succeeded in 6.0s",
        "update started",
        "update succeeded in 0.7s: 2 pipelines",
        "verify started",
        "verify vision/edges version 4 running: 2 of 2 workers available",
        "verify vision/montage version 1 starting",
        "verify succeeded in 21s: 2 pipelines work",
        "✓ Succeeded  acme/vision → staging  3f9c2a1  in 1m 12s",
        "  source 1.2s, plan 0.4s, build 38s, test 4.0s, push 6.0s, update 0.7s, verify 21s",
        "Images",
        "  edges  built  sha256:9c1d7a3b4e5f",
        "    registry.acme.io/vision/edges:3f9c2a1b7d4e5f60718293a4b5c6d7e8f9012345",
        "  base  already there  sha256:9c1d7a3b4e5f",
        "    registry.acme.io/vision/base:3f9c2a1b7d4e5f60718293a4b5c6d7e8f9012345",
        "Pipelines",
        "  vision/edges  3 → 4",
        "  vision/montage  new → 1",
        "Notes",
        "  vision/edges: 1,204 datums were processed before and are skipped",
        "To look again: pachops show 01jd7k2m9q4x8v3w",
    ]


def test_failure_ends_with_log_reason_and_next_step() -> None:
    lines = report(failed())
    assert lines[lines.index("Last lines of edges (build)") :] == [
        "Last lines of edges (build)",
        *(f"  │ Get [b]{number}[/b]" for number in range(8)),
        "✗ Failed in build  acme/vision → staging  3f9c2a1  after 42s",
        "  source 1.2s, plan 0.4s, build 40s",
        "  The image could not be built",
        "  edges/Dockerfile:7",
        "  RUN pip install ended with exit code 1",
        "  ERROR: no nunpy==1.26",
        "  Next: Correct the step that is named; the log has its last lines.",
        "The whole log: pachops show 01jd7k2m9q4x8v3w --log",
    ]


def test_a_rollback_that_waits_leaves_no_gap_for_its_commit() -> None:
    accepted = Accepted("d1", REPOSITORY, "staging", "", "an earlier deployment")
    assert report([(START, accepted)])[0].endswith("acme/vision → staging (an earlier deployment)")


def test_refusal_before_anything_was_stored_is_only_its_reason() -> None:
    reason = StoppedError(Code.REF_UNKNOWN, "no 'mian'", where="acme/vision").reason
    assert report([(START, Finished(Outcome.REFUSED, None, None, (), (), reason))]) == [
        "■ Refused",
        "  The repository has no such branch, tag or commit",
        "  acme/vision",
        "  no 'mian'",
        "  Next: Push the commit, or name a branch, tag or SHA that the repository has.",
    ]


def test_push_is_reported_in_quarters() -> None:
    steps: Events = [(START, Transfer("a", sent, 1000)) for sent in range(0, 1001, 10)]
    assert report(steps) == [
        "push a started",
        "push a 250 B of 1.0 kB (25%)",
        "push a 500 B of 1.0 kB (50%)",
        "push a 750 B of 1.0 kB (75%)",
        "push a 1.0 kB of 1.0 kB (100%)",
    ]


def test_resumed_deployment_says_so() -> None:
    assert report([(START, Resumed("id"))]) == [
        "deployment id taken up again after the bot was stopped"
    ]


def test_stream_without_the_signs_gets_ascii() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    lines = PlainLines(out)
    for at, event in succeeded():
        lines.show(at, event)
    assert b"+ Succeeded  acme/vision -> staging" in raw.getvalue()


def test_each_line_is_handed_over_at_once() -> None:
    raw = io.BytesIO()
    lines = PlainLines(io.TextIOWrapper(raw, encoding="utf-8"))
    for number, (at, event) in enumerate(pushing()):
        lines.show(at, event)
        assert raw.getvalue().count(b"\n") >= min(number, 1)
