import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from bot.domain.approval import (
    ApprovalRequest,
    ApprovalState,
    Cast,
    PipelineChange,
    Proposal,
    Verdict,
    Vote,
    refused_vote,
)
from bot.domain.deployment import Actor, Deployment, Outcome
from bot.domain.reasons import Code
from bot.store.approvals import Approvals
from bot.store.audit import Audit
from bot.store.database import Database
from bot.store.deployments import Deployments

Add = Callable[..., Awaitable[Deployment]]
Ask = Callable[..., Awaitable[ApprovalRequest]]

ANN, BOB, CARL = (Actor(name, "github") for name in ("ann", "bob", "carl"))
CHANGE = PipelineChange("vision", "edges", 3, ("a: b -> c",), "1" * 64, reprocess=False)
PROPOSAL = Proposal("a" * 40, ("r/edges@sha256:1",), (CHANGE,))


@pytest.fixture
def approvals(database: Database) -> Approvals:
    return Approvals(database)


@pytest.fixture
def ask(approvals: Approvals, add: Add) -> Ask:
    async def ask(needed: int = 2) -> ApprovalRequest:
        deployment = await add()
        return await approvals.ask(
            ApprovalRequest(deployment.id, PROPOSAL, ANN, needed, 100.0, 200.0)
        )

    return ask


def yes(by: Actor, at: float = 110.0) -> Vote:
    return Vote(by, Verdict.APPROVE, at)


async def state(approvals: Approvals, request: ApprovalRequest, now: float) -> ApprovalState:
    found = await approvals.settle(request.deployment, now)
    assert found
    return found.state


async def test_enough_votes_approve(approvals: Approvals, ask: Ask) -> None:
    request = await ask()
    assert await approvals.vote(request.deployment, yes(BOB)) is Cast.COUNTED
    assert await state(approvals, request, 120.0) is ApprovalState.OPEN
    assert await approvals.vote(request.deployment, yes(CARL)) is Cast.COUNTED
    assert await state(approvals, request, 120.0) is ApprovalState.APPROVED


async def test_asked_again_the_first_request_goes_on(approvals: Approvals, ask: Ask) -> None:
    request = await ask()
    await approvals.vote(request.deployment, yes(BOB))
    later = replace(request, asked_at=150.0, deadline=999.0)
    assert await approvals.ask(later) == request
    found = await approvals.get(request.deployment)
    assert found
    assert found.votes == (yes(BOB),)


async def test_another_proposal_needs_votes_of_its_own(approvals: Approvals, ask: Ask) -> None:
    request = await ask(needed=1)
    await approvals.vote(request.deployment, yes(BOB))
    other = replace(request, proposal=replace(PROPOSAL, images=("r/edges@sha256:2",)))
    assert await approvals.ask(other) == other
    assert await state(approvals, request, 120.0) is ApprovalState.OPEN


async def test_a_person_votes_once_however_often_the_click_arrives(
    approvals: Approvals, ask: Ask, url: str
) -> None:
    request = await ask()
    other = await Database.open(url, busy_timeout=30.0)
    stores = [approvals, Approvals(other)]
    cast = await asyncio.gather(
        *(stores[number % 2].vote(request.deployment, yes(BOB)) for number in range(6))
    )
    await other.close()
    assert sorted(cast) == [Cast.ALREADY] * 5 + [Cast.COUNTED]
    assert (
        await approvals.vote(request.deployment, Vote(BOB, Verdict.REJECT, 111.0)) is Cast.ALREADY
    )
    assert await state(approvals, request, 120.0) is ApprovalState.OPEN


async def test_who_asked_does_not_vote(approvals: Approvals, ask: Ask) -> None:
    request = await ask(needed=1)
    for by in (ANN, Actor("Ann", "slack"), Actor("x", "slack", "github:ann")):
        assert await approvals.vote(request.deployment, yes(by)) is Cast.ASKED
    assert await state(approvals, request, 120.0) is ApprovalState.OPEN


