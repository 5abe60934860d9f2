"""What GitHub shows of a deployment that other people have to approve."""

import re
from dataclasses import replace

import pytest

from bot.domain.deployment import Stage
from bot.domain.progress import ApprovalNeeded, Ended, StageFinished, StageStarted
from bot.services.github import Conclusion
from handlers.reports.github.check import Button, check_report
from handlers.reports.github.comment import ask_comment, progress_comment
from handlers.reports.github.deployment_status import description
from handlers.reports.github.marks import NORMAL
from handlers.reports.github.safe import LONGEST_BODY, size
from handlers.reports.view import View
from tests.handlers.reports.example import ID, SHA, START, Events, asking, board, building
from tests.handlers.reports.github.outside import ASKED, SAFE

WAITING = View(ASKED, board(asking()), word="/ship")
SEEN = "5e8c" * 3
AFTER: Events = [
    (START + 70, StageFinished(Stage.APPROVE, Ended.SUCCEEDED, 20.0)),
    (START + 70, StageStarted(Stage.UPDATE)),
]
GOES_ON = View(ASKED, board([*asking(), *AFTER]))


def test_the_comment_says_what_is_approved_and_how() -> None:
    body = progress_comment(WAITING, SAFE).replace("\\", "")
    assert body.startswith(f"⏳ Deployment of {SHA} to **staging** **waits for approval**")
    assert "the approval of 2 people other than `ada`, until 2023-11-15 22:13:20 UTC." in body
    assert "Data that was processed before is computed again." in body
    assert "2 jobs run now and would start again." in body
    assert f"`/ship approve {ID} {SEEN}`" in body
    assert f"`/ship reject {ID}`" in body
    assert "- vision/edges: update version 3" in body
    assert "- registry.acme.io/vision/edges@sha256:9c1d" in body.replace("\u200b", "")
    assert "**Votes:** `grace` approves" in body


@pytest.mark.parametrize("character", ["<", "&", "*", "@", "\N{ROCKET}", "a"])
def test_however_long_the_changes_are_it_is_called_for_approval(character: str) -> None:
    changes = tuple(f"{number} {character * 1000}" for number in range(20))
    events = [
        (at, replace(each, changes=changes, named=("linus",)))
        if isinstance(each, ApprovalNeeded)
        else (at, each)
        for at, each in asking()
    ]
    view = View(ASKED, board(events), word="/ship")
    bodies = [
        ask_comment(view, SAFE),
        progress_comment(view, SAFE),
        check_report(view, SAFE).summary,
    ]
    for body in bodies:
        assert size(body) <= LONGEST_BODY
        assert f"`/ship approve {ID} {SEEN}`" in body
        assert "What an approval lets through**\n\n- 0 " in body
        assert re.search(r"- and \d+ more\n", body)
        assert "**Votes:** `grace` approves" in body
    assert bodies[0].startswith("@linus: ")


def test_the_check_asks_for_action_with_buttons() -> None:
    report = check_report(WAITING, SAFE)
    assert report.conclusion is Conclusion.ACTION_REQUIRED
    assert report.title == "Deployment of 3f9c2a1 to staging waits for approval"
    assert f"/ship approve {ID}" in report.summary
    assert [each.identifier for each in report.actions] == [f"approve:{SEEN}", "reject", "cancel"]
    assert Button.pressed(report.actions[0].identifier) == (Button.APPROVE, SEEN)


def test_the_deployment_says_that_it_waits() -> None:
    assert "waits for approval" in description(WAITING, SAFE)


def test_once_it_goes_on_nobody_is_asked_any_more() -> None:
    report = check_report(GOES_ON, SAFE)
    assert report.status == "in_progress"
    body = progress_comment(GOES_ON, SAFE)
    assert "/pachops approve" not in body
    assert "`grace` approves" in body


def test_more_calls_are_spent_on_what_people_wait_for() -> None:
    assert NORMAL.for_view(WAITING).calls > NORMAL.for_view(View(ASKED, board(building()))).calls
