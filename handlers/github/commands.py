"""A command in a comment: carried out, and answered where it was given."""

import logging

from bot.domain.command import Plan, parse
from bot.domain.reasons import Code, StoppedError
from handlers.commands.answers import Refused, Started
from handlers.commands.obey import Given, obey
from handlers.github import words
from handlers.github.answering import answer
from handlers.github.errand import Errand

LOG = logging.getLogger(__name__)


async def carry_out(errand: Errand, given: Given, number: int, *, is_seen: bool = False) -> str:
    """Carry out a command and answer it on the pull request, once; what was done, in a line.

    `is_seen`: its comment has its reaction already.
    """
    marker = words.marker(errand.source.id, given.part)
    if errand.source.is_repeat and (kept := await errand.kept_answer(given.part)) is not None:
        is_taken = await answer(errand, number, kept, marker)
        return f"{given.line}: {_told('answered', is_taken=is_taken)}"
    if not is_seen and isinstance(parse(given.line), Plan):
        # It takes a while, and the answer is all that would be seen of it.
        await accept(errand, given.comment)
    answered = await obey(errand, given)
    if isinstance(answered, Started):
        await accept(errand, given.comment)
        return f"{given.line}: deployment {answered.deployment.id}"
    body = words.answer(answered, given.line, errand.desk.word, errand.desk.safe)
    await errand.keep_answer(given.part, body)
    is_taken = await answer(errand, number, body, marker)
    done = "answered"
    if isinstance(answered, Refused):
        done = f"refused, {', '.join(each.code for each in answered.reasons)}"
    return f"{given.line}: {_told(done, is_taken=is_taken)}"


def _told(done: str, *, is_taken: bool) -> str:
    return done if is_taken else f"{done}, which GitHub does not take"


async def accept(errand: Errand, comment: int | None) -> None:
    """Show on a comment that it was read."""
    if comment is None:
        return
    try:
        await errand.client.react(comment, "eyes")
    except StoppedError as stopped:
        if stopped.reason.code is not Code.GITHUB_REFUSED:
            raise
        # The comment was deleted meanwhile; what it asked for is on its way.
        LOG.warning("the command's comment gets no reaction: %s", stopped)
