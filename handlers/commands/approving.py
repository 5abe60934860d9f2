"""Votes on a deployment that waits for other people."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.approval import (
    ApprovalRequest,
    ApprovalState,
    Cast,
    Verdict,
    Vote,
    approvers,
    refused_vote,
)
from bot.domain.deployment import GITHUB, Actor, Deployment
from bot.domain.gate_approver import Ballot, may_approve
from bot.domain.gate_facts import Sender
from bot.domain.gate_rules import NO_APPROVALS, Approvals, EnvironmentRules
from bot.domain.gate_terminal import may_vote
from bot.domain.reasons import Reason, StoppedError
from bot.services.together import both, together
from handlers.commands.answers import Refused, VoteCast
from handlers.commands.asking import reasons_of
from handlers.commands.errand import Errand, Person
from handlers.commands.noting import About, note_decision
from handlers.commands.words import no_such_deployment


@dataclass(frozen=True)
class Seen:
    """What a person saw who votes."""

    sha: str | None = None
    digest: str | None = None
    """Of the plan."""


NOTHING_SEEN = Seen()


async def cast_vote(
    errand: Errand,
    deployment: Deployment,
    verdict: Verdict,
    seen: Seen | str = NOTHING_SEEN,
    *,
    pull_request: int | None = None,
    once: str | None = None,
) -> VoteCast | Refused:
    """Count the vote where whoever asks is one of the approvers, by the rules of this moment.

    It is noted in the audit, whatever comes of it.

    Args:
        errand: the delivery.
        deployment: one of the errand's repository.
        verdict: what they say.
        seen: what they looked at; typed, the first digits of its commit or its digest.
        pull_request: where it was said.
        once: as in the audit.

    Errors: those of `Errand.rules`, and a vote that comes too late or for something else.
    """
    line, environment = f"{verdict.value} {deployment.id}", deployment.request.environment
    about = About(line, environment, deployment.id, pull_request)
    part = f"vote:{deployment.id}"
    try:
        if pull_request is not None:
            await errand.look(pull_request)
        cast = await _cast(errand, deployment, verdict, seen, once)
    except StoppedError as stopped:
        reasons = reasons_of(stopped, is_last=errand.source.is_last)
        await note_decision(errand, part, about, reasons)
        raise
    await note_decision(errand, part, about, cast.reasons if isinstance(cast, Refused) else ())
    return cast


async def _cast(
    errand: Errand,
    deployment: Deployment,
    verdict: Verdict,
    seen: Seen | str,
    once: str | None,
) -> VoteCast | Refused:
    if deployment.request.repository != errand.address:
        # Who may what there says nothing of it: its own place may have another name by now.
        raise no_such_deployment(deployment.id)
    approvals = errand.desk.deployer.approvals
    asked = await approvals.settle(deployment.id, time.time())
    vote = Vote(errand.actor, verdict, time.time())
    if asked is None:
        raise refused_vote(Cast.UNKNOWN, deployment.id, vote)
    if isinstance(seen, str):
        seen = _meant(asked.request, seen)
    # Of one that is decided nobody needs to know who might have voted.
    is_open = asked.state is ApprovalState.OPEN
    if is_open and (reasons := await objections(errand, deployment, asked.request, seen)):
        return Refused(reasons)
    proposal, wanted = asked.request.proposal, await _wanted(errand, deployment)
    # What it is now: nobody votes on what takes its place meanwhile.
    cast = await approvals.vote(
        deployment.id,
        vote,
        needed=wanted.needed,
        sha=proposal.sha,
        digest=proposal.digest,
        once=once,
    )
    if cast not in {Cast.COUNTED, Cast.ALREADY}:
        raise refused_vote(cast, deployment.id, vote)
    after = await approvals.get(deployment.id) or asked
    approved = len(approvers(after.request, after.votes))
    return VoteCast(
        deployment,
        verdict,
        is_new=cast is Cast.COUNTED,
        approved=approved,
        needed=after.request.needed,
    )


async def objections(
    errand: Errand, deployment: Deployment, request: ApprovalRequest, seen: Seen = NOTHING_SEEN
) -> tuple[Reason, ...]:
    """Why whoever asks may not vote on it; empty where they may. Errors: as above."""
    ballot = Ballot(
        deployment.request.environment,
        errand.repository.full_name,
        await _sender(errand, await _wanted(errand, deployment)),
        errand.actor,
        seen.digest,
        seen.sha,
    )
    return may_approve(await errand.rules(), request, ballot)


async def who_may_not(
    errand: Errand, deployment: Deployment, request: ApprovalRequest, voters: Sequence[Actor]
) -> tuple[tuple[Actor, tuple[Reason, ...]], ...]:
    """Those who may not approve by now, each with why.

    Who is nobody on GitHub sat at a terminal.
    """
    known = [(each, login) for each in voters if (login := each.login) is not None]
    against = await together(
        objections(errand.of(Person(login, GITHUB)), deployment, request) for _, login in known
    )
    environment = deployment.request.environment
    found = {each: reasons for (each, _), reasons in zip(known, against, strict=True)}
    rules = (await errand.rules()).environments.get(environment, EnvironmentRules())
    for each in voters:
        if each not in found:
            found[each] = may_vote(rules, environment, each)
    return tuple((each, reasons) for each, reasons in found.items() if reasons)


def _meant(request: ApprovalRequest, digits: str) -> Seen:
    proposal = request.proposal
    if proposal.sha.startswith(digits):
        return Seen(sha=proposal.sha)
    return Seen(digest=proposal.digest if proposal.digest.startswith(digits) else digits)


async def _wanted(errand: Errand, deployment: Deployment) -> Approvals:
    rule = (await errand.rules()).environments.get(deployment.request.environment)
    return rule.approvals if rule else NO_APPROVALS


async def _sender(errand: Errand, wanted: Approvals) -> Sender:
    teams, groups = sorted(wanted.asked_teams), sorted(wanted.asked_groups)
    permission, (in_teams, in_groups) = await both(
        errand.permission(wanted.least_permission),
        both(
            together(errand.is_member(each) for each in teams),
            together(errand.is_in_group(each) for each in groups),
        ),
    )
    return Sender(
        errand.person.login,
        errand.person.is_bot,
        permission,
        dict(zip(teams, in_teams, strict=True)),
        dict(zip(groups, in_groups, strict=True)),
    )
