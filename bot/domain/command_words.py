"""A command's line to its words, the words to what a form says they are, and back."""

import difflib
import re
import shlex
from collections.abc import Collection, Iterable, Sequence

from bot.domain.command_form import (
    DASHES,
    Argument,
    Form,
    MistakeError,
    Option,
    check_visible,
    is_sha,
    mistaken,
    shown,
)

Value = str | int | bool | tuple[str, ...]

_LONGEST_LINE = 1000
# Telephones write these instead of what was typed.
_APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)")
"""Within a word it quotes nothing: people write reasons as they speak."""
_KEPT = "\ue000"
"""Stands for it meanwhile; nobody can type it here."""
_TYPED = str.maketrans(
    {
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{DOUBLE LOW-9 QUOTATION MARK}": '"',
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    }
)


def kept(line: str) -> str:
    """As much of a line as is kept: one that is cut is too long for a command all the same."""
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…"


def split_line(line: str) -> list[str]:
    """The words of a line, quotes taken off."""
    if len(line) > _LONGEST_LINE:
        mistaken(f"the command is longer than {_LONGEST_LINE} characters")
    spaced = "".join(" " if each.isspace() else each for each in line)
    check_visible(spaced, "the command")
    try:
        words = shlex.split(_APOSTROPHE.sub(_KEPT, spaced.translate(_TYPED)))
    except ValueError:
        mistaken("a quote is not closed, or the command ends with a backslash")
    return [_with_hyphens(word).replace(_KEPT, "'") for word in words]


def _with_hyphens(word: str) -> str:
    return f"--{word[1:]}" if word.startswith(DASHES[1:]) else word


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    found = difflib.get_close_matches(word.lower()[:40], list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def fill(form: Form, words: Sequence[str]) -> dict[str, Value]:
    """The fields that the words give; MistakeError says what is wrong with them."""
    values: dict[str, Value] = {}
    places: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("-"):
            _take_option(form, word, rest, values)
        else:
            places.append(word)
    replaced = [each for each in form.options if each.instead_of and each.field in values]
    for option in replaced:
        if option.instead_of in values:
            mistaken(f"{option.flag} says all, and one is named")
    _take_places(form, places, values, [each.instead_of for each in replaced])
    for argument in form.arguments:
        if argument.required and argument.field not in values:
            mistaken(f"{form.name} needs {argument.metavar}: `{form.usage}`")
    return values


def _take_option(form: Form, word: str, rest: list[str], values: dict[str, Value]) -> None:
    flag, equals, value = word.partition("=")
    option = _find_option(form, flag.lower())
    if option.metavar is None:
        if equals:
            mistaken(f"{option.flag} takes no value")
        if option.field in values:
            mistaken(f"{option.flag} is given twice")
        values[option.field] = True
        return
    if not equals:
        if not rest or rest[0].startswith("--"):
            mistaken(f"{option.flag} needs {option.metavar} after it")
        value = rest.pop(0)
    if option.takes_rest:
        value = _all_of(option, value, rest)
    read = option.read(value)
    if option.most == 1:
        if option.field in values:
            mistaken(f"{option.flag} is given twice")
        values[option.field] = read
        return
    given = values.get(option.field, ())
    several = (*(given if isinstance(given, tuple) else ()), str(read))
    if len(several) > option.most:
        mistaken(f"{option.flag} is given more than {option.most} times")
    values[option.field] = several


def _all_of(option: Option, value: str, rest: list[str]) -> str:
    """The value with all words behind it, which are taken."""
    if any(each.startswith("--") for each in rest):
        mistaken(f"{option.flag} comes last: all that is behind it is its {option.metavar}")
    words = [value, *rest]
    rest.clear()
    return " ".join(words)


def _find_option(form: Form, flag: str) -> Option:
    for option in form.options:
        if option.flag == flag:
            return option
    for argument in form.arguments:
        if argument.flag == flag:
            return Option(argument.field, flag, "", argument.metavar, argument.read)
    known = nearest(flag, form.flags) or ", ".join(form.flags) or "none"
    fact = f"{form.name} has no option {shown(flag)}; it has {known}"
    raise MistakeError(fact)


def _take_places(
    form: Form, places: list[str], values: dict[str, Value], left_out: Collection[str | None]
) -> None:
    arguments = [each for each in form.arguments if each.field not in {*values, *left_out}]
    if len(places) == 1 and _has_target(arguments) and is_lone_ref(places[0]):
        arguments = arguments[1:]
    if arguments and arguments[-1].takes_rest and len(places) >= len(arguments):
        last = len(arguments) - 1
        places = [*places[:last], " ".join(places[last:])]
    room = sum(each.most for each in arguments)
    if len(places) > room:
        mistaken(f"{shown(places[room])} is one word too many: `{form.usage}`")
    for number, argument in enumerate(arguments):
        if argument.most > 1:
            rest = places[number : number + argument.most]
            values[argument.field] = tuple(str(argument.read(word)) for word in rest)
        elif number < len(places):
            values[argument.field] = argument.read(places[number])


def _has_target(arguments: Sequence[Argument]) -> bool:
    """Whether an environment may come first and be left out."""
    return len(arguments) > 1 and arguments[0].flag == "--to"


def is_lone_ref(word: str) -> bool:
    """Whether a word that stands where an environment may stand cannot be meant as one."""
    return is_sha(word) or "/" in word


def words_of(command: object, form: Form) -> list[str]:
    """The words after the command's name; what `fill` reads as the same fields."""
    words = _places_of(command, form)
    for option in form.options:
        value: Value = getattr(command, option.field)
        if value == getattr(type(command), option.field):
            continue
        if isinstance(value, tuple):
            words += [part for each in value for part in (option.flag, each)]
        else:
            words += [option.flag] if option.metavar is None else [option.flag, str(value)]
    return words


def _places_of(command: object, form: Form) -> list[str]:
    last = form.arguments[-1] if form.arguments else None
    if last is not None and last.most > 1:
        first = [getattr(command, each.field) for each in form.arguments[:-1]]
        return [*(str(each) for each in first if each is not None), *getattr(command, last.field)]
    given = [(each, getattr(command, each.field)) for each in form.arguments]
    said = [(argument, value) for argument, value in given if value]
    in_order = said == given[: len(said)]
    is_lone = len(said) == 1 and _has_target(form.arguments) and is_lone_ref(said[0][1])
    if in_order and not is_lone:
        return [value for _, value in said]
    return [word for argument, value in said for word in (argument.flag or "", value)]
