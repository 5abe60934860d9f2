"""Locks, and environments that follow pushes again, from a terminal."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from bot.account import user
from bot.cli.opening import with_bot
from bot.cli.options import Repository
from bot.cli.output import write
from bot.domain.command import Lock
from bot.domain.command_form import read_duration, read_owner, read_reason, typed
from bot.domain.deployment import Actor
from bot.domain.reasons import Code, StoppedError
from handlers.commands.noting import check_readable
from handlers.reports import words
from handlers.reports.locks import lock_line

if TYPE_CHECKING:
    from bot.app import Bot
    from handlers.commands.locking import Where

Environment = Annotated[
    str | None, typer.Option("--to", metavar="ENVIRONMENT", help="Which environment.")
]
Everywhere = Annotated[bool, typer.Option("--all", help="All environments of the repository.")]


def lock(
    repository: Repository = ".",
    *,
    to: Environment = None,
    everywhere: Everywhere = False,
    lasts: Annotated[
        str | None, typer.Option("--for", metavar="2h", help="How long; or until it is released.")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, for those who wait.")] = None,
    take_from: Annotated[
        str | None,
        typer.Option("--take-from", metavar="NAME", help="Take over this person's lock."),
    ] = None,
) -> None:
    """Keep everybody else from deploying to an environment."""

    async def work(bot: "Bot") -> None:
        from handlers.commands import locking  # noqa: PLC0415 - heavy

        why, long = typed(read_reason, reason), typed(read_duration, lasts)
        asked = Lock(to, why or "", everywhere, long)
        where = await _where(bot, repository, to, everywhere=everywhere, is_new=True)
        now, by = time.time(), Actor(user(), "cli")
        wanted = locking.wanted(asked, where, by, now, clean=bot.redactor.clean)
        owner = typed(read_owner, take_from)
        taken = await locking.take(bot.locks, where, wanted, owner, now)
        write(f"{lock_line(taken.lock, now)}.")

    with_bot(work)


def unlock(
    repository: Repository = ".",
    *,
    to: Environment = None,
    everywhere: Everywhere = False,
    owner: Annotated[
        str | None,
        typer.Option("--of", metavar="NAME", help="Whose lock it is, where it is not your own."),
    ] = None,
) -> None:
    """Let everybody deploy to an environment again."""

    async def work(bot: "Bot") -> None:
        from handlers.commands import locking  # noqa: PLC0415 - heavy

        by, whose = Actor(user(), "cli"), typed(read_owner, owner)
        where = await _own(bot, repository, to, by, everywhere=everywhere)
        if where is None or whose not in {None, by.name}:
            where = await _where(bot, repository, to, everywhere=everywhere, left_behind=True)
        freed = await locking.release(bot.locks, where, by, whose, time.time())
        write(words.unlocked(freed.environment, freed.owner.name))

    with_bot(work)


def resume(repository: Repository = ".", *, to: Environment = None) -> None:
    """Let pushes and releases deploy again after a rollback, without deploying now."""

    async def work(bot: "Bot") -> None:
        where = await _where(bot, repository, to, everywhere=False)
        environment = where.environment or ""
        hold = (await bot.standing(where.repository, environment)).hold
        by = Actor(user(), "cli")
        released = hold and await bot.deployments.release_hold(hold.deployment, by)
        write(words.resumed(environment, was_held=bool(released)))

    with_bot(work)


async def _own(
    bot: "Bot", repository: str, environment: str | None, by: Actor, *, everywhere: bool
) -> "Where | None":
    """The place that is named, where somebody has the lock on it: they release it in any case."""
    from handlers.commands.locking import Where, lock_at  # noqa: PLC0415 - heavy

    if everywhere == (environment is not None):
        return None
    where = Where(await bot.addresses.typed(repository), environment, "pachops", "--to ")
    there = await lock_at(bot.locks, where, time.time())
    return where if there is not None and there.is_of(by) else None


async def _where(
    bot: "Bot",
    repository: str,
    environment: str | None,
    *,
    everywhere: bool,
    is_new: bool = False,
    left_behind: bool = False,
) -> "Where":
    """The place that is meant, where the rules let somebody at a terminal act on it.

    What is kept by an address that does not count any more is found, and nothing new is put there.
    With `left_behind` an environment that only its lock still knows is one too.
    """
    from bot.leave import take_leave_to_act  # noqa: PLC0415 - heavy
    from handlers.commands.locking import Where  # noqa: PLC0415

    if everywhere and environment is not None:
        raise StoppedError(Code.BAD_COMMAND, "--all says all, and --to names one")
    address = await bot.addresses.typed(repository)
    check_readable([address])
    if is_new or not await bot.addresses.is_kept(address, environment):
        await bot.addresses.check_goes_first(address, environment)
    by = Actor(user(), "cli")
    try:
        name = await take_leave_to_act(bot, address, environment, by, everywhere=everywhere)
    except StoppedError as stopped:
        name = environment
        if not left_behind or not await _is_left_behind(bot, address, name, by, stopped):
            raise
    return Where(address, name, "pachops", "--to ")


async def _is_left_behind(
    bot: "Bot", address: str, environment: str | None, by: Actor, stopped: StoppedError
) -> bool:
    """Whether only its lock still knows the environment, and it may be released.

    By its owner, or by who may act on all: the rules that said who else may are gone.
    """
    from bot.leave import take_leave_to_act  # noqa: PLC0415 - heavy

    if environment is None or stopped.reason.code is not Code.ENVIRONMENT_UNKNOWN:
        return False
    found = await bot.locks.list(address, time.time())
    there = next((each for each in found if each.environment == environment), None)
    if there is not None and not there.is_of(by):
        await take_leave_to_act(bot, address, None, by, everywhere=True)
    return there is not None
