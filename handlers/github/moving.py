"""What is kept under a name is of the repository that has it, in whatever order GitHub tells of names."""

import hashlib
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from bot.domain.audit import BOT
from bot.domain.deployment import Actor
from bot.domain.github import Repository
from bot.domain.reasons import Code, StoppedError
from bot.store.deliveries import Deliveries
from bot.store.known_names import KnownName
from bot.store.names import Named
from handlers.commands.errand import Place, address_of
from handlers.github.desk import Desk

LOG = logging.getLogger(__name__)


class BeginsAnewError(Exception):
    """The delivery is begun anew, under the name that its repository has."""


@dataclass(frozen=True)
class Moving:
    """What one delivery, told at a place, moves."""

    desk: Desk
    deliveries: Deliveries
    delivery: str
    place: Place

    async def check(self, number: int) -> None:
        """See to it that the place is of the repository of this number, and of no other.

        Where that is in doubt GitHub is asked: a webhook may be older than a name.

        Errors: BeginsAnewError where it has another name; as `settle` where another has this one.
        """
        told = self.place.repository.full_name
        known = await self.deliveries.names.about(number, told)
        if not known:
            await self.deliveries.names.note(KnownName(told, number))
            return
        name = _name_in(known, number)
        if name and _is_same(name, told) and all(each.number == number for each in known):
            return
        # Where GitHub does not say, it was sent before the name that is known.
        name = await self.name_of(number) or name or told
        await self.settle(number, name, BOT)
        if not _is_same(name, told):
            await self.deliveries.begin_anew(self.delivery, name)
            raise BeginsAnewError

    async def is_next(self, number: int, before: str, after: str) -> bool:
        """Whether that a repository has another name is no older news, as far as is known."""
        names = self.deliveries.names
        own = [each for each in await names.about(number, before) if each.number == number]
        is_last = not own or any(_is_same(each.name, before) for each in own)
        return is_last and not await names.has_left(number, after)

    async def as_known(self, number: int, after: str) -> str:
        """What a repository is called that is told to have got this name: one that it has left it has no more."""
        names = self.deliveries.names
        if not await names.has_left(number, after):
            return after
        return _name_in(await names.about(number, after), number) or after

    async def name_of(self, number: int) -> str | None:
        """What a repository is called now; None where GitHub does not say."""
        repository = self.place.repository
        client = self.desk.github.for_repository(
            repository.owner, repository.name, self.place.installation
        )
        return await client.name_of(number)

    async def settle(
        self, number: int, name: str, by: Actor, *, also: Collection[str] = ()
    ) -> None:
        """All that is kept of a repository goes on under its name, and what is there of another leaves.

        `also` are names that it had, whether that is known or not. Errors, where GitHub still says that
        another repository has the name: github_unreachable, or github_refused where this one is gone.
        """
        known = await self.deliveries.names.about(number, name)
        own = {each.name for each in known if each.number == number} | set(also)
        others = [each for each in known if each.number != number]
        rooms = [await self._make_room(number, each, is_for_new=not own) for each in others]
        for each in sorted(own):
            await self._move(KnownName(each, number), name, by)
        await self.deliveries.names.note(KnownName(name, number))
        for other, where in zip(others, rooms, strict=True):
            if where is not None:
                await self.settle(other.number, where, BOT)

    async def _make_room(self, number: int, other: KnownName, *, is_for_new: bool) -> str | None:
        """Put aside what is kept of another; its name now, where GitHub says it."""
        where = await self.name_of(other.number)
        if where is not None and _is_same(where, other.had):
            raise await self._is_of_another(number, where)
        if where is None and is_for_new and not other.is_aside:
            # Deleted and made again, as far as anybody can tell: it goes on.
            return None
        aside = other.aside(goes_on=where is not None).name
        await self._move(other, aside, BOT)
        if where is None:
            LOG.warning(
                "%s is another repository by now, and GitHub does not say what the one before is called:"
                " what is kept of repository %d is under %s now",
                other.had,
                other.number,
                aside,
            )
        return where

    async def _is_of_another(self, number: int, name: str) -> StoppedError:
        fact = f"GitHub says that {name} is another"
        if await self.name_of(number) is not None:
            return StoppedError(Code.GITHUB_UNREACHABLE, fact)
        # It holds up the living one for no longer.
        return StoppedError(
            Code.GITHUB_REFUSED,
            f"{fact}, and shows no repository {number}, which was told of under that name",
            next_step="If it was not deleted, see that the bot's login may see it.",
        )

    async def _move(self, known: KnownName, name: str, by: Actor) -> None:
        before, after = self.named(known.name), self.named(name)
        before = replace(before, number=known.number)
        deployer = self.desk.deployer
        for each in (before.address, *await deployer.other_spellings(before.address)):
            if each != after.address:
                once = self._once(each, after.address)
                await deployer.rename(replace(before, address=each), after, by, once=once)

    def named(self, full_name: str) -> Named:
        """A repository beside this one."""
        owner, _, name = full_name.partition("/")
        return as_named(beside(self.place.repository, owner, name))

    def _once(self, before: str, after: str) -> str:
        digest = hashlib.sha256(f"{before} {after}".encode()).hexdigest()[:12]
        return f"renamed:{self.delivery}:{digest}"


def beside(place: Repository, owner: str, name: str) -> Repository:
    """Another repository on the same GitHub, or the same one under another name."""
    root, _, _ = place.clone_url.rsplit("/", 2)
    return replace(place, owner=owner, name=name, clone_url=f"{root}/{owner}/{name}.git")


def as_named(repository: Repository) -> Named:
    """As what is kept of it has it."""
    return Named(address_of(repository), repository.full_name, repository.clone_url)


def _name_in(known: Sequence[KnownName], number: int) -> str | None:
    names = (each.name for each in known if each.number == number and not each.is_aside)
    return next(names, None)


def _is_same(one: str, other: str) -> bool:
    """Capitals mean nothing to GitHub."""
    return one.lower() == other.lower()
