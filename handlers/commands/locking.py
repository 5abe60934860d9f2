"""Locks that people take and release, and environments that follow pushes again."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.domain.command import Deploy, Lock, Unlock
from bot.domain.deployment import Actor, new_deployment_id
from bot.domain.gate import may_act
from bot.domain.github import PullRequest
from bot.domain.lock import Lock as LockTaken
from bot.domain.reasons import Code, StoppedError
from bot.store.locks import Busy, Changed, Gone, Locks, Taken
from handlers.commands import words
from handlers.commands.answers import Locked, Refused, Resumed, Unlocked
from handlers.commands.errand import Errand
from handlers.commands.gathering import Wish, gather


@dataclass(frozen=True)
class Where:
    """The place that a lock is on, and how commands name it."""

    repository: str
    environment: str | None
    word: str
    """What commands begin with."""
    before: str = ""
    """What stands before an environment's name there."""

    @property
    def shown(self) -> str:
        """As it is typed."""
        return "--all" if self.environment is None else f"{self.before}{self.environment}"


async def lock(errand: Errand, wish: Wish, command: Lock) -> Locked | Refused:
    """Take it, or take it over. Errors: LOCKED, and those of `gather`."""
    checked = await _where(errand, wish, everywhere=command.everywhere)
    if isinstance(checked, Refused):
        return checked
    deployer, now = errand.desk.deployer, time.time()
    bound = await _open_pull_request(errand, wish)
    asked = wanted(
        command,
        checked,
        errand.actor,
        now,
        clean=deployer.clean,
        pull_request=bound,
        asked_on=wish.pull_request,
    )
    taken = await take(deployer.locks, checked, asked, command.take_from, now)
    return Locked(taken.lock, renewed=taken.renewed, over=taken.over)


async def unlock(
    errand: Errand, wish: Wish, command: Unlock, *, once: str | None = None
) -> Unlocked | Refused:
    """Release it, one's own whatever the rules are; `once` as in the audit.

    Errors: LOCKED where it is another's than was named, and those of `gather`.
    """
    checked: Where | Refused | None = await _own(errand, command)
    if checked is None:
        checked = await _where(errand, wish, everywhere=command.everywhere)
    if isinstance(checked, Refused):
        checked = await _left_behind(errand, wish, checked)
    if isinstance(checked, Refused):
        return checked
    locks = errand.desk.deployer.locks
    freed = await release(locks, checked, errand.actor, command.owner, time.time(), once=once)
    return Unlocked(freed)


async def resume(errand: Errand, wish: Wish, *, once: str | None = None) -> Resumed | Refused:
    """Let an environment follow pushes and releases again after a rollback; `once` as above."""
    checked = await _where(errand, wish, everywhere=False)
    if isinstance(checked, Refused):
        return checked
    environment, deployer = checked.environment or "", errand.desk.deployer
    hold = (await deployer.standing(errand.address, environment)).hold
    released = hold is not None and await deployer.deployments.release_hold(
        hold.deployment, errand.actor, once=once
    )
    return Resumed(environment, hold if released else None)


def wanted(
    command: Lock,
    where: Where,
    owner: Actor,
    now: float,
    *,
    clean: Callable[[str], str],
    pull_request: int | None = None,
    asked_on: int | None = None,
) -> LockTaken:
    """The lock that is asked for; `clean` masks secrets in its reason."""
    return LockTaken(
        id=new_deployment_id(),
        repository=where.repository,
        environment=where.environment,
        owner=owner,
        reason=clean(command.reason),
        created_at=now,
        expires_at=None if command.seconds is None else now + command.seconds,
        pull_request=pull_request,
        asked_on=asked_on,
    )


async def take(
    locks: Locks, where: Where, asked: LockTaken, take_from: str | None, now: float
) -> Taken:
    """Take it; of another's, only where it is whose it was said to be.

    Errors: LOCKED, and LOCK_CHANGED where it is not.
    """
    there = await lock_at(locks, where, now)
    step, was_named = f"lock {where.shown} --take-from", take_from is not None
    result: Taken | Busy | Changed
    if there is not None and not there.is_of(asked.owner):
        if take_from is None or not _is_of(there, take_from):
            raise words.locked_by(there, where.word, step, now, changed=was_named)
        result = await locks.take_over(there.id, asked, now)
    else:
        result = await locks.take(asked, now)
    if not isinstance(result, Taken):
        raise words.locked_by(result.lock, where.word, step, now, changed=was_named)
    return result


