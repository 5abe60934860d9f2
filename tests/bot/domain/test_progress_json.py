import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.deployment import Outcome, Stage
from bot.domain.progress import EVENT_NAMES, Finished, Log, Progress
from bot.domain.progress_json import from_json, reason_from_json, reason_to_json, to_json
from bot.domain.reasons import MEANINGS, Code, Reason

EVENTS = st.one_of([st.builds(kind) for kind in EVENT_NAMES])


@given(EVENTS)
def test_every_event_comes_back_from_json_text(event: Progress) -> None:
    # NaN equals nothing, not even itself: what is written is compared.
    written = json.dumps(to_json(event))
    assert json.dumps(to_json(from_json(json.loads(written)))) == written


def test_an_event_is_an_object_with_its_name_first() -> None:
    assert list(to_json(Log(Stage.BUILD, "edges", "text")).items()) == [
        ("event", "log"),
        ("stage", "build"),
        ("subject", "edges"),
        ("text", "text"),
    ]


def test_a_reason_is_written_with_its_title() -> None:
    reason = Reason(Code.REF_UNKNOWN, "no branch `x`", "Push it.", "origin")
    event = Finished(Outcome.FAILED, "06g", "a" * 40, (), (), reason)
    assert to_json(event)["reason"] == {
        "code": "ref_unknown",
        "title": MEANINGS[Code.REF_UNKNOWN].title,
        "fact": "no branch `x`",
        "where": "origin",
        "next_step": "Push it.",
    }


@given(st.builds(Reason))
def test_every_reason_comes_back(reason: Reason) -> None:
    assert reason_from_json(reason_to_json(reason)) == reason


@pytest.mark.parametrize("value", [{}, {"event": "unheard_of"}, {"event": "log"}])
def test_what_is_not_an_event_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(value)


def test_a_reason_of_a_newer_version_keeps_its_words() -> None:
    newer = {"code": "moon_phase", "title": "Wrong moon", "fact": "it wanes", "next_step": "Wait."}
    reason = reason_from_json(newer | {"where": None})
    assert (reason.code, reason.fact) == (Code.INTERNAL_ERROR, "Wrong moon: it wanes")
    assert reason.next_step == "Wait."
    ended: dict[str, object] = {
        "outcome": "failed",
        "deployment": "06g",
        "sha": None,
        "images": [],
        "pipelines": [],
    }
    event = from_json(ended | {"event": "finished", "reason": {**newer, "where": None}})
    assert isinstance(event, Finished)
    assert event.reason == reason
