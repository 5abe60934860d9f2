"""Which repository a command in Slack means."""

from collections import Counter
from collections.abc import Sequence

from bot.domain.command_form import MistakeError, read_repository
from bot.domain.command_words import split_line
from bot.domain.github import Repository
from bot.domain.reasons import Code, StoppedError
from handlers.reports.github.origin import ORIGIN, Origin
from handlers.slack import words
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
            raise words.repository_missing()
        name = read_repository(found[place + 1])
    except MistakeError as error:
        raise StoppedError(Code.BAD_COMMAND, error.fact) from error
    return found[:place] + found[place + 2 :], name


async def find_repository(desk: Desk, caller: Caller, asked: str | None) -> Repository:
    """The one that is named, or the only one that can be meant in this channel.

    Errors: BAD_COMMAND where it is not clear; github_refused where there is none.
    """
    name = asked or _only(
        [each.repository for each in await desk.subscriptions.of_channel(caller.channel)]
    )
    if name is None:
        known = await known_repositories(desk)
        name = _only(known)
        if name is None:
            raise words.which_repository(known, desk.word)
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


def _only(names: Sequence[str]) -> str | None:
    return names[0] if len(set(names)) == 1 else None
