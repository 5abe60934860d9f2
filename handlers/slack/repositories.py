"""Which repository a command in Slack means."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.command_form import MistakeError, read_repository
from bot.domain.command_words import split_line
from bot.domain.gate_facts import Unknown
from bot.domain.github import Permission, Repository
from bot.domain.reasons import Code, StoppedError
from bot.services.together import together
from handlers.commands.errand import known
from handlers.reports.github.origin import ORIGIN, Origin
from handlers.slack import refusals
from handlers.slack.caller import Caller
from handlers.slack.desk import Desk

LOG = logging.getLogger(__name__)

FLAG = "--repo"
_TRIED = 50
"""Of a repository's deployments, until one says what GitHub calls it."""
_LOOKED_AT = 500
"""The newest deployments, whose repositories are known."""


@dataclass(frozen=True)
class Visible:
    """The repositories that a person may know of."""

    names: Sequence[str]
    missing: StoppedError | None = None
    """Why there may be more; it names none. None where these are all."""


def split_repository(line: str) -> tuple[list[str], str | None]:
    """The words of a command without `--repo OWNER/NAME`, and the repository.

    Raises:
        StoppedError: BAD_COMMAND.
    """
    try:
        found = split_line(line)
        if FLAG not in found:
            return found, None
        place = found.index(FLAG)
        if place + 1 >= len(found):
            raise refusals.repository_missing()
        name = read_repository(found[place + 1])
    except MistakeError as error:
        raise StoppedError(Code.BAD_COMMAND, error.fact) from error
    return found[:place] + found[place + 2 :], name


async def find_repository(
    desk: Desk, caller: Caller, asked: str | None, *, needs_link: bool
) -> Repository:
    """The one that is named, or the only one that can be meant in this channel.

    Errors: BAD_COMMAND where it is not clear; NOT_LINKED where the login is needed and not known;
    github_refused where there is none; what passes, where GitHub does not say what can be meant.
    """
    heard = [each.repository for each in await desk.subscriptions.of_channel(caller.channel)]
    name = asked or _only(heard)
    if name is None:
        name = _only(await known_repositories(desk))
    if name is None:
        visible = await visible_repositories(desk, caller)
        if visible.missing is not None and len(visible.names) <= 1:
            # The one that is seen need not be the one that is meant.
            raise visible.missing
        name = _only(visible.names)
        if name is None:
            raise refusals.which_repository(visible.names, desk.word)
    needs_link = needs_link or name.lower() not in heard
    if needs_link and await desk.identities.of_slack(caller.slack) is None:
        # Not even whether there is such a repository is told.
        raise refusals.not_linked(desk.word)
    return await read(desk, name)


async def read(desk: Desk, full_name: str) -> Repository:
    """A repository by its name. Errors: those of GitHub."""
    owner, _, name = full_name.partition("/")
    return await desk.github.for_repository(owner, name).repository()


async def known_repositories(desk: Desk) -> Sequence[str]:
    """Those that channels hear of or that were deployed, by name."""
    names = {each.repository for each in await desk.subscriptions.all()}
    seen = Counter[str]()
    for each in await desk.deployer.deployments.list(limit=_LOOKED_AT):
        address = each.request.repository
        if seen[address] >= _TRIED:
            continue
        seen[address] += 1
        # One that was asked for on the command line does not say.
        stored = await desk.deployer.deployments.load(each.id, ORIGIN)
        if stored:
            seen[address] = _TRIED
            origin = Origin.from_json(stored)
            names.add(f"{origin.owner}/{origin.name}".lower())
    return sorted(names)


async def readable_repositories(desk: Desk, login: str) -> Visible:
    """Those that a login can read on GitHub, by name."""
    names = await known_repositories(desk)
    silent: list[StoppedError] = []

    async def may(full_name: str) -> bool:
        question = (login.lower(), full_name.lower())
        said = desk.readable.said(question)
        if said is not None:
            return said
        owner, _, name = full_name.partition("/")
        client = desk.github.for_repository(owner, name)
        try:
            found = await known(full_name, client.permission(login))
        except StoppedError as stopped:
            # Shown when GitHub answers again; the others need not wait.
            silent.append(stopped)
            return False
        if isinstance(found, Unknown):
            return False
        can_read = found >= Permission.READ
        desk.readable.note(question, can_read)
        return can_read

    allowed = await together(may(each) for each in names)
    found = [name for name, is_allowed in zip(names, allowed, strict=True) if is_allowed]
    if not silent:
        return Visible(found)
    LOG.warning(
        "of %d repositories GitHub does not say who can read them: %s", len(silent), silent[0]
    )
    return Visible(found, refusals.readers_unknown(silent[0].reason))


async def visible_repositories(desk: Desk, caller: Caller) -> Visible:
    """Those that a person may know of: what they can read, and what the channel hears of."""
    heard = {each.repository for each in await desk.subscriptions.of_channel(caller.channel)}
    identity = await desk.identities.of_slack(caller.slack)
    if identity is None:
        has_more = bool(await known_repositories(desk))
        return Visible(sorted(heard), refusals.not_linked(desk.word) if has_more else None)
    own = await readable_repositories(desk, identity.login)
    return Visible(sorted(heard.union(own.names)), own.missing)


def _only(names: Sequence[str]) -> str | None:
    return names[0] if len(set(names)) == 1 else None
