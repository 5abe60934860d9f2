"""A comment on a pull request: the commands in it, in their order."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from bot.domain.command import Plan, parse
from bot.domain.command_form import Mistake
from bot.domain.deployment import Trigger
from bot.domain.reasons import GITHUB_PASSES, StoppedError
from bot.store.deliveries import Delivery
from handlers.commands.obey import ONLY_TELL, Given
from handlers.github import words
from handlers.github.answering import tell
from handlers.github.commands import Done, carry_out
from handlers.github.comment_text import MOST_COMMANDS, CommandLines, read_comment
from handlers.github.desk import Desk
from handlers.github.errand import Errand, errand_for
from handlers.github.payloads import Event, Payload
from handlers.github.seen import Seen


class IssuePart(Payload):
    """What is commented on; only a pull request has the second field."""

    number: int
    pull_request: dict[str, object] | None = None


class CommentPart(Payload):
    """The comment."""

    id: int
    node_id: str | None = None
    body: str | None = None
    created_at: str


class IssueComment(Event):
    """Something happened to a comment."""

    action: str
    issue: IssuePart
    comment: CommentPart


async def handle(desk: Desk, delivery: Delivery) -> str | None:
    """Do what the comment says; an edited comment says nothing. None: it was set aside."""
    event = IssueComment.model_validate_json(delivery.payload)
    if (why := _is_none_of_ours(event)) is not None:
        return why
    found, slip = await _read(desk, event)
    if not found.lines and slip is None:
        return "no command"
    errand = await errand_for(desk, delivery, event)
    if not delivery.is_aside and desk.deliveries is not None and _only_asks(found.lines):
        # It may be some time before it is its turn.
        await _seen(errand, delivery, event).show()
        await desk.deliveries.set_aside(delivery.id)
        return None
    errand.client.knows_comment(event.comment.id, event.comment.node_id)
    number, seen = event.issue.number, _seen(errand, delivery, event)
    done: list[Done] = []
    try:
        async with seen.soon():
            for given in _given(desk, event, found.lines):
                each = await carry_out(errand, given, seen)
                done.append(each)
    except Exception as error:
        if not (isinstance(error, StoppedError) and error.reason.code in GITHUB_PASSES):
            # What was done is told; what was not, that is tried again.
            await tell(errand, number, [each.answer for each in done])
        raise
    if found.left_out:
        done.append(Done("some left out", words.too_many(found.left_out, MOST_COMMANDS)))
    if slip is not None:
        done.append(Done("a slip", _suggestion(desk, *slip)))
    is_taken = await tell(errand, number, [each.answer for each in done])
    lines = [each.line for each in done]
    return "; ".join(lines if is_taken else [*lines, "GitHub does not take the answer"])


async def greet(desk: Desk, delivery: Delivery) -> bool:
    """Show on a comment with commands that it was read, while others are before it."""
    event = IssueComment.model_validate_json(delivery.payload)
    if _is_none_of_ours(event) is not None:
        return False
    found, _ = await _read(desk, event)
    return bool(found.lines) and await _seen(Errand(desk, delivery, event), delivery, event).show()


def _is_none_of_ours(event: IssueComment) -> str | None:
    """Why nothing is looked for in it."""
    if event.action != "created" or event.issue.pull_request is None:
        return "not a new comment on a pull request"
    if event.sender.is_bot or words.is_ours(event.comment.body or ""):
        return "a bot's comment"
    return None


async def _read(desk: Desk, event: IssueComment) -> tuple[CommandLines, tuple[str, Mistake] | None]:
    # Some take seconds to read, in which others are to be answered.
    return await asyncio.to_thread(read_comment, event.comment.body or "", desk.word)


def _seen(errand: Errand, delivery: Delivery, event: IssueComment) -> Seen:
    is_shown = delivery.is_seen or delivery.is_aside
    return Seen(errand.client, event.comment.id, is_shown=is_shown)


def _given(desk: Desk, event: IssueComment, lines: Sequence[str]) -> list[Given]:
    made = event.comment
    return [
        Given(
            desk.deployer.clean(line),
            str(index),
            Trigger.COMMENT,
            at=made.created_at,
            pull_request=event.issue.number,
            comment=made.id,
        )
        for index, line in enumerate(lines)
    ]


def _only_asks(lines: Sequence[str]) -> bool:
    """Whether it changes nothing, and would hold up what does: a plan takes long."""
    asked = {type(parse(line)) for line in lines}
    return Plan in asked and asked <= {Plan, *ONLY_TELL}


def _suggestion(desk: Desk, line: str, slip: Mistake) -> str:
    """The command that was meant by what is nearly one."""
    clean = desk.deployer.clean
    meant = replace(slip, suggestion=clean(slip.suggestion or "help"))
    reason = meant.reason(desk.word)
    reason = replace(reason, next_step=f"{reason.next_step} {words.COMMENT_AGAIN}")
    return words.refused_command(clean(line), (reason,), desk.safe)
