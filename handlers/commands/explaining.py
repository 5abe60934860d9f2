"""`why`: what is known of a deployment or of a refused command, put together."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.domain.command import Approve, Cancel, Reject, Why, parse
from bot.domain.deployment import Deployment, State
from bot.domain.explanation import Asked, Decided, Explanation, decided_from
from bot.domain.gate_facts import Standing
from bot.store.approvals import Approvals
from bot.store.audit import Audit
from bot.store.deployments import Deployments
from bot.store.queue import Queue


@dataclass(frozen=True)
class Sources:
    """Where it is looked up."""

    deployments: Deployments
    approvals: Approvals
    queue: Queue
    audit: Audit
    standing: Callable[[str, str], Awaitable[Standing]]


async def explain(sources: Sources, deployment: Deployment) -> Explanation:
    """Why it is where it is."""
    request = deployment.request
    # Its id alone: the audit keeps the name that its repository had then.
    rows = await sources.audit.about(None, deployment=deployment.id, oldest_first=True)
    found = (decided_from(json.loads(row.body)) for row in rows)
    explanation = Explanation(deployment, next((each for each in found if _led_to(each)), None))
    if deployment.state is State.FINISHED:
        return explanation
    asked = await sources.approvals.get(deployment.id)
    return replace(
        explanation,
        place=await sources.queue.place(deployment),
        asked=Asked(asked.request, asked.votes) if asked else None,
        standing=await sources.standing(request.repository, request.environment),
    )


def _led_to(decided: Decided) -> bool:
    """Whether the deployment came of it; votes and cancels are decided about one that is there."""
    return not isinstance(parse(decided.line), Approve | Cancel | Reject)


async def explain_newest(sources: Sources) -> Explanation | None:
    """Of the newest deployment or the last refusal anywhere, whichever is later."""
    newest = next(iter(await sources.deployments.list(limit=1)), None)
    refused = await last_refusal(sources.audit, None)
    if refused is not None and (newest is None or refused.at > newest.created_at):
        return Explanation(decided=refused)
    return await explain(sources, newest) if newest else None


async def last_refusal(
    audit: Audit, repository: str | None, *, pull_request: int | None = None, who: str | None = None
) -> Decided | None:
    """The last refused command of a pull request, or of a person where there is none."""
    rows = await audit.about(repository, pull_request=pull_request, who=who, refused=True)
    found = (decided_from(json.loads(row.body)) for row in rows)
    # Whoever asks why once more does not mean that they asked.
    return next((each for each in found if not isinstance(parse(each.line), Why)), None)
