"""One grammar for comments, Slack and the command line.

A line is a command's name and its words, split as a shell would. In `deploy [ENV] [REF|SHA]` a
word alone is the environment, unless it looks like a SHA (7 to 40 hexadecimal digits) or has a
`/`, which no environment's name has: then it is the ref. Of two words the first is the
environment. `--to ENV` and `--ref REF` say the same by name.
"""

import shlex
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias, get_args

from bot.domain.command_deploying import Cancel, Deploy, Plan, Rollback
from bot.domain.command_form import Form, Mistake, MistakeError, mistaken, shown, suggested
from bot.domain.command_holding import Lock, Resume, Unlock
from bot.domain.command_joining import EVENTS, USUAL_EVENTS, Link, Subscribe, Unlink, Unsubscribe
from bot.domain.command_telling import Help, History, Status, Why
from bot.domain.command_voting import Approve, Reject
from bot.domain.command_words import Value, fill, nearest, split_line, words_of

__all__ = [
    "EVENTS",
    "FORMS",
    "USUAL_EVENTS",
    "Approve",
    "Cancel",
    "Command",
    "Deploy",
    "Help",
    "History",
    "Link",
    "Lock",
    "OnEnvironment",
    "Plan",
    "Reject",
    "Resume",
    "Rollback",
    "Status",
    "Subscribe",
    "Unlink",
    "Unlock",
    "Unsubscribe",
    "Why",
    "parse",
    "render",
]

Command = (
    Deploy
    | Plan
    | Rollback
    | Cancel
    | Status
    | History
    | Lock
    | Unlock
    | Resume
    | Approve
    | Reject
    | Why
    | Link
    | Unlink
    | Subscribe
    | Unsubscribe
    | Help
)

OnEnvironment: TypeAlias = Plan | Rollback | Lock | Unlock | Resume
"""What is asked of an environment and brings no commit of its own."""

_BY_NAME: Mapping[str, type[Command]] = MappingProxyType(
    {command.form.name: command for command in get_args(Command)}
)

FORMS: tuple[Form, ...] = tuple(command.form for command in _BY_NAME.values())
"""Every command's help; a command that is not here does not exist."""


def parse(line: str) -> Command | Mistake:
    """Read what stands after the word that commands begin with; never raises.

    An empty line asks for help.
    """
    form: Form | None = None
    try:
        words = split_line(line)
        if not words:
            return Help()
        kind = _find(words)
        form = kind.form
        if {"-h", "--help"} & set(words[1:]):
            return Help(form.name)
        return _make(kind, fill(form, words[1:]))
    except MistakeError as error:
        return Mistake(error.fact, error.suggestion, form.name if form else None)


def render(command: Command) -> str:
    """The line that `parse` reads as this command."""
    return shlex.join([command.form.name, *words_of(command, command.form)])


def _find(words: list[str]) -> type[Command]:
    asked = words[0].lower()
    if asked in _BY_NAME:
        return _BY_NAME[asked]
    if asked in {"-h", "--help"}:
        return Help
    meant = _meant(asked)
    fact = f"there is no command {shown(words[0])}"
    if meant is None:
        mistaken(f"{fact}; there are: {', '.join(_BY_NAME)}")
    raise MistakeError(fact, suggested(shlex.join([meant, *words[1:]])))


def _meant(asked: str) -> str | None:
    for form in FORMS:
        if asked in form.near:
            return form.name
    return nearest(asked, _BY_NAME)


def _make(kind: type[Command], values: dict[str, Value]) -> Command:
    topic = values.get("topic")
    if isinstance(topic, str) and topic not in _BY_NAME:
        near = _meant(topic)
        mistaken(f"there is no command {shown(topic)}", f"help {near}" if near else None)
    make: Callable[..., Command] = kind
    return make(**values)
