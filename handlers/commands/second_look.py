"""The gate once more, just before the update: what was allowed must still be so."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.domain.approval import approvers
from bot.domain.command import Deploy, render
from bot.domain.command_form import is_sha
from bot.domain.deployment import Commit, Deployment, Kind, Trigger
from bot.domain.gate import Allowed, Refused, Waiting, decide, may_roll_back
from bot.domain.gate_approver import lacking
from bot.domain.gate_case import refusal, unknown
from bot.domain.gate_facts import Unknown
from bot.domain.gate_rules import Rules
from bot.domain.reasons import GITHUB_PASSES, Code, Reason, StoppedError
from bot.services.together import both
from bot.store.deployments import WANTED
from handlers.commands.approving import who_may_not
from handlers.commands.belonging import any_of, in_allowed_branch, part_of
from handlers.commands.desk import Desk
from handlers.commands.errand import Errand, Source, known
from handlers.commands.gathering import Wish, gather
from handlers.commands.wanted import Wanted

LOG = logging.getLogger(__name__)

PAUSES = (2.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds between the attempts to reach GitHub; then nothing is known and nothing is updated."""


class SecondLook:
    """Asks for everything anew; the commit stays the one that was fixed."""

    def __init__(
        self,
        desk: Desk,
        *,
        pauses: tuple[float, ...] = PAUSES,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._desk = desk
        self._pauses = pauses
        self._sleep = sleep

    async def __call__(self, deployment: Deployment) -> tuple[Reason, ...]:
        """Why the deployment may not go on; empty where it may. Errors: those of the database."""
        stored = await self._desk.deployer.deployments.load(deployment.id, WANTED)
        if stored is None:
            # Asked for on the command line: its own look is enough.
            return ()
        wanted = Wanted.from_json(stored)
        for pause in (*self._pauses, None):
            try:
                return await self._look(deployment, wanted)
            except StoppedError as stopped:
                if stopped.reason.code not in GITHUB_PASSES:
                    return (stopped.reason,)
                if pause is None:
                    return (stopped.reason,)
                LOG.warning("%s: looked at again in %.0f s: %s", deployment.id, pause, stopped)
                await self._sleep(pause)
        raise AssertionError

    async def _look(self, deployment: Deployment, wanted: Wanted) -> tuple[Reason, ...]:
        source = Source(deployment.id, deployment.created_at)
        errand = Errand(self._desk, wanted.place, wanted.person, source)
        # Where the rules want something else by now, that is asked for by itself.
        errand.foresee(wanted.question)
        if deployment.request.kind is Kind.ROLLBACK:
            return may_roll_back(*await gather(errand, wanted.wish, content=False))
        asked = await self._desk.deployer.approvals.get(deployment.id)
        given = approvers(asked.request, asked.votes) if asked else ()
        wish = _of_the_same_commit(wanted.wish, deployment.request.commit)
        if wish.pull_request is not None:
            await errand.look(wish.pull_request, *(each.login for each in given if each.login))
        rules, facts = await gather(errand, wish, again=True)
        decision = decide(rules, facts)
        if isinstance(decision, Refused):
            return decision.reasons
        if (other := _otherwise(decision, deployment)) is not None:
            return (other,)
        if wish.trigger is Trigger.PUSH and (gone := await _taken_back(errand, rules, deployment)):
            return (gone,)
        if not isinstance(decision, Waiting):
            return ()
        # The rules may ask for more approvals by now, and who gave one may have lost the right.
        lost = await who_may_not(errand, deployment, asked.request, given) if asked else ()
        return lacking(decision.environment, decision.approvals.needed, given, lost)


_TRUST_CHANGED = StoppedError(
    Code.FORK_NOT_ALLOWED,
    "the commit was in a branch of the repository on one look, and in a fork alone on the other",
    next_step="Ask again.",
).reason


def _otherwise(decision: Allowed | Waiting, deployment: Deployment) -> Reason | None:
    """That something else was let through than what is deployed."""
    deployed = deployment.request.commit.sha
    if decision.sha != deployed:
        return refusal(Code.FACT_UNKNOWN, f"{decision.sha} was looked at in place of {deployed}")
    return None if decision.build is deployment.request.trust else _TRUST_CHANGED


async def _taken_back(errand: Errand, rules: Rules, deployment: Deployment) -> Reason | None:
    """That the branch to which the commit was pushed was put back since, or is gone with it."""
    sha, branch = deployment.request.commit.sha, deployment.request.commit.branch or ""
    found = await part_of(errand, sha, (branch,))
    if isinstance(found, Unknown):
        return unknown(f"whether {branch} still has {sha}", found)
    if found:
        return None
    there = await known(f"whether {branch} is there", errand.client.branches(branch))
    if isinstance(there, Unknown):
        return unknown(f"whether {branch} is there", there)
    if branch not in there:
        return await _gone_with(errand, rules, deployment)
    command = render(Deploy(deployment.request.environment, branch))
    return refusal(
        Code.COMMIT_ELSEWHERE,
        f"{sha} was pushed to {branch}, which does not have it any more",
        f"Deploy the branch as it is now: `{errand.desk.word} {command}`.",
    )


async def _gone_with(errand: Errand, rules: Rules, deployment: Deployment) -> Reason | None:
    """That no other branch has the commit; a branch is deleted once it is merged."""
    request, default = deployment.request, errand.repository.default_branch
    sha, gone = request.commit.sha, request.commit.branch
    rule = rules.environments[request.environment]
    found = any_of(
        await both(
            part_of(errand, sha, (default,)), in_allowed_branch(errand, rule, request.commit)
        )
    )
    if isinstance(found, Unknown):
        return unknown(f"which branch has {sha}", found)
    if found:
        return None
    takes = ", ".join(each for each in rule.allowed_branches(default) if each != gone) or "none"
    return refusal(
        Code.COMMIT_ELSEWHERE,
        f"{sha} was pushed to {gone}, which is gone, and is neither in {default}"
        f" nor in a branch that {request.environment} takes",
        f"Deploy a branch that {request.environment} takes: {takes}.",
    )


def _of_the_same_commit(wish: Wish, commit: Commit) -> Wish:
    """The wish with the commit that was fixed when it was read, whatever its ref is at now."""
    ref = wish.command.ref
    if wish.commit is not None:
        return wish
    if ref is None or (ref == commit.branch and not is_sha(ref)):
        return replace(wish, commit=commit)
    # All of it: others begin with the same digits.
    written_out = replace(wish, command=replace(wish.command, ref=commit.sha))
    return written_out if is_sha(ref) else replace(written_out, known_as=commit)
