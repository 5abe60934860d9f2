"""What status, history and show print."""

import io
from dataclasses import replace
from datetime import UTC

from rich.console import Console, RenderableType

from bot.domain.reasons import Code, StoppedError
from handlers.reports.tables import deployment_view, history_table, status_table
from tests.handlers.reports.example import BAD, GOOD, RUNNING, START, WAITING, failed

NOW = START + 300


def draw(shown: RenderableType, width: int = 80, encoding: str = "utf-8") -> list[str]:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding=encoding)
    Console(file=out, width=width, color_system=None, markup=True).print(shown)
    out.flush()
    return [line.rstrip() for line in raw.getvalue().decode(encoding).splitlines()]


def test_status_shows_what_runs_what_waits_and_the_last_of_each_target() -> None:
    lines = draw(status_table([WAITING, RUNNING, BAD, GOOD], now=NOW, zone=UTC))
    assert lines == [
        "Running",
        "● running build 18s  3f9c2a1  acme/vision → staging  18 seconds ago",
        "  01jd7k2m9q4x8v50  2023-11-14 22:18:02  deploy by ada (cli)",
        "  Sharper edges [red]at night",
        "Waiting",
        "· waits for its turn  3f9c2a1  acme/vision → staging  10 seconds ago",
        "  01jd7k2m9q4x8v60  2023-11-14 22:18:10  rollback by ada (cli)",
        "  Sharper edges [red]at night",
        "Latest of each target",
        "✗ failed after 42s  3f9c2a1  acme/vision → production  2 minutes ago",
        "  01jd7k2m9q4x8v40  2023-11-14 22:15:43  deploy by ada (cli)",
        "  Sharper edges [red]at night",
        "  The image could not be built: edges/Dockerfile:7: RUN pip install ended with",
        "  exit code 1",
        "✓ succeeded in 1m 12s  3f9c2a1  acme/vision → staging  3 minutes ago",
        "  01jd7k2m9q4x8v3w  2023-11-14 22:14:32  deploy by ada (cli)",
        "  Sharper edges [red]at night",
    ]


def test_status_order_does_not_depend_on_the_order_given() -> None:
    deployments = [WAITING, RUNNING, BAD, GOOD]
    assert draw(status_table(deployments, now=NOW)) == draw(
        status_table(deployments[::-1], now=NOW)
    )


def test_history_keeps_the_order_given() -> None:
    lines = draw(history_table([BAD, GOOD], now=NOW, zone=UTC))
    assert [line[0] for line in lines if line[0] in "✓✗"] == ["✗", "✓"]


def test_40_columns_are_enough() -> None:
    lines = draw(history_table([BAD, GOOD], now=NOW, zone=UTC), width=40)
    assert max(map(len, lines)) <= 40
    assert any("01jd7k2m9q4x8v40" in line for line in lines)


def test_nothing_stored_says_how_to_begin() -> None:
    assert draw(status_table([], now=NOW)) == [
        "No deployments yet. `pachops deploy` makes the first."
    ]


def test_output_without_the_signs_gets_ascii() -> None:
    lines = draw(status_table([BAD], now=NOW), encoding="ascii")
    assert lines[1].startswith("x failed after 42s  3f9c2a1  acme/vision -> production")


def test_view_shows_who_what_when_and_why() -> None:
    lines = draw(deployment_view(BAD, failed(), now=NOW, zone=UTC))
    assert lines[:9] == [
        "✗ failed after 42s  acme/vision → production",
        "  deployment    01jd7k2m9q4x8v40",
        "  commit        3f9c2a1b7d4e5f60718293a4b5c6d7e8f9012345 (main)",
        "  title         Sharper edges [red]at night (Ada)",
        "  repository    https://github.com/acme/vision.git",
        "  asked         deploy by ada (cli)",
        "  created       2023-11-14 22:15:00 (3 minutes ago)",
        "  started       2023-11-14 22:15:01 (3 minutes ago)",
        "  finished      2023-11-14 22:15:43 (2 minutes ago)",
    ]
    assert "  build     failed       40s" in lines
    assert "  │ Get [b]7[/b]" in lines
    assert lines[-6:] == [
        "Reason",
        "  The image could not be built",
        "  edges/Dockerfile:7",
        "  RUN pip install ended with exit code 1",
        "  ERROR: no nunpy==1.26",
        "  Next: Correct the step that is named; the log has its last lines.",
    ]


def test_view_of_a_good_one_shows_images_and_pipelines() -> None:
    lines = draw(deployment_view(GOOD, [], now=NOW))
    assert "  edges  built  sha256:9c1d7a3b4e5f" in lines
    assert "  vision/edges  3 → 4" in lines
    assert lines[-1] == "  a note"


def test_view_without_a_place_in_the_reason() -> None:
    reason = StoppedError(Code.CANCELLED, "by ada").reason
    lines = draw(deployment_view(replace(BAD, reason=reason), [], now=NOW))
    assert lines[-3:] == ["  Cancelled", "  by ada", "  Next: Deploy again when you are ready."]