async def test_a_vote_is_for_what_was_seen(approvals: Approvals, ask: Ask) -> None:
    request = await ask(needed=1)
    identity, digest = request.deployment, PROPOSAL.digest
    assert await approvals.vote(identity, yes(BOB), sha="b" * 40) is Cast.OUTDATED
    assert await approvals.vote(identity, yes(BOB), digest="f" * 64) is Cast.OUTDATED
    assert await approvals.vote(identity, yes(BOB), sha="a" * 40, digest=digest) is Cast.COUNTED


async def test_rules_that_ask_for_more_now_count(approvals: Approvals, ask: Ask) -> None:
    request = await ask(needed=1)
    await approvals.vote(request.deployment, yes(BOB), needed=2)
    assert await state(approvals, request, 120.0) is ApprovalState.OPEN


async def test_rules_that_ask_for_fewer_now_do_not(approvals: Approvals, ask: Ask) -> None:
    request = await ask(needed=2)
    await approvals.vote(request.deployment, yes(BOB), needed=1)
    assert await state(approvals, request, 120.0) is ApprovalState.OPEN


@pytest.mark.parametrize("vote", [yes(CARL, 120.0), Vote(CARL, Verdict.REJECT, 120.0)])
async def test_what_is_decided_stays_so(approvals: Approvals, ask: Ask, vote: Vote) -> None:
    request = await ask(needed=1)
    await approvals.vote(request.deployment, yes(BOB))
    assert await state(approvals, request, 115.0) is ApprovalState.APPROVED
    assert await approvals.vote(request.deployment, vote) is Cast.CLOSED
    assert await state(approvals, request, 999.0) is ApprovalState.APPROVED


async def test_a_vote_after_the_deadline_comes_too_late(approvals: Approvals, ask: Ask) -> None:
    request = await ask(needed=1)
    assert await approvals.vote(request.deployment, yes(BOB, 200.0)) is Cast.CLOSED
    assert await state(approvals, request, 200.0) is ApprovalState.EXPIRED


async def test_one_no_is_enough(approvals: Approvals, ask: Ask) -> None:
    request = await ask(needed=1)
    await approvals.vote(request.deployment, Vote(BOB, Verdict.REJECT, 110.0))
    await approvals.vote(request.deployment, yes(CARL))
    assert await state(approvals, request, 120.0) is ApprovalState.REJECTED


async def test_a_deployment_that_has_ended_takes_no_votes(
    approvals: Approvals, deployments: Deployments, ask: Ask
) -> None:
    request = await ask()
    assert await approvals.open() == (request,)
    await deployments.finish(request.deployment, Outcome.CANCELLED)
    assert await approvals.vote(request.deployment, yes(BOB)) is Cast.CLOSED
    assert await approvals.open() == ()


async def test_one_that_nobody_asked_for_takes_none(approvals: Approvals, add: Add) -> None:
    deployment = await add()
    assert await approvals.vote(deployment.id, yes(BOB)) is Cast.UNKNOWN
    assert await approvals.settle(deployment.id, 1.0) is None
    assert await approvals.get(deployment.id) is None


async def test_asking_and_voting_are_in_the_audit(
    approvals: Approvals, ask: Ask, database: Database
) -> None:
    request = await ask()
    await approvals.vote(request.deployment, yes(BOB))
    await approvals.vote(request.deployment, yes(BOB))
    audit = Audit(database)
    bodies = [json.loads(row.body) for row in await audit.read()]
    assert [each["action"] for each in bodies] == ["submitted", "approval_asked", "voted"]
    assert bodies[-1]["actor"] == {"name": "bob", "surface": "github"}
    assert bodies[-1]["facts"] == {
        "verdict": "approve",
        "sha": PROPOSAL.sha,
        "digest": PROPOSAL.digest,
    }
    assert (await audit.verify())[1] == ()


@pytest.mark.parametrize(
    ("cast", "code"),
    [
        (Cast.ASKED, Code.APPROVER_ASKED),
        (Cast.OUTDATED, Code.APPROVAL_OUTDATED),
        (Cast.CLOSED, Code.APPROVAL_NOT_OPEN),
        (Cast.UNKNOWN, Code.APPROVAL_NOT_OPEN),
    ],
)
def test_a_vote_that_does_not_count_has_its_reason(cast: Cast, code: Code) -> None:
    reason = refused_vote(cast, "06gaaaa", yes(BOB)).reason
    assert reason.code is code
    assert "06gaaaa" in reason.fact
