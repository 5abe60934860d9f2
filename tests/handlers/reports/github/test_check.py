"""What the check and GitHub's deployment say."""

from dataclasses import replace

import pytest

from bot.domain.deployment import Outcome
from bot.domain.progress import Finished
from bot.domain.reasons import Code, Reason
from bot.services.github import Conclusion
from handlers.reports.github.check import Button, check_report
from handlers.reports.github.deployment_status import deployment_state, description
from handlers.reports.view import View
from tests.handlers.reports.example import board, building, failed, succeeded
from tests.handlers.reports.github.outside import ASKED, SAFE


def _ended(outcome: Outcome, reason: Reason | None = None) -> View:
    end = Finished(outcome, ASKED.id, None, (), (), reason)
    return View(ASKED, board([*building(), (1_700_000_099.0, end)]))


def _reason(where: str | None, code: Code = Code.BUILD_FAILED) -> Reason:
    return Reason(code, "a fact of @ada", "a step", where)


def test_running_check_can_be_cancelled() -> None:
    report = check_report(View(ASKED, board(building())), SAFE)
    assert (report.status, report.actions[0].identifier) == ("in_progress", Button.CANCEL)
    assert report.title == "Deploying 3f9c2a1 to staging"


def test_waiting_check_is_queued() -> None:
    assert check_report(View(ASKED), SAFE).status == "queued"


@pytest.mark.parametrize(
    ("outcome", "conclusion", "button", "state"),
    [
        (Outcome.SUCCEEDED, Conclusion.SUCCESS, Button.DEPLOY, "success"),
        (Outcome.FAILED, Conclusion.FAILURE, Button.RERUN, "failure"),
        (Outcome.ROLLED_BACK, Conclusion.FAILURE, Button.RERUN, "failure"),
        (Outcome.CANCELLED, Conclusion.CANCELLED, Button.RERUN, "inactive"),
        (Outcome.REFUSED, Conclusion.ACTION_REQUIRED, Button.RERUN, "error"),
    ],
)
def test_every_end_has_its_sign(
    outcome: Outcome, conclusion: Conclusion, button: Button, state: str
) -> None:
    view = _ended(outcome)
    report = check_report(view, SAFE)
    assert (report.conclusion, report.actions[0].identifier) == (conclusion, button)
    assert deployment_state(outcome) == state


def test_time_out_is_told_from_failure() -> None:
    report = check_report(_ended(Outcome.FAILED, _reason(None, Code.TEST_TIMED_OUT)), SAFE)
    assert report.conclusion is Conclusion.TIMED_OUT


def test_buttons_keep_githubs_limits() -> None:
    for view in (View(ASKED), _ended(Outcome.SUCCEEDED), _ended(Outcome.FAILED)):
        for action in check_report(view, SAFE).actions:
            assert len(action.label) <= 20
            assert len(action.description) <= 40
            assert len(action.identifier) <= 20


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("Dockerfile:3", ("Dockerfile", 3)),
        ("edges/Dockerfile:7", ("edges/Dockerfile", 7)),
        ("pipelines/a b.json:7: transform.image", ("pipelines/a b.json", 7)),
        (".pachops.yml:12: images.edges", (".pachops.yml", 12)),
        (".pachops.yml: images.edges.context", None),
        ("pipeline vision/edges", None),
        ("Dockerfile", None),
        ("/etc/passwd:1", None),
        ("../a.json:1", None),
        ("Dockerfile:0", None),
        ("registry.acme.io:5000/edges", None),
        (None, None),
    ],
)
def test_annotation_is_on_the_line_that_is_named(
    where: str | None, expected: tuple[str, int] | None
) -> None:
    annotations = check_report(_ended(Outcome.FAILED, _reason(where)), SAFE).annotations
    assert [(each.path, each.line) for each in annotations] == ([expected] if expected else [])


def test_port_is_not_taken_for_a_line() -> None:
    reason = _reason("localhost:30650", Code.PACHD_UNREACHABLE)
    assert check_report(_ended(Outcome.FAILED, reason), SAFE).annotations == ()


def test_annotation_has_the_fact_and_the_next_step_and_mentions_nobody() -> None:
    (annotation,) = check_report(_ended(Outcome.FAILED, _reason("a.json:1")), SAFE).annotations
    assert annotation.message == "a fact of @\u200bada\na step"


def test_description_says_why_in_one_line() -> None:
    assert description(View(ASKED, board(failed())), SAFE) == (
        "Deployment failed in build: The image could not be built"
    )


def test_details_url_is_the_page() -> None:
    view = replace(View(ASKED, board(succeeded())), page="https://bot.acme.io/d/1")
    assert check_report(view, SAFE).details_url == "https://bot.acme.io/d/1"
