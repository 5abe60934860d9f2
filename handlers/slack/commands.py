"""A command, typed after /pachops, in a mention of the bot or to the bot in private."""

import shlex
from dataclasses import replace

from bot.domain.command import (
    Command,
    Deploy,
    Help,
    Link,
    Subscribe,
    Unlink,
    Unsubscribe,
    parse,
    render,
)
from bot.domain.command_form import Mistake, Who
from bot.domain.deployment import Trigger
from bot.domain.github import Repository
from bot.domain.reasons import StoppedError
from bot.services.slack import Message
from bot.store.deliveries import Delivery
from handlers.commands.answers import Answer, Refused, Started
from handlers.commands.asking import reasons_of
from handlers.commands.obey import Given, obey
from handlers.slack import link, modal, refusals, subscribing, words
from handlers.slack.caller import Caller, caller_of, read_payload
from handlers.slack.desk import Desk
from handlers.slack.errand import errand_for
from handlers.slack.noting import note, note_refused
from handlers.slack.repositories import find_repository, split_repository

_FOR_READERS = frozenset({Who.READERS, Who.EVERYBODY})


async def handle(desk: Desk, delivery: Delivery) -> str:
    """Do what was typed; without words, ask what is wanted."""
    line = words.as_typed(read_payload(delivery).get("text") or "")
    if not line:
        return await modal.open_deploy(desk, who_typed(delivery))
    return await carry_out(desk, who_typed(delivery), line)


def who_typed(delivery: Delivery) -> Caller:
    """Who typed a slash command, and where."""
    payload = read_payload(delivery)
    return caller_of(
        delivery,
        team=payload.get("team_id", ""),
        user=payload["user_id"],
        channel={"id": payload.get("channel_id"), "name": payload.get("channel_name")},
        trigger=payload.get("trigger_id", ""),
    )


async def carry_out(desk: Desk, caller: Caller, line: str) -> str:
    """Carry out a command and answer it; what was done, in a line. Errors: what passes."""
    try:
        command, name = _read(desk, line)
        told = await _own(desk, caller, command)
        if told is not None:
            await note(desk, caller, line)
            await caller.tell(desk, told)
            return f"{line}: answered"
        answered, repository = await _obeyed(desk, caller, command, name)
    except StoppedError as stopped:
        answered, repository = Refused(reasons_of(stopped, is_last=caller.is_last)), None
        await note_refused(desk, caller, line, answered.reasons)
    if isinstance(answered, Started):
        return f"{line}: deployment {answered.deployment.id}"
    await caller.tell(desk, words.answer(answered, line, desk, repository))
    if isinstance(answered, Refused):
        return f"{line}: refused, {', '.join(each.code for each in answered.reasons)}"
    return f"{line}: answered"


async def _own(desk: Desk, caller: Caller, command: Command) -> Message | None:
    """The answer to what is about Slack itself; None for all else."""
    match command:
        case Link():
            told = await link.link(desk, caller, command)
        case Unlink():
            told = await link.unlink(desk, caller)
        case Subscribe():
            told = await subscribing.subscribe(desk, caller, command)
        case Unsubscribe():
            told = await subscribing.unsubscribe(desk, caller, command)
        case Help():
            told = words.help_message(command, desk.word)
        case _:
            return None
    return told


def _read(desk: Desk, line: str) -> tuple[Command, str | None]:
    """The command, and the repository that it names. Errors: BAD_COMMAND."""
    found, name = split_repository(line)
    command = parse(shlex.join(found))
    if isinstance(command, Mistake):
        raise refusals.mistaken(command, desk.word)
    return command, name


async def _obeyed(
    desk: Desk, caller: Caller, command: Command, name: str | None
) -> tuple[Answer, Repository]:
    needs_link = command.form.who not in _FOR_READERS
    repository = await find_repository(desk, caller, name, needs_link=needs_link)
    errand = await errand_for(desk, caller, repository, needs_link=needs_link)
    if not needs_link:
        await errand.check_may_read()
    command, pull_request = of_pull_request(command)
    given = Given(render(command), "0", Trigger.SLACK, at=caller.at, pull_request=pull_request)
    return await obey(errand, given), repository


def of_pull_request(command: Command) -> tuple[Command, int | None]:
    """A deployment's `#12` is the head of that pull request."""
    if not isinstance(command, Deploy):
        return command, None
    if (number := _number(command.ref)) is not None:
        return replace(command, ref=None), number
    if (number := _number(command.environment)) is not None:
        return replace(command, environment=None), number
    return command, None


def _number(word: str | None) -> int | None:
    number = (word or "").removeprefix("#")
    return int(number) if number != word and number.isdecimal() else None
