"""A wish to its end: refused with its reasons, or written down and on its way."""

import time

from bot.domain.deployment import Commit, Deployment, Kind, Request
from bot.domain.gate import Allowed, Refused, Trust, decide
from bot.domain.gate_facts import Facts
from bot.domain.github import PullRequest
from bot.domain.reasons import Code, Reason, StoppedError
from handlers.github.errand import Errand
from handlers.github.gathering import Wish, gather
from handlers.reports.github.origin import ORIGIN, Origin

_ANSWERED_LATER = frozenset({Code.GITHUB_UNREACHABLE, Code.GITHUB_LIMITED})
"""What passes: the delivery is tried again."""


async def ask(errand: Errand, wish: Wish, part: str) -> Deployment | tuple[Reason, ...]:
    """The deployment, once it is on disk; or why there is none.

    Args:
        errand: the delivery.
        wish: what is asked for.
        part: tells this wish from the delivery's others.
    """
    identity = errand.deployment_id(part)
    # What was allowed once stays so: an attempt that broke off behind it is only finished.
    before = await errand.desk.deployer.deployments.get(identity) if errand.is_repeat else None
    if before is not None:
        await note_origin(errand, before, pull_request=wish.pull_request, comment=wish.comment)
        return before
    try:
        rules, facts = await gather(errand, wish)
    except StoppedError as stopped:
        return reasons_of(stopped)
    decision = decide(rules, facts)
    if isinstance(decision, Refused):
        return decision.reasons
    if decision.build is Trust.UNTRUSTED:
        return (_NOT_KEPT_APART,)
    deployment = Deployment(
        identity, _request(errand, wish, facts, decision), created_at=time.time()
    )
    await errand.desk.deployer.submit(deployment)
    await note_origin(errand, deployment, pull_request=wish.pull_request, comment=wish.comment)
    return deployment


def reasons_of(stopped: StoppedError) -> tuple[Reason, ...]:
    """What a person is told; raised again where it passes."""
    if stopped.reason.code in _ANSWERED_LATER:
        raise stopped
    return (stopped.reason,)


_NOT_KEPT_APART = Reason(
    Code.FORK_NOT_ALLOWED,
    "the commit comes from a fork, and this version has no build that is kept apart from secrets",
    "Push the commits to a branch of this repository, and deploy that.",
)


def _request(errand: Errand, wish: Wish, facts: Facts, decision: Allowed) -> Request:
    return Request(
        kind=Kind.DEPLOY,
        repository=errand.address,
        environment=decision.environment,
        commit=wish.commit or wish.known_as or _commit(facts, decision.sha),
        trigger=wish.trigger,
        actor=errand.actor,
        only=wish.command.only,
        reprocess=wish.command.reprocess,
        release=wish.release,
    )


def _commit(facts: Facts, sha: str) -> Commit:
    asked, pull = facts.command.ref, facts.pull_request
    if isinstance(pull, PullRequest) and sha == pull.head_sha:
        branch = None if facts.is_fork else pull.head_ref
        return Commit(sha, asked or pull.head_ref, branch, pull.title, pull.author)
    return Commit(sha, asked or sha, facts.content.branch)


async def note_origin(
    errand: Errand, deployment: Deployment, *, pull_request: int | None, comment: int | None
) -> None:
    """Keep where on GitHub it was asked for: its reports go there."""
    place, sha = errand.repository, deployment.request.commit.sha
    origin = Origin(place.owner, place.name, errand.installation, pull_request, comment, sha)
    await errand.desk.deployer.deployments.save(deployment.id, ORIGIN, origin.to_json())


async def origin_of(errand: Errand, deployment: Deployment) -> Origin | None:
    """Where on GitHub it was asked for; None where it was not, or not in this repository."""
    if deployment.request.repository != errand.address:
        return None
    stored = await errand.desk.deployer.deployments.load(deployment.id, ORIGIN)
    return Origin.from_json(stored) if stored else None
