"""The wait for others to approve what an update would do."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from bot.domain.approval import ApprovalRequest, ApprovalState, Verdict, Vote, approvers
from bot.domain.deployment import Actor
from bot.domain.progress import ApprovalNeeded, Progress, Voted
from bot.domain.reasons import Code, StoppedError
from bot.store.approvals import Approvals, Asked

POLL_SECONDS = 1.0


async def approve(
    wanted: ApprovalRequest,
    approvals: Approvals,
    report: Callable[[Progress], None],
    *,
    look: Callable[[], Awaitable[None]],
    named: tuple[str, ...] = (),
    poll: float = POLL_SECONDS,
) -> tuple[Actor, ...]:
    """Ask, and wait until it is decided; those who approved.

    After a restart the request that is there goes on, with its own deadline and its votes.

    Args:
        wanted: what is asked.
        approvals: where requests and votes are kept.
        report: what is said meanwhile.
        named: those whom the rules name, who are called where that can be done.
        look: looks whether the deployment still makes sense; StoppedError where it does not.
        poll: seconds between two looks at the votes.

    Raises:
        StoppedError: APPROVAL_REJECTED, APPROVAL_EXPIRED, or what `look` raises.
    """
    request = await approvals.ask(wanted)
    report(_needed(request, named))
    said: set[str] = set()
    while True:
        asked = await approvals.settle(request.deployment, time.time())
        if asked is None:
            raise StoppedError(Code.INTERNAL_ERROR, "the request for approval is gone")
        for vote in asked.votes:
            if vote.by.identity not in said:
                said.add(vote.by.identity)
                report(Voted(vote.by.name, vote.by.surface, vote.verdict is Verdict.APPROVE))
        if asked.state is ApprovalState.APPROVED:
            return approvers(asked.request, asked.votes)
        _stop_where_decided(asked)
        await look()
        await asyncio.sleep(poll)


def _needed(request: ApprovalRequest, named: tuple[str, ...]) -> ApprovalNeeded:
    proposal = request.proposal
    return ApprovalNeeded(
        deployment=request.deployment,
        sha=proposal.sha,
        digest=proposal.digest,
        asked_by=request.asked_by.name,
        needed=request.needed,
        deadline=request.deadline,
        changes=proposal.lines(),
        reprocesses=proposal.reprocesses,
        running_jobs=proposal.running_jobs,
        named=named,
    )


def _stop_where_decided(asked: Asked) -> None:
    if asked.state is ApprovalState.REJECTED:
        by = ", ".join(each.by.name for each in asked.votes if _says_no(each))
        raise StoppedError(Code.APPROVAL_REJECTED, f"{by} rejected it")
    if asked.state is ApprovalState.EXPIRED:
        given = len(approvers(asked.request, asked.votes))
        raise StoppedError(
            Code.APPROVAL_EXPIRED,
            f"{given} of {asked.request.needed} approvals were given before the deadline",
        )


def _says_no(vote: Vote) -> bool:
    return vote.verdict is Verdict.REJECT