async def release(
    locks: Locks,
    where: Where,
    by: Actor,
    owner: str | None,
    now: float,
    *,
    once: str | None = None,
) -> LockTaken:
    """Release exactly the lock that is there. Errors: LOCKED, NOT_LOCKED and LOCK_CHANGED.

    Another's is released only by its owner's name: whoever types it has seen whose it is.
    """
    there = await lock_at(locks, where, now)
    if there is None:
        raise words.not_locked(where.environment)
    is_meant = there.is_of(by) if owner is None else _is_of(there, owner)
    if not is_meant:
        raise words.locked_by(
            there, where.word, f"unlock {where.shown} --of", now, changed=owner is not None
        )
    result = await locks.release(where.repository, where.environment, there.id, by, now, once=once)
    if isinstance(result, Changed):
        step = f"unlock {where.shown} --of"
        raise words.locked_by(result.lock, where.word, step, now, changed=True)
    if isinstance(result, Gone):
        raise words.not_locked(where.environment)
    return result.lock


async def release_for_pull_request(errand: Errand, number: int, how: str) -> Sequence[LockTaken]:
    """Release what is bound to it, now that it is merged or closed."""
    locks, now = errand.desk.deployer.locks, time.time()
    return await locks.release_for_pull_request(errand.address, number, now, errand.actor, how)


async def lock_at(locks: Locks, where: Where, now: float) -> LockTaken | None:
    """The lock that is on exactly this place."""
    found = await locks.list(where.repository, now)
    return next((each for each in found if each.environment == where.environment), None)


def _is_of(found: LockTaken, name: str) -> bool:
    return found.owner.name.lower() == name.lower()


async def _where(errand: Errand, wish: Wish, *, everywhere: bool) -> Where | Refused:
    """The place, where whoever asks may act on it; on all of them for the lock of all."""
    if not everywhere:
        rules, facts = await gather(errand, wish, content=False)
        if reasons := may_act(rules, facts):
            return Refused(reasons)
        name = wish.command.environment or next(iter(rules.environments))
        return Where(errand.address, name, errand.desk.word)
    for name in (await errand.rules()).environments:
        of_it = replace(wish, command=Deploy(name))
        if reasons := may_act(*await gather(errand, of_it, content=False)):
            return Refused(reasons)
    return Where(errand.address, None, errand.desk.word)


async def _own(errand: Errand, command: Unlock) -> Where | None:
    """The place that is named, where whoever asks has the lock on it."""
    if command.environment is None and not command.everywhere:
        return None
    where = Where(errand.address, command.environment, errand.desk.word)
    there = await lock_at(errand.desk.deployer.locks, where, time.time())
    if there is None or not there.is_of(errand.actor):
        return None
    # Named as another's it may be that by now.
    return where if command.owner is None or _is_of(there, command.owner) else None


async def _left_behind(errand: Errand, wish: Wish, refused: Refused) -> Where | Refused:
    """A place that only its lock still knows is for those who may act on all.

    The rules that said who may are gone with the environment.
    """
    name, unknown = wish.command.environment, {Code.ENVIRONMENT_UNKNOWN}
    if name is None or {each.code for each in refused.reasons} != unknown:
        return refused
    where = Where(errand.address, name, errand.desk.word)
    there = await lock_at(errand.desk.deployer.locks, where, time.time())
    if there is None:
        return refused
    everywhere = await _where(errand, wish, everywhere=True)
    return everywhere if isinstance(everywhere, Refused) else where


async def _open_pull_request(errand: Errand, wish: Wish) -> int | None:
    """What it is bound to; one that is closed would never release it."""
    if wish.pull_request is None:
        return None
    pull = await errand.pull_request(wish.pull_request)
    if not isinstance(pull, PullRequest):
        raise StoppedError(Code.FACT_UNKNOWN, f"{pull.call}: {pull.why}")
    return pull.number if pull.open else None
