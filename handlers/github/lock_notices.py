"""A notice about a lock, on the pull request on which it was asked for."""

from bot.domain.lock import Notice
from handlers.commands.told import rich
from handlers.github.desk import Desk
from handlers.github.words import lock_notice_marker
from handlers.reports.github.comment import mention_of
from handlers.reports.locks import notice_line
from handlers.reports.words import repository_name


async def tell_on_pull_request(desk: Desk, notice: Notice) -> bool:
    """Comment there, once, however often it is tried. Errors: those of GitHub."""
    # One that an older version took says only what it is bound to.
    number = notice.lock.asked_on or notice.lock.pull_request
    owner = mention_of(notice.lock.owner)
    place, _, name = repository_name(notice.lock.repository).partition("/")
    if number is None or not owner or not name:
        return False
    client = desk.github.for_repository(place, name)
    marker = lock_notice_marker(notice)
    if await client.find_comment(number, marker) is None:
        body = f"{owner} {rich(notice_line(notice, desk.word), desk.safe)}"
        await client.create_comment(number, body, marker=marker)
    return True
