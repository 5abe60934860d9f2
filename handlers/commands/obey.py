"""What each command does, whichever surface it was given on."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from bot.domain.approval import Verdict
from bot.domain.awaiting import Awaited
from bot.domain.command import (
    Approve,
    Cancel,
    Command,
    Deploy,
    Help,
    History,
    Link,
    Lock,
    OnEnvironment,
    Plan,
    Reject,
    Resume,
    Rollback,
    Status,
    Subscribe,
    Unlink,
    Unlock,
    Unsubscribe,
    Why,
    parse,
)
from bot.domain.command_form import Mistake
from bot.domain.command_words import kept
from bot.domain.deployment import Commit, Deployment, Kind, Request, Trigger
from bot.domain.explanation import Explanation
from bot.domain.gate import may_plan, may_roll_back
from bot.domain.gate_facts import Facts, Unknown, seconds_of
from bot.domain.gate_rules import Rules
from bot.domain.lateness import CLOCKS_APART
from bot.domain.reasons import Code, Reason, StoppedError
from bot.domain.trust import Trust
from handlers.commands import words
from handlers.commands.answers import (
    Answer,
    CancelAsked,
    CarriedOut,
    Explained,
    Helped,
    Linked,
    Listed,
    NotYet,
    Planned,
    Refused,
    Started,
    Unlinked,
)
from handlers.commands.approving import NOTHING_SEEN, cast_vote
from handlers.commands.asking import ask, reasons_of, submit, submitted_before
from handlers.commands.errand import Errand
from handlers.commands.explaining import Sources, explain, last_refusal
from handlers.commands.gathering import Wish, gather
from handlers.commands.locking import lock, resume, unlock
from handlers.commands.meaning import (
    all_of,
    awaiting,
    meant,
    newest,
    standing_of,
    to_cancel,
)
from handlers.commands.noting import About, note_command, note_decision
from handlers.commands.overtaken import overtaken_by
from handlers.commands.stopping import objections_to_cancel

_HISTORY = 20
LONGEST_WAY = 12
"""Hours from who writes a command to here, for one that changes something: twice as long as what
was delivered waits for GitHub."""


@dataclass(frozen=True)
class Given:
    """A command as it was written, and where."""

    line: str
    """Without the word that commands begin with."""
    part: str
    """Which one it is of its delivery."""
    trigger: Trigger
    at: str | None = None
    """ISO 8601, by the surface's clock."""
    pull_request: int | None = None
    comment: int | None = None

    @property
    def written_at(self) -> float | None:
        """`at`, in seconds since the epoch."""
        moment = seconds_of(self.at)
        return None if moment is None else moment.timestamp()

    @property
    def written_once(self) -> str | None:
        """What it is known by in the audit, in whichever delivery it comes; None: by its own alone."""
        return None if self.comment is None else f"comment:{self.comment}:{self.part}"

    def wish(self, command: Deploy) -> Wish:
        """For the gate."""
        number = self.pull_request
        return Wish(
            self.trigger,
            command if number is None else command.meant_on(number),
            pull_request=self.pull_request,
            comment=self.comment,
            asked_at=self.at,
        )


_DECIDED_ELSEWHERE = (Deploy, Approve, Reject)
"""These are asked for by events and buttons too, and noted where the gate is asked."""
ONLY_TELL = (Status, History, Why, Help, Link, Unlink, Subscribe, Unsubscribe)


class _RefusedError(Exception):
    def __init__(self, reasons: tuple[Reason, ...]) -> None:
        super().__init__(", ".join(each.code for each in reasons))
        self.reasons = reasons


async def obey(errand: Errand, given: Given) -> Answer:
    """Carry out a command; what comes of it.

    Errors: what passes, such as github_unreachable. Called again for the same part of the same
    delivery, it starts nothing twice.
    """
    # A secret that is typed with it is of no use in a command, and goes nowhere from here.
    given = replace(given, line=kept(errand.desk.deployer.clean(given.line)))
    await note_command(errand, given.part, given.line, given.pull_request, once=given.written_once)
    command = parse(given.line)
    errand.spoken = command if isinstance(command, OnEnvironment) else None
    # A delivery's command before it may have had some.
    errand.facts = None
    if errand.source.is_repeat and await errand.desk.deployer.audit.has(errand.once(given.part)):
        return CarriedOut(given.line)
    errand.written_at = given.written_at if given.comment is not None else None
    late = await _why_too_late(errand, given, command)
    try:
        if late is not None:
            raise late
        answered = await _do(errand, given, command)
    except _RefusedError as refused:
        answered = Refused(refused.reasons)
    except StoppedError as stopped:
        answered = Refused(reasons_of(stopped, is_last=errand.source.is_last))
    if late is not None or not isinstance(command, _DECIDED_ELSEWHERE + ONLY_TELL):
        await _note(errand, given, command, answered)
    return answered


