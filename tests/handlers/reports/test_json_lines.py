"""JSON: what programs read."""

import io
import json
from typing import Any

from bot.domain.deployment import Outcome, Stage
from bot.domain.progress import EVENT_NAMES, Finished, Log
from handlers.reports.json_lines import JsonLines, deployment_json
from tests.handlers.reports.example import (
    BAD,
    DIGEST,
    GOOD,
    ID,
    SHA,
    START,
    WAITING,
    Events,
    failed,
    succeeded,
)


def report(events: Events) -> list[dict[str, Any]]:
    out = io.StringIO()
    lines = JsonLines(out)
    for at, event in events:
        lines.show(at, event)
    lines.close()
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_every_event_is_one_object_with_its_name() -> None:
    events = succeeded()
    assert [line["event"] for line in report(events)] == [
        EVENT_NAMES[type(event)] for _, event in events
    ]


def test_last_line_has_all_of_the_result() -> None:
    last = report(succeeded())[-1]
    assert {key: last[key] for key in last if key not in {"images", "pipelines", "notes"}} == {
        "event": "finished",
        "outcome": "succeeded",
        "deployment": ID,
        "sha": SHA,
        "reason": None,
        "at": "2023-11-14T22:14:32.000+00:00",
    }
    assert last["images"][0] == {
        "name": "edges",
        "repository": "registry.acme.io/vision/edges",
        "tag": SHA,
        "digest": DIGEST,
        "built": True,
    }
    assert last["pipelines"] == [
        {"project": "vision", "name": "edges", "from_version": 3, "to_version": 4},
        {"project": "vision", "name": "montage", "from_version": None, "to_version": 1},
    ]
    assert len(last["notes"]) == 1


def test_reason_has_its_title() -> None:
    assert report(failed())[-1]["reason"] == {
        "code": "build_failed",
        "title": "The image could not be built",
        "fact": "RUN pip install ended with exit code 1\nERROR: no nunpy==1.26",
        "where": "edges/Dockerfile:7",
        "next_step": "Correct the step that is named; the log has its last lines.",
    }


def test_control_characters_are_escaped_on_the_wire_and_kept_in_the_value() -> None:
    out = io.StringIO()
    JsonLines(out).show(START, Log(Stage.BUILD, "edges", "a\x1b[31m\x9bb\u2028c"))
    assert out.getvalue().rstrip("\n").isprintable()
    assert json.loads(out.getvalue())["text"] == "a\x1b[31m\x9bb\u2028c"


def test_each_line_is_handed_over_at_once() -> None:
    raw = io.BytesIO()
    lines = JsonLines(io.TextIOWrapper(raw, encoding="utf-8"))
    lines.show(START, Finished(Outcome.CANCELLED, None, None, (), (), None))
    assert raw.getvalue().endswith(b"\n")


def test_stored_deployment_has_request_and_commit_beside_its_state() -> None:
    found = deployment_json(GOOD)
    assert found["deployment"] == ID
    assert (found["sha"], found["branch"], found["title"]) == (
        SHA,
        "main",
        "Sharper edges [red]at night",
    )
    assert found["actor"] == {"name": "ada", "surface": "cli", "account": None}
    assert (found["state"], found["outcome"], found["stage"]) == ("finished", "succeeded", "verify")
    assert found["created_at"] == "2023-11-14T22:13:20.000+00:00"


def test_stored_reason_has_its_title() -> None:
    reason = deployment_json(BAD)["reason"]
    assert isinstance(reason, dict)
    assert reason["title"] == "The image could not be built"


def test_what_is_not_yet_known_is_null() -> None:
    found = deployment_json(WAITING)
    assert [found[key] for key in ("outcome", "reason", "started_at", "finished_at")] == [None] * 4


def test_stored_deployment_is_json() -> None:
    assert json.loads(json.dumps(deployment_json(GOOD))) == deployment_json(GOOD)
