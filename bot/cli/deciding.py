"""What a person decides of a deployment that waits or runs."""

import json
import time
from typing import TYPE_CHECKING

from bot.account import user
from bot.cli.opening import with_bot
from bot.cli.options import Identity, Json
from bot.cli.output import write
from bot.cli.stored import Stored, change
from bot.domain.approval import ApprovalState, Cast, Verdict, Vote, refused_vote
from bot.domain.deployment import Actor, Deployment
from bot.domain.gate_terminal import may_vote
from handlers.reports import words

if TYPE_CHECKING:
    from bot.app import Bot


def cancel(identity: Identity, *, as_json: Json = False) -> None:
    """Stop a deployment that waits or runs; what it changed is put back."""

    async def work(stored: Stored) -> None:
        deployment = await stored.find_to_cancel(identity)
        result = await stored.deployments.request_cancel(deployment, Actor(user(), "cli"))
        text = words.cancelled(result.value, deployment)
        if result.value == "running" and not await stored.is_served():
            text = words.cancelled_when_resumed(deployment)
        if as_json:
            text = json.dumps({"event": "cancel", "deployment": deployment, "result": result.value})
        write(text)

    change(work)


def approve(identity: Identity) -> None:
    """Let a deployment that waits for approval go on; never your own."""
    _vote(identity, Verdict.APPROVE)


def reject(identity: Identity) -> None:
    """End a deployment that waits for approval."""
    _vote(identity, Verdict.REJECT)


def _vote(identity: str, verdict: Verdict) -> None:
    async def work(bot: "Bot") -> None:
        deployment = await Stored(bot.database).find(identity)
        vote = Vote(Actor(user(), "cli"), verdict, time.time())
        cast_vote = await _cast(bot, deployment, vote)
        if cast_vote not in {Cast.COUNTED, Cast.ALREADY}:
            raise refused_vote(cast_vote, deployment.id, vote)
        write(words.VOTES[cast_vote, verdict].format(deployment.id))

    with_bot(work)


async def _cast(bot: "Bot", deployment: Deployment, vote: Vote) -> Cast:
    """Count it where the rules of this moment let the terminal in. Errors: why they do not."""
    from bot.engine.run import stopped_for  # noqa: PLC0415 - heavy

    asked = await bot.approvals.settle(deployment.id, vote.at)
    if asked is None:
        return Cast.UNKNOWN
    # Of one that is decided nobody needs to know who might have voted.
    needed = 0
    if asked.state is ApprovalState.OPEN:
        rules = (await bot.ruled(deployment.request)).rules
        for reason in may_vote(rules, deployment.request.environment, vote.by):
            raise stopped_for(reason)
        needed = rules.approvals.needed
    seen = asked.request.proposal
    return await bot.approvals.vote(
        deployment.id, vote, needed=needed, sha=seen.sha, digest=seen.digest
    )
