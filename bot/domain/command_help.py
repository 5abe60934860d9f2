"""The help of commands, from their forms."""

from collections.abc import Iterable

from bot.domain.command import FORMS
from bot.domain.command_form import Form


def help_lines(topic: str | None, word: str) -> tuple[str, ...]:
    """Plain text for a fixed-width font.

    Args:
        topic: a command's name, as `Help` has it; None lists all commands.
        word: what commands begin with where the help is read.
    """
    form = next((each for each in FORMS if each.name == topic), None)
    if form is not None:
        return tuple(_one(form, word))
    rows = [(f"{word} {each.usage}", each.summary) for each in FORMS]
    return (*_columns(rows), "", f"{word} help COMMAND says more of one.")


def _one(form: Form, word: str) -> Iterable[str]:
    yield f"{word} {form.usage}"
    yield ""
    yield form.summary
    yield f"For {form.who}."
    named = [
        (f"{each.flag} {each.metavar}", f"The same as {each.metavar} in its place.")
        for each in form.arguments
        if each.flag
    ]
    options = [
        (f"{each.flag} {each.metavar}" if each.metavar else each.flag, each.text)
        for each in form.options
    ]
    if named or options:
        yield from ("", *_columns([*options, *named]))
    yield ""
    yield from (f"{word} {each}" for each in form.examples)


def _columns(rows: Iterable[tuple[str, str]]) -> list[str]:
    lines = []
    for left, right in rows:
        lines += [left, f"    {right}"]
    return lines
