"""Who may approve or reject a deployment that waits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.domain.approval import ApprovalRequest
from bot.domain.deployment import Actor
from bot.domain.gate_case import refusal
from bot.domain.gate_facts import Sender
from bot.domain.gate_rules import Rules
from bot.domain.gate_sender import has_permission, missing_from
from bot.domain.reasons import Code, Reason


@dataclass(frozen=True)
class Ballot:
    """A vote that is about to be cast."""

    environment: str
    repository: str
    """`owner/name`, for people."""
    sender: Sender
    actor: Actor
    """The sender, as the surface knows them."""
    digest: str | None = None
    """Of the plan that they saw, where a button says it."""
    sha: str | None = None
    """Of the commit that they saw, likewise."""


def may_approve(rules: Rules, request: ApprovalRequest, ballot: Ballot) -> tuple[Reason, ...]:
    """Why the vote does not count; empty where it does. The rules are those of this moment."""
    return tuple(_objections(rules, request, ballot))


def lacking(
    environment: str,
    needed: int,
    given: Sequence[Actor],
    lost: Sequence[tuple[Actor, tuple[Reason, ...]]],
) -> tuple[Reason, ...]:
    """Why the approvals are not enough before the update; empty where they are.

    Args:
        environment: its name.
        needed: how many, by the rules of this moment.
        given: who approved.
        lost: those of them who may not by now, each with why.
    """
    count = len(given) - len(lost)
    if count >= needed:
        return ()
    fact = f"{environment} needs {needed} approvals by now, {count} given"
    if lost:
        fact += f"; not counted by now: {', '.join(each.name for each, _ in lost)}"
    missing = refusal(Code.APPROVAL_MISSING, fact)
    return (missing, *(reason for _, reasons in lost for reason in reasons))


def _objections(rules: Rules, request: ApprovalRequest, ballot: Ballot) -> Iterator[Reason]:
    sender, environment = ballot.sender, ballot.environment
    if sender.is_bot:
        yield refusal(Code.BOT_SENDER, f"{sender.login} is a bot")
    if ballot.actor.may_be(request.asked_by) or sender.login.lower() == _name(request.asked_by):
        fact = f"{sender.login} asked for deployment {request.deployment}"
        yield refusal(Code.APPROVER_ASKED, fact)
    found = rules.environments.get(environment)
    if found is None:
        fact = f"the default branch has no environment {environment} any more"
        yield refusal(Code.ENVIRONMENT_UNKNOWN, fact, "Deploy again to one that there is.")
        return
    least = found.approvals.least_permission
    yield from has_permission(sender, least, environment, ballot.repository)
    for people in found.approvals.who:
        code, words = Code.NOT_AN_APPROVER, "is not an approver of"
        yield from missing_from(people, sender, environment, code, words)
    if ballot.sha not in {None, request.proposal.sha}:
        yield refusal(
            Code.APPROVAL_OUTDATED,
            f"the approval is for {ballot.sha}, and {request.deployment} brings "
            f"{request.proposal.sha}",
        )
    elif ballot.digest not in {None, request.proposal.digest}:
        fact = f"what {request.deployment} would do is not what the approval is for"
        yield refusal(Code.APPROVAL_OUTDATED, fact)


def _name(actor: Actor) -> str:
    return actor.name.lower()
