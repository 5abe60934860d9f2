"""A wish to its end: refused with its reasons, or written down and on its way."""

import time
from collections.abc import Sequence
from dataclasses import replace

from bot.domain.command import render
from bot.domain.deployment import Commit, Deployment, Kind, Request
from bot.domain.gate import Allowed, Refused, Waiting, decide
from bot.domain.gate_facts import Facts
from bot.domain.github import PullRequest
from bot.domain.reasons import GITHUB_PASSES, Reason, StoppedError
from bot.store.deployments import SKIPPED, WANTED
from bot.store.values import JSON
from handlers.commands.errand import Errand
from handlers.commands.gathering import Wish, gather
from handlers.commands.noting import About, note_decision
from handlers.commands.wanted import Wanted
from handlers.reports.github.origin import ORIGIN, Origin
from handlers.reports.slack.origin import ORIGIN as SLACK
from handlers.reports.slack.origin import Heard, told_in


async def ask(errand: Errand, wish: Wish, part: str) -> Deployment | tuple[Reason, ...]:
    """The deployment, once it is on disk; or why there is none.

    Args:
        errand: the delivery.
        wish: what is asked for.
        part: tells this wish from the delivery's others.
    """
    # What was allowed once stays so, however often the delivery is handled.
    if (before := await submitted_before(errand, part)) is not None:
        return before
    what = render(wish.command)
    about = About(what, wish.command.environment, pull_request=wish.pull_request)
    try:
        rules, facts = await gather(errand, wish)
    except StoppedError as stopped:
        reasons = reasons_of(stopped, is_last=errand.source.is_last)
        await note_decision(errand, part, about, reasons)
        return reasons
    decision = decide(rules, facts)
    if isinstance(decision, Refused):
        await note_decision(errand, part, about, decision.reasons)
        return decision.reasons
    identity = errand.deployment_id(part)
    about = replace(about, environment=decision.environment, deployment=identity)
    skipped = decision.skipped if isinstance(decision, Allowed) else ()
    await note_decision(errand, part, about, skipped=skipped)
    request = _request(errand, wish, facts, decision)
    is_own = facts.is_of_pull_request
    return await submit(errand, wish, request, part, is_own=is_own, skipped=skipped)


async def submitted_before(errand: Errand, part: str) -> Deployment | None:
    """What an earlier attempt at this part of the delivery has submitted."""
    if not errand.source.is_repeat:
        return None
    return await errand.desk.deployer.deployments.get(errand.deployment_id(part))


async def submit(
    errand: Errand,
    wish: Wish,
    request: Request,
    part: str,
    *,
    is_own: bool = False,
    skipped: Sequence[Reason] = (),
) -> Deployment:
    """Write it down, with where it was asked for and what the gate is to see again.

    `is_own` says that the commit is the pull request's.
    """
    deployment = Deployment(errand.deployment_id(part), request, created_at=time.time())
    place, sha = errand.repository, request.commit.sha
    origin = Origin(
        place.owner,
        place.name,
        errand.place.installation,
        wish.pull_request,
        wish.comment,
        sha,
        has_our_comments=await _has_our_comments(errand, wish),
        is_of_pull_request=is_own,
    )
    facts = {
        ORIGIN: origin.to_json(),
        WANTED: Wanted(errand.place, errand.person, wish, errand.answered).to_json(),
        **({SKIPPED: [each.fact for each in skipped]} if skipped else {}),
        **errand.source.notes,
        **await _told_in_slack(errand, request.environment),
    }
    await errand.desk.deployer.submit(deployment, facts)
    return deployment


async def _told_in_slack(errand: Errand, environment: str) -> dict[str, JSON]:
    """Which channels are told of it, by the rules as they are now."""
    rule = (await errand.rules()).environments.get(environment)
    default = errand.desk.slack_channel
    channels = (rule.notify if rule else ()) or ((default,) if default else ())
    told = told_in(errand.source.notes.get(SLACK), channels, await _heard(errand, environment))
    return {SLACK: told} if told else {}


async def _heard(errand: Errand, environment: str) -> list[Heard]:
    subscriptions = errand.desk.subscriptions
    if subscriptions is None:
        return []
    found = await subscriptions.of_repository(errand.repository.full_name)
    return [Heard(each.channel, each.events) for each in found if each.is_about(environment)]


async def _has_our_comments(errand: Errand, wish: Wish) -> bool:
    """Whether the reports may find a comment of theirs that they do not know of."""
    if wish.pull_request is None:
        return False
    pull = await errand.pull_request(wish.pull_request)
    return not isinstance(pull, PullRequest) or pull.has_our_comments


def reasons_of(stopped: StoppedError, *, is_last: bool) -> tuple[Reason, ...]:
    """What a person is told; raised again where it passes and is tried again."""
    if stopped.reason.code in GITHUB_PASSES and not is_last:
        # The delivery is tried again.
        raise stopped
    return (stopped.reason,)


def _request(errand: Errand, wish: Wish, facts: Facts, decision: Allowed | Waiting) -> Request:
    return Request(
        kind=Kind.DEPLOY,
        repository=errand.address,
        environment=decision.environment,
        commit=wish.commit or wish.known_as or _commit(facts, decision.sha),
        trigger=wish.trigger,
        actor=errand.actor,
        only=wish.command.only,
        reprocess=wish.command.reprocess,
        force=wish.command.force,
        release=wish.release,
        trust=decision.build,
        again=wish.known_as is not None,
    )


def _commit(facts: Facts, sha: str) -> Commit:
    asked, pull = facts.command.ref, facts.pull_request
    if isinstance(pull, PullRequest) and sha == pull.head_sha:
        branch = None if facts.is_fork else pull.head_ref
        return Commit(sha, asked or pull.head_ref, branch, pull.title, pull.author)
    branch = facts.content.branch
    return Commit(sha, asked or branch or sha, branch)


async def origin_of(errand: Errand, deployment: Deployment) -> Origin | None:
    """Where on GitHub it was asked for; None where it was not, or not in this repository."""
    if deployment.request.repository != errand.address:
        return None
    stored = await errand.desk.deployer.deployments.load(deployment.id, ORIGIN)
    return Origin.from_json(stored) if stored else None
