"""The wait for approval, without a bot around it."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.approval import ApprovalRequest, Proposal, Verdict, Vote
from bot.domain.deployment import Actor, Commit, Deployment, Kind, Request, Trigger
from bot.domain.progress import ApprovalNeeded, Progress, Voted
from bot.domain.reasons import Code, StoppedError
from bot.stages.approve import approve
from bot.store.approvals import Approvals
from bot.store.database import Database
from bot.store.deployments import insert
from tests.migrated import migrated

ANN, BOB, CARL = (Actor(name, "github") for name in ("ann", "bob", "carl"))
REQUEST = Request(Kind.DEPLOY, "r", "production", Commit("a" * 40, "main"), Trigger.COMMENT, ANN)


@pytest.fixture
async def approvals(tmp_path: Path) -> AsyncIterator[Approvals]:
    database = await Database.open(migrated(tmp_path / "pachops.db"))
    await database.write(lambda connection: insert(connection, Deployment("06gaaaa", REQUEST)))
    yield Approvals(database)
    await database.close()


def wanted(*, needed: int = 1, lasts: float = 3600.0) -> ApprovalRequest:
    now = time.time()
    return ApprovalRequest("06gaaaa", Proposal("a" * 40, (), ()), ANN, needed, now, now + lasts)


class Stage:
    """The stage; each look at whether it still makes sense is a moment at which somebody votes."""

    def __init__(self, approvals: Approvals, *votes: tuple[Actor, Verdict]) -> None:
        self.approvals = approvals
        self.votes = list(votes)
        self.events: list[Progress] = []

    async def run(self, request: ApprovalRequest) -> tuple[Actor, ...]:
        return await approve(request, self.approvals, self.events.append, look=self.look, poll=0.0)

    async def look(self) -> None:
        if not self.votes:
            raise StoppedError(Code.SUPERSEDED, "nobody else votes")
        by, verdict = self.votes.pop(0)
        await self.approvals.vote("06gaaaa", Vote(by, verdict, time.time()))


async def test_it_ends_with_those_who_approved(approvals: Approvals) -> None:
    stage = Stage(approvals, (BOB, Verdict.APPROVE), (CARL, Verdict.APPROVE))
    assert await stage.run(wanted(needed=2)) == (BOB, CARL)
    needed, *votes = stage.events
    assert isinstance(needed, ApprovalNeeded)
    assert votes == [
        Voted("bob", "github", approves=True),
        Voted("carl", "github", approves=True),
    ]


async def test_who_asked_does_not_count(approvals: Approvals) -> None:
    stage = Stage(approvals, (ANN, Verdict.APPROVE))
    with pytest.raises(StoppedError) as stopped:
        await stage.run(wanted())
    assert stopped.value.reason.code is Code.SUPERSEDED


async def test_a_no_says_whose_it_is(approvals: Approvals) -> None:
    stage = Stage(approvals, (BOB, Verdict.REJECT))
    with pytest.raises(StoppedError) as stopped:
        await stage.run(wanted(needed=2))
    assert stopped.value.reason.code is Code.APPROVAL_REJECTED
    assert stopped.value.reason.fact == "bob rejected it"


async def test_a_deadline_that_is_over_says_how_many_were_missing(approvals: Approvals) -> None:
    with pytest.raises(StoppedError) as stopped:
        await Stage(approvals).run(wanted(needed=2, lasts=0.0))
    assert stopped.value.reason.code is Code.APPROVAL_EXPIRED
    assert stopped.value.reason.fact == "0 of 2 approvals were given before the deadline"


async def test_begun_again_it_finds_the_votes_and_says_them_again(approvals: Approvals) -> None:
    first = Stage(approvals, (BOB, Verdict.APPROVE))
    with pytest.raises(StoppedError):
        await first.run(wanted(needed=2))
    again = Stage(approvals, (CARL, Verdict.APPROVE))
    assert await again.run(wanted(needed=2, lasts=0.0)) == (BOB, CARL)
    assert [event for event in first.events if isinstance(event, ApprovalNeeded)] == [
        event for event in again.events if isinstance(event, ApprovalNeeded)
    ]