async def _why_too_late(
    errand: Errand, given: Given, command: Command | Mistake
) -> StoppedError | None:
    """Why it is not done any more; None where it is, or has led to a deployment already."""
    at = given.written_at
    if at is None or isinstance(command, (Mistake, Plan, *ONLY_TELL)):
        return None
    late = None
    if time.time() - at > LONGEST_WAY * 3600:
        late = words.outdated(given.at or "", LONGEST_WAY)
    elif later := await overtaken_by(
        errand, command, at, pull_request=given.pull_request, is_exact=given.comment is not None
    ):
        late = words.overtaken(at, later)
    if late is not None and await submitted_before(errand, given.part) is not None:
        return None
    return late


async def _note(errand: Errand, given: Given, command: Command | Mistake, answered: Answer) -> None:
    reasons = answered.reasons if isinstance(answered, Refused) else ()
    environment, identity = getattr(command, "environment", None), None
    deployment = getattr(answered, "deployment", None)
    if isinstance(deployment, Deployment | Awaited):
        environment, identity = deployment.request.environment, deployment.id
    about = About(given.line, environment, identity, given.pull_request)
    await note_decision(errand, given.part, about, reasons)


async def _do(errand: Errand, given: Given, command: Command | Mistake) -> Answer:
    if isinstance(command, Mistake):
        raise _RefusedError((command.reason(errand.desk.word),))
    do = _DOES.get(type(command))
    return await do(errand, given, command) if do else NotYet(command)


async def _deploy(errand: Errand, given: Given, command: Deploy) -> Answer:
    answered = await ask(errand, given.wish(command), given.part)
    if not isinstance(answered, Deployment):
        raise _RefusedError(answered)
    return Started(answered)


async def _roll_back(errand: Errand, given: Given, command: Rollback) -> Answer:
    if (before := await submitted_before(errand, given.part)) is not None:
        return Started(before)
    wish = given.wish(Deploy(command.environment))
    await _check_may(may_roll_back, errand, wish)
    request = await errand.desk.deployer.rollback_request(
        errand.address, command.environment, command.steps, given.trigger, errand.actor
    )
    return Started(await submit(errand, wish, request, given.part))


async def _plan(errand: Errand, given: Given, command: Plan) -> Answer:
    environment = await _check_may(may_plan, errand, given.wish(Deploy(command.environment)))
    commit, trust = await _planned_commit(errand, given)
    request = Request(
        kind=Kind.DEPLOY,
        repository=errand.address,
        environment=environment,
        commit=commit,
        trigger=given.trigger,
        actor=errand.actor,
        trust=trust,
    )
    return Planned(await errand.desk.deployer.plan(request), environment, commit.sha)


async def _planned_commit(errand: Errand, given: Given) -> tuple[Commit, Trust]:
    """The pull request's head, or the default branch where there is none."""
    if given.pull_request is None:
        default = errand.repository.default_branch
        return await errand.desk.deployer.resolve(errand.address, default), Trust.TRUSTED
    pull = await errand.pull_request(given.pull_request)
    if isinstance(pull, Unknown):
        raise StoppedError(Code.FACT_UNKNOWN, f"{pull.call}: {pull.why}")
    is_fork = pull.is_fork(errand.repository)
    branch = None if is_fork else pull.head_ref
    commit = Commit(pull.head_sha, pull.head_ref, branch, pull.title, pull.author)
    return commit, Trust.UNTRUSTED if is_fork else Trust.TRUSTED


async def _cancel(errand: Errand, given: Given, command: Cancel) -> Answer:
    deployment = await to_cancel(errand, given.pull_request, command)
    wish = given.wish(Deploy(deployment.request.environment))
    if reasons := await objections_to_cancel(errand, wish, deployment.request):
        raise _RefusedError(reasons)
    result = await errand.desk.deployer.cancel(
        deployment.id, errand.actor, once=errand.once(given.part)
    )
    return CancelAsked(deployment, result)


async def _vote(errand: Errand, given: Given, command: Approve | Reject) -> Answer:
    try:
        deployment = await meant(errand, given.pull_request, command)
        await _check_was_asked(errand, given, command, deployment)
    except StoppedError as stopped:
        about = About(given.line, pull_request=given.pull_request)
        reasons = reasons_of(stopped, is_last=errand.source.is_last)
        await note_decision(errand, given.part, about, reasons)
        raise
    verdict = Verdict.APPROVE if isinstance(command, Approve) else Verdict.REJECT
    seen = command.seen or NOTHING_SEEN
    return await cast_vote(
        errand,
        deployment,
        verdict,
        seen,
        pull_request=given.pull_request,
        once=errand.once(given.part),
    )


