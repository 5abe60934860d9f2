"""A command in a comment: carried out, and what there is to say of it."""

from dataclasses import dataclass

from bot.domain.command import Plan, parse
from bot.domain.command_words import kept
from bot.domain.reasons import GITHUB_PASSES
from handlers.commands.answers import Answer, Refused, Started
from handlers.commands.obey import Given, obey
from handlers.github import words
from handlers.github.errand import Errand
from handlers.github.seen import Seen


@dataclass(frozen=True)
class Done:
    """A command that was carried out, or refused."""

    line: str
    """For the log."""
    answer: str = ""
    """For who gave it; empty where the deployment's reports are the answer."""


async def carry_out(errand: Errand, given: Given, seen: Seen) -> Done:
    """Carry out a command, once; its answer is kept until it is told."""
    line = kept(given.line)
    if errand.source.is_repeat and (answer := await errand.kept_answer(given.part)) is not None:
        return Done(f"{line}: done before", answer)
    if not errand.source.is_repeat and await _was_heard(errand, given):
        # Of two webhooks that come here each tells of it; and so may who has overheard one.
        return Done(f"{line}: another delivery had it")
    if isinstance(parse(given.line), Plan):
        # It takes a while, and the answer is all that would be seen of it.
        await seen.show()
    answered = await obey(errand, given)
    if isinstance(answered, Started):
        await seen.show()
        return Done(f"{line}: deployment {answered.deployment.id}")
    body = words.answer(answered, given.line, errand.desk.word, errand.desk.safe)
    if not _passes(answered):
        await errand.keep_answer(given.part, body)
    if isinstance(answered, Refused):
        codes = ", ".join(each.code for each in answered.reasons)
        return Done(f"{line}: refused, {codes}", body)
    return Done(f"{line}: answered", body)


def _passes(answered: Answer) -> bool:
    """Whether it is worth trying again when the delivery comes again."""
    if not isinstance(answered, Refused):
        return False
    return any(each.code in GITHUB_PASSES for each in answered.reasons)


async def _was_heard(errand: Errand, given: Given) -> bool:
    once = given.written_once
    return once is not None and await errand.desk.deployer.audit.has(once)
