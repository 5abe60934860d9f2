"""Who is who: a Slack user and a GitHub login are joined by the person."""

from bot.domain.command import Link
from bot.domain.reasons import StoppedError
from bot.services.slack import Message
from bot.store.identities import Proof
from handlers.slack import words
from handlers.slack.caller import Caller
from handlers.slack.desk import Desk
from handlers.slack.repositories import known_repositories


async def link(desk: Desk, caller: Caller, command: Link) -> Message:
    """Join by e-mail where both sides have confirmed the same address; else give a code."""
    login = command.proof
    if login is not None and await _same_email(desk, caller, login):
        await desk.identities.link(caller.slack, login, Proof.EMAIL)
        return words.linked_by_email(login, desk.safe)
    known = await desk.identities.of_slack(caller.slack)
    code = await desk.identities.new_code(caller.slack)
    return words.code(code, login, known.login if known else None, desk)


async def unlink(desk: Desk, caller: Caller) -> Message:
    """Part them."""
    return words.unlinked(was_linked=await desk.identities.unlink(caller.slack))


async def _same_email(desk: Desk, caller: Caller, login: str) -> bool:
    person = await desk.slack.person(caller.user)
    if person is None or not person.email or not person.is_confirmed:
        return False
    if person.team != (await desk.slack.login()).team:
        # Whoever runs another workspace confirms there what they like.
        return False
    try:
        shown = await _email_on_github(desk, login)
    except StoppedError:
        # It is one of two ways: the code is the other.
        return False
    return shown is not None and shown.casefold() == person.email.casefold()


async def _email_on_github(desk: Desk, login: str) -> str | None:
    """Asked with the rights of any repository that we know."""
    for full_name in (await known_repositories(desk))[:1]:
        owner, _, name = full_name.partition("/")
        return await desk.github.for_repository(owner, name).public_email(login)
    return None
