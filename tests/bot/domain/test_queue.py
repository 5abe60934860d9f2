"""Who is before whom, how long it usually takes, and what a newer commit makes needless."""

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.deployment import (
    Actor,
    Commit,
    Deployment,
    Kind,
    Outcome,
    Request,
    Stage,
    State,
    Trigger,
)
from bot.domain.queue import Newer, Place, Wait, newer_than, place_of, urgent_among, usual_duration
from bot.domain.trust import Trust

ANN = Actor("ann", "github")


def made(number: int, branch: str | None = "main", **request: Any) -> Deployment:
    commit = Commit(f"{number:040}", branch or "v1", branch=branch)
    asked = Request(Kind.DEPLOY, "r", "production", commit, Trigger.PUSH, ANN)
    return Deployment(f"{number:04}", replace(asked, **request), created_at=float(number))


OLD, NEW = made(1), made(2)


# --- superseded


def test_a_newer_commit_of_the_branch_takes_its_place() -> None:
    assert newer_than(OLD, [NEW]) == Newer("0002", NEW.request.commit.sha)


def test_of_several_the_newest_does() -> None:
    newer = newer_than(OLD, [NEW, made(3), made(4, "other")])
    assert newer
    assert newer.deployment == "0003"


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (OLD, made(2, "other")),
        (made(1, None), made(2, None)),
        (OLD, replace(NEW, request=replace(NEW.request, commit=OLD.request.commit))),
        (OLD, made(2, environment="staging")),
        (OLD, made(2, kind=Kind.ROLLBACK)),
        (made(1, kind=Kind.ROLLBACK), NEW),
        (made(1, release="v1.4.0"), NEW),
        (OLD, made(2, trust=Trust.UNTRUSTED)),
        (made(1, force="fire"), NEW),
        (made(1, reprocess=True), NEW),
        (OLD, made(2, only=("edges",))),
        (made(1, only=("montage",)), made(2, only=("edges",))),
    ],
)
def test_what_does_not_do_all_that_the_older_would_does_not(
    older: Deployment, newer: Deployment
) -> None:
    assert newer_than(older, [newer]) is None


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (made(1, reprocess=True), made(2, reprocess=True)),
        (OLD, made(2, reprocess=True)),
        (made(1, only=("edges",)), NEW),
        (made(1, only=("edges",)), made(2, only=("edges", "montage"))),
        (OLD, made(2, trigger=Trigger.COMMENT)),
        (OLD, made(2, force="fire")),
    ],
)
def test_what_does_all_that_and_more_does(older: Deployment, newer: Deployment) -> None:
    assert newer_than(older, [newer])


def test_nothing_behind_it_changes_nothing() -> None:
    assert newer_than(OLD, []) is None


# --- urgent


@pytest.mark.parametrize(
    ("behind", "urgent"),
    [
        ([], None),
        ([NEW, made(3, "other")], None),
        ([NEW, made(3, force="fire"), made(4, force="fire")], "0003"),
        ([NEW, made(3, "other", force="fire")], "0003"),
        ([made(3, kind=Kind.ROLLBACK), made(4, force="fire")], "0003"),
    ],
)
def test_the_first_forced_one_or_rollback_is_urgent(
    behind: list[Deployment], urgent: str | None
) -> None:
    found = urgent_among(behind)
    assert (found.id if found else None) == urgent


# --- its place


RUNNING = replace(OLD, state=State.RUNNING, stage=Stage.BUILD, started_at=100.0)


def test_the_next_one_begins_at_once() -> None:
    assert place_of(OLD, [OLD, NEW], [60.0], 200.0) == Place(Wait.NEXT, (), 60.0, 0.0)


def test_one_behind_others_is_told_whom_and_about_when() -> None:
    third = made(3)
    assert place_of(third, [RUNNING, NEW, third], [60.0, 40.0, 90.0], 120.0) == Place(
        Wait.BEHIND, (RUNNING, NEW), 60.0, 100.0
    )


def test_what_takes_longer_than_usual_may_end_at_any_moment() -> None:
    assert place_of(NEW, [RUNNING, NEW], [60.0], 999.0).begins_in == 0.0


def test_without_a_past_nobody_knows_when() -> None:
    assert place_of(NEW, [RUNNING, NEW], [], 120.0).begins_in is None


def test_behind_one_that_waits_for_approval_nobody_knows_when() -> None:
    waits = replace(RUNNING, stage=Stage.APPROVE)
    place = place_of(NEW, [waits, NEW], [60.0], 120.0)
    assert (place.wait, place.begins_in) == (Wait.BEHIND, None)


@pytest.mark.parametrize(
    ("deployment", "wait"),
    [
        (RUNNING, Wait.RUNNING),
        (replace(RUNNING, stage=Stage.APPROVE), Wait.APPROVAL),
        (replace(OLD, state=State.FINISHED, outcome=Outcome.FAILED), Wait.FINISHED),
    ],
)
def test_one_that_does_not_wait_in_line_says_what_it_does(
    deployment: Deployment, wait: Wait
) -> None:
    assert place_of(deployment, [deployment], [], 1.0) == Place(wait)


def test_the_usual_duration_is_the_median() -> None:
    assert usual_duration([]) is None
    assert usual_duration([60.0, 1000.0, 50.0]) == 60.0
