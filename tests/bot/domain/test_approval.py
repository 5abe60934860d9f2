"""How a request for approval stands, and what it is bound to."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.approval import (
    ApprovalRequest,
    ApprovalState,
    PipelineChange,
    Proposal,
    Verdict,
    Vote,
    proposal,
    state_of,
)
from bot.domain.deployment import Actor, BuiltImage
from bot.domain.plan import PipelineStep

CHANGE = PipelineChange(
    "vision", "edges", 3, ("transform.image: a -> b",), "1" * 64, reprocess=False, running_jobs=2
)
PROPOSAL = Proposal("a" * 40, ("r/edges@sha256:1",), (CHANGE,))
ANN, BOB, CARL = (Actor(name, "github") for name in ("ann", "bob", "carl"))
REQUEST = ApprovalRequest("06gaaaa", PROPOSAL, ANN, 2, 100.0, 200.0)


def yes(by: Actor, at: float = 110.0) -> Vote:
    return Vote(by, Verdict.APPROVE, at)


def no(by: Actor, at: float = 110.0) -> Vote:
    return Vote(by, Verdict.REJECT, at)


@pytest.mark.parametrize(
    ("votes", "now", "expected"),
    [
        ([], 199.0, ApprovalState.OPEN),
        ([], 200.0, ApprovalState.EXPIRED),
        ([yes(BOB)], 150.0, ApprovalState.OPEN),
        ([yes(BOB), yes(CARL)], 150.0, ApprovalState.APPROVED),
        ([yes(BOB), yes(CARL)], 300.0, ApprovalState.APPROVED),
        ([yes(BOB), yes(Actor("Bob", "github"))], 150.0, ApprovalState.OPEN),
        ([yes(BOB), yes(Actor("b", "slack", "github:bob"))], 150.0, ApprovalState.OPEN),
        ([yes(BOB), yes(Actor("Bob", "cli"))], 150.0, ApprovalState.OPEN),
        ([yes(BOB), no(Actor("Bob", "cli"))], 150.0, ApprovalState.REJECTED),
        ([yes(BOB), yes(ANN)], 150.0, ApprovalState.OPEN),
        ([yes(BOB), yes(CARL, 200.0)], 250.0, ApprovalState.EXPIRED),
        ([yes(BOB), yes(CARL), no(Actor("dan", "slack"))], 150.0, ApprovalState.REJECTED),
        ([no(ANN)], 150.0, ApprovalState.OPEN),
    ],
)
def test_a_request_stands_by_its_votes(
    votes: list[Vote], now: float, expected: ApprovalState
) -> None:
    assert state_of(REQUEST, votes, now) is expected


def test_equal_proposals_have_equal_digests_whatever_runs_meanwhile() -> None:
    later = replace(PROPOSAL, pipelines=(replace(CHANGE, running_jobs=7),))
    assert later.digest == PROPOSAL.digest


@pytest.mark.parametrize(
    "other",
    [
        replace(PROPOSAL, sha="b" * 40),
        replace(PROPOSAL, images=("r/edges@sha256:2",)),
        replace(PROPOSAL, pipelines=()),
        replace(PROPOSAL, pipelines=(CHANGE, CHANGE)),
        replace(PROPOSAL, pipelines=(replace(CHANGE, name="montage"),)),
        replace(PROPOSAL, pipelines=(replace(CHANGE, from_version=4),)),
        replace(PROPOSAL, pipelines=(replace(CHANGE, spec_digest="2" * 64),)),
        replace(PROPOSAL, pipelines=(replace(CHANGE, reprocess=True),)),
    ],
)
def test_whatever_else_is_done_has_another_digest(other: Proposal) -> None:
    assert other.digest != PROPOSAL.digest


def test_a_proposal_is_made_of_what_the_update_will_do() -> None:
    image = BuiltImage("edges", "r/edges", "v1", "sha256:1", built=True)
    old, new = '{"transform": {"image": "a"}}', '{"transform": {"image": "b"}}'
    made = proposal(
        "a" * 40,
        [image],
        [
            PipelineStep("vision", "edges", 3, old, new, reprocess=True),
            PipelineStep("vision", "montage", None, None, new),
        ],
        [2, None],
    )
    assert made.lines() == (
        "r/edges@sha256:1",
        (
            "vision/edges: update version 3: transform.image: a -> b; "
            "compute everything again; 2 jobs start again"
        ),
        "vision/montage: create",
    )
    assert made.reprocesses
    assert made.running_jobs == 2


def test_jobs_that_nobody_counted_are_not_none_at_all() -> None:
    step = PipelineStep("vision", "edges", 3, "{}", "{}")
    assert proposal("a" * 40, [], [step]).running_jobs is None


VOTES = st.lists(
    st.builds(
        Vote,
        st.builds(Actor, st.sampled_from(["ann", "Bob", "bob", "carl"]), st.just("github")),
        st.sampled_from(Verdict),
        st.integers(90, 210).map(float),
    ),
    max_size=5,
)


@given(VOTES, st.integers(90, 250).map(float))
def test_approved_is_only_what_enough_others_approved_in_time(
    votes: list[Vote], now: float
) -> None:
    if state_of(REQUEST, votes, now) is not ApprovalState.APPROVED:
        return
    counted = [each for each in votes if each.by.name != "ann" and each.at < REQUEST.deadline]
    assert all(each.verdict is Verdict.APPROVE for each in counted)
    assert len({each.by.name.lower() for each in counted}) >= REQUEST.needed
