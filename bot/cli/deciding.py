"""What a person decides of a deployment that waits or runs."""

import json
import time

from bot.cli.options import Identity, Json
from bot.cli.output import user, write
from bot.cli.stored import Stored, change
from bot.domain.approval import Cast, Verdict, Vote, refused_vote
from bot.domain.deployment import Actor
from handlers.reports import words


def cancel(identity: Identity, *, as_json: Json = False) -> None:
    """Stop a deployment that waits or runs; what it changed is put back."""

    async def work(stored: Stored) -> None:
        deployment = await stored.find(identity)
        result = await stored.deployments.request_cancel(deployment.id, Actor(user(), "cli"))
        text = words.cancelled(result.value, deployment.id)
        if result.value == "running" and not await stored.is_served():
            text = words.cancelled_when_resumed(deployment.id)
        if as_json:
            text = json.dumps(
                {"event": "cancel", "deployment": deployment.id, "result": result.value}
            )
        write(text)

    change(work)


def approve(identity: Identity) -> None:
    """Let a deployment that waits for approval go on; never your own."""
    _vote(identity, Verdict.APPROVE)


def reject(identity: Identity) -> None:
    """End a deployment that waits for approval."""
    _vote(identity, Verdict.REJECT)


def _vote(identity: str, verdict: Verdict) -> None:
    async def work(stored: Stored) -> None:
        deployment = await stored.find(identity)
        vote = Vote(Actor(user(), "cli"), verdict, time.time())
        cast_vote = await stored.approvals.vote(deployment.id, vote)
        if cast_vote not in {Cast.COUNTED, Cast.ALREADY}:
            raise refused_vote(cast_vote, deployment.id, vote)
        write(words.VOTES[cast_vote, verdict].format(deployment.id))

    change(work)