async def _check_was_asked(
    errand: Errand, given: Given, command: Approve | Reject, deployment: Deployment
) -> None:
    """Without digits a vote is on what was asked when it was written: of what came later nobody knew."""
    if command.seen is not None or given.written_at is None:
        return
    asked = await errand.desk.deployer.approvals.get(deployment.id)
    if asked is not None and asked.request.asked_at > given.written_at + CLOCKS_APART:
        raise words.asked_later(given.written_at, asked.request.asked_at)


async def _lock(errand: Errand, given: Given, command: Lock) -> Answer:
    return await lock(errand, given.wish(Deploy(command.environment)), command)


async def _unlock(errand: Errand, given: Given, command: Unlock) -> Answer:
    wish, once = given.wish(Deploy(command.environment)), errand.once(given.part)
    return await unlock(errand, wish, command, once=once)


async def _resume(errand: Errand, given: Given, command: Resume) -> Answer:
    wish, once = given.wish(Deploy(command.environment)), errand.once(given.part)
    return await resume(errand, wish, once=once)


async def _explain(errand: Errand, given: Given, command: Why) -> Answer:
    """Of what is named; else of the last refusal or the newest deployment, whichever is later."""
    deployer = errand.desk.deployer
    if command.deployment is not None:
        found: Deployment | None = await meant(errand, given.pull_request, command)
        refused = None
    else:
        found = await newest(errand, given.pull_request)
        who = None if given.pull_request is not None else errand.actor.identity
        refused = await last_refusal(
            deployer.audit, errand.address, pull_request=given.pull_request, who=who
        )
    if refused is not None and (found is None or refused.at > found.created_at):
        return Explained(Explanation(decided=refused))
    if found is None:
        raise words.nothing_to_explain(given.pull_request)
    sources = Sources(
        deployer.deployments, deployer.approvals, deployer.queue, deployer.audit, deployer.standing
    )
    return Explained(await explain(sources, found))


async def _tell_status(errand: Errand, _given: Given, _command: Status) -> Answer:
    deployer, found = errand.desk.deployer, standing_of(await all_of(errand))
    locks = await deployer.locks.list(errand.address, time.time())
    holds = []
    for name in dict.fromkeys(each.request.environment for each in found):
        hold = (await deployer.standing(errand.address, name)).hold
        if hold is not None:
            holds.append((name, hold))
    return Listed(found, locks, await awaiting(errand), tuple(holds))


async def _tell_history(errand: Errand, _given: Given, _command: History) -> Answer:
    return Listed(tuple((await all_of(errand))[:_HISTORY]))


async def _link(errand: Errand, _given: Given, command: Link) -> Answer:
    """A code that was given in Slack, said where the login is proven."""
    identities = errand.desk.identities
    if identities is None:
        return NotYet(command)
    if command.proof is None:
        raise words.link_begins_in_slack(errand.desk.word)
    return Linked(await identities.use_code(command.proof, errand.person.login))


async def _unlink(errand: Errand, _given: Given, command: Unlink) -> Answer:
    identities = errand.desk.identities
    if identities is None:
        return NotYet(command)
    return Unlinked(await identities.unlink_login(errand.person.login))


async def _only_in_slack(errand: Errand, _given: Given, command: Subscribe | Unsubscribe) -> Answer:
    raise words.only_in_slack(command.form.name, errand.desk.word)


async def _help(_errand: Errand, _given: Given, command: Help) -> Answer:
    return Helped(command)


async def _check_may(
    may: Callable[[Rules, Facts], tuple[Reason, ...]], errand: Errand, wish: Wish
) -> str:
    rules, facts = await gather(errand, wish, content=False)
    if reasons := may(rules, facts):
        raise _RefusedError(reasons)
    return wish.command.environment or next(iter(rules.environments))


_DOES: Mapping[type[Command], Callable[[Errand, Given, Any], Awaitable[Answer]]] = MappingProxyType(
    {
        Deploy: _deploy,
        Rollback: _roll_back,
        Plan: _plan,
        Cancel: _cancel,
        Lock: _lock,
        Unlock: _unlock,
        Resume: _resume,
        Why: _explain,
        Approve: _vote,
        Reject: _vote,
        Status: _tell_status,
        History: _tell_history,
        Link: _link,
        Unlink: _unlink,
        Subscribe: _only_in_slack,
        Unsubscribe: _only_in_slack,
        Help: _help,
    }
)
