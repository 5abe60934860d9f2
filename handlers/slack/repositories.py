"""Which repository a command in Slack means."""

from collections import Counter
from collections.abc import Sequence

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

FLAG = "--repo"
_TRIED = 50
"""Of a repository's deployments, until one says what GitHub calls it."""
_LOOKED_AT = 500
"""The newest deployments, whose repositories are known."""


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
    github_refused where there is none.
    """
    heard = [each.repository for each in await desk.subscriptions.of_channel(caller.channel)]
    name = asked or _only(heard)
    if name is None:
        name = _only(await known_repositories(desk))
    if name is None:
        visible = await visible_repositories(desk, caller)
        name = _only(visible)
        if name is None:
            raise refusals.which_repository(visible, desk.word)
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


async def readable_repositories(desk: Desk, login: str) -> Sequence[str]:
    """Those that a login can read on GitHub, by name."""
    names = await known_repositories(desk)

    async def may(full_name: str) -> bool:
        said = desk.readable.said(login, full_name)
        if said is not None:
            return said
        owner, _, name = full_name.partition("/")
        client = desk.github.for_repository(owner, name)
        try:
            found = await known(full_name, client.permission(login))
        except StoppedError:
            # Shown when GitHub answers again; the others need not wait.
            return False
        if isinstance(found, Unknown):
            return False
        desk.readable.note(login, full_name, can_read=found >= Permission.READ)
        return found >= Permission.READ

    allowed = await together(may(each) for each in names)
    return [name for name, is_allowed in zip(names, allowed, strict=True) if is_allowed]


async def visible_repositories(desk: Desk, caller: Caller) -> Sequence[str]:
    """Those that a person may know of: what they can read, and what the channel hears of."""
    heard = {each.repository for each in await desk.subscriptions.of_channel(caller.channel)}
    identity = await desk.identities.of_slack(caller.slack)
    own = await readable_repositories(desk, identity.login) if identity else ()
    return sorted(heard.union(own))


def _only(names: Sequence[str]) -> str | None:
    return names[0] if len(set(names)) == 1 else None
