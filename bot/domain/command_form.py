"""How a command is written, who may give it, and what its help says."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

from bot.domain.github import LOGIN
from bot.domain.reasons import Code, Reason, StoppedError

_SHA = re.compile(r"[0-9a-f]{7,40}", re.IGNORECASE)
_WHOLE_SHA = 40
_NOT_IN_A_REF = re.compile(r"[~^:?*\[\\]|\.\.|@\{|//|^[/.]|[/.]$|\.lock$")
_SEEN = re.compile(r"[0-9a-f]{7,64}")
_ID = re.compile(r"[0-9a-z]{1,16}")
_REPOSITORY = re.compile(rf"{LOGIN}/[A-Za-z0-9._-]{{1,100}}")
_LOGIN = re.compile(LOGIN)
_DURATION = re.compile(r"(?:([0-9]{1,3})d)?(?:([0-9]{1,4})h)?(?:([0-9]{1,5})m)?")
_LONGEST_DURATION = 90 * 86_400
_LONGEST_NAME = 63
_LONGEST_REF = 255
_MOST_STEPS = 100
LONGEST_REASON = 300

DASHES = ("-", "\N{EM DASH}", "\N{EN DASH}")
"""What an option begins with; telephones make one long dash of two."""


class Who(StrEnum):
    """Who may give a command, as its help says it."""

    EVERYBODY = "everybody"

    READERS = "everybody who can read the repository"
    DEPLOYERS = "the environment's deployers; those with write permission where it names none"
    APPROVERS = (
        "the environment's approvers, but not who asked; those with write permission where it "
        "names none"
    )


@dataclass(frozen=True)
class Mistake:
    """A command that cannot be read: what is wrong, and what was probably meant."""

    fact: str
    suggestion: str | None = None
    """A command to type instead, without the word that commands begin with."""
    topic: str | None = None
    """The command whose help has the answer."""

    def reason(self, word: str) -> Reason:
        """What a person reads; `word` is what commands begin with there."""
        if self.suggestion is not None:
            step = f"Did you mean `{word} {self.suggestion}`?"
        else:
            topic = f" {self.topic}" if self.topic else ""
            step = f"`{word} help{topic}` says how it is written."
        return Reason(Code.BAD_COMMAND, self.fact, step)


class MistakeError(Exception):
    """Raised while a command is read; never leaves `parse` or `typed`."""

    def __init__(self, fact: str, suggestion: str | None = None) -> None:
        super().__init__(fact)
        self.fact = fact
        self.suggestion = suggestion


def typed(read: Callable[[str], str], text: str | None) -> str | None:
    """The value of an option at a terminal, by the rules of commands in chat; None without one.

    Raises:
        StoppedError: BAD_COMMAND.
    """
    try:
        return None if text is None else read(text)
    except MistakeError as error:
        raise StoppedError(Code.BAD_COMMAND, error.fact) from error


def mistaken(fact: str, suggestion: str | None = None) -> NoReturn:
    """Stop reading: this is what is wrong."""
    raise MistakeError(fact, suggestion)


Read = Callable[[str], str | int]
"""Text to value; MistakeError where it is not one."""


@dataclass(frozen=True)
class Argument:
    """A word that is known by its place; `flag` says it by name."""

    field: str
    metavar: str
    read: Read
    flag: str | None = None
    required: bool = False
    most: int = 1
    """How many words it may be; more than one only of the last argument."""
    takes_rest: bool = False
    """Whether it is all words from its place on; only of the last argument."""


@dataclass(frozen=True)
class Option:
    """A word that begins with two dashes."""

    field: str
    flag: str
    text: str
    metavar: str | None = None
    """None where it takes no value."""
    read: Read = str
    most: int = 1
    """How often it may be given."""
    takes_rest: bool = False
    """Whether all words behind it are its value."""
    instead_of: str | None = None
    """The argument that is not given where it is."""


@dataclass(frozen=True)
class Form:
    """A command's help, from which it is also read and written."""

    name: str
    summary: str
    who: Who
    arguments: tuple[Argument, ...] = ()
    options: tuple[Option, ...] = ()
    examples: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    """Other words for it, which are answered with this one."""

    @property
    def usage(self) -> str:
        """`deploy [ENV] [REF|SHA] [--only NAME]... [--reprocess]`."""
        words = [
            (each.metavar if each.required else f"[{each.metavar}]")
            + ("..." if each.most > 1 or each.takes_rest else "")
            for each in self.arguments
        ]
        for option in self.options:
            value = f" {option.metavar}" if option.metavar else ""
            more = "..." if option.most > 1 or option.takes_rest else ""
            words.append(f"[{option.flag}{value}]{more}")
        return " ".join([self.name, *words])

    @property
    def flags(self) -> tuple[str, ...]:
        """Everything with two dashes that it knows."""
        named = [each.flag for each in self.arguments if each.flag]
        return (*named, *(each.flag for each in self.options))


def is_sha(word: str) -> bool:
    """Whether a word looks like a commit's SHA, whole or its first digits."""
    return _SHA.fullmatch(word) is not None


def is_whole_sha(word: str) -> bool:
    """Whether a word is a SHA with all its digits."""
    return len(word) == _WHOLE_SHA and is_sha(word)


def suggested(line: str) -> str:
    """A command as it can be suggested, which is shown as code."""
    return line.split(maxsplit=1)[0] if "`" in line else line


def shown(word: str) -> str:
    """A person's word, quoted, for a message, in which backticks make code of our own words."""
    word = word.replace("`", "'")
    return f"'{word}'" if len(word) <= 40 else f"'{word[:39]}…'"


# --- values


def read_environment(word: str) -> str:
    """An environment's name, in lower case as all of them are."""
    name = word.lower()
    if not _is_name(name, _LONGEST_NAME):
        mistaken(f"{shown(word)} cannot be an environment's name")
    return name


def read_ref(word: str) -> str:
    """A branch, tag or SHA, by git's own rules for names."""
    if not _is_name(word, _LONGEST_REF) or _NOT_IN_A_REF.search(word):
        mistaken(f"{shown(word)} cannot be a branch, tag or SHA")
    return word.lower() if is_sha(word) else word


def read_name(word: str) -> str:
    """The name of an image or a pipeline."""
    if not _is_name(word, _LONGEST_REF):
        mistaken(f"{shown(word)} cannot be the name of an image or a pipeline")
    return word


def _is_name(word: str, longest: int) -> bool:
    # What begins with a dash would be an option where the command is written again.
    return 0 < len(word) <= longest and not word.startswith(DASHES) and " " not in word


def read_id(word: str) -> str:
    """A deployment's id, or a part of it."""
    if _ID.fullmatch(word.lower()) is None:
        mistaken(f"{shown(word)} cannot be a deployment's id")
    return word.lower()


def read_seen(word: str) -> str:
    """The first digits of a commit's SHA or of a plan's digest."""
    if _SEEN.fullmatch(word.lower()) is None:
        mistaken(f"{shown(word)} is neither a commit's SHA nor a plan's digest")
    return word.lower()


def read_reason(text: str) -> str:
    """Why somebody does something, in their own words, on one line."""
    text = " ".join(text.split())
    if len(text) > LONGEST_REASON:
        mistaken(f"a reason has at most {LONGEST_REASON} characters")
    if not text or text.startswith(DASHES):
        mistaken("the reason is missing")
    check_visible(text, "the reason")
    return text


def check_visible(text: str, what: str) -> None:
    """A mistake where something in it would not be seen by who reads it."""
    hidden = next((each for each in text if not each.isprintable()), None)
    if hidden is not None:
        mistaken(f"{what} has an invisible character (U+{ord(hidden):04X})")


def read_duration(word: str) -> str:
    """How long: `30m`, `2h`, `1h30m` or `3d`."""
    text = word.lower()
    if not 0 < seconds_of_duration(text) <= _LONGEST_DURATION:
        mistaken(f"{shown(word)} is not a duration, such as 30m, 2h, 1h30m or 3d; at most 90d")
    return text


def seconds_of_duration(text: str) -> int:
    """The seconds of what `read_duration` gave; 0 where it is none."""
    found = _DURATION.fullmatch(text)
    days, hours, minutes = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    return ((days * 24 + hours) * 60 + minutes) * 60


def read_steps(word: str) -> int:
    """How many good deployments to go back."""
    if not re.fullmatch("[0-9]{1,3}", word) or not 1 <= int(word) <= _MOST_STEPS:
        mistaken(f"{shown(word)} is not a number from 1 to {_MOST_STEPS}")
    return int(word)


def read_repository(word: str) -> str:
    """`owner/name` on GitHub, also from its address."""
    name = word.removeprefix("https://").partition("/")[2] if "://" in word else word
    name = name.removesuffix("/").removesuffix(".git")
    if _REPOSITORY.fullmatch(name) is None:
        mistaken(f"{shown(word)} is not a repository; write OWNER/NAME")
    return name


def read_code(word: str) -> str:
    """A one-time code, or a login on GitHub."""
    name = word.removeprefix("@")
    if _LOGIN.fullmatch(name) is None:
        mistaken(f"{shown(word)} is neither a code nor a login on GitHub")
    return name


def read_owner(word: str) -> str:
    """Whose lock it is, as it says itself."""
    name = word.removeprefix("@")
    if not _is_name(name, _LONGEST_NAME):
        mistaken(f"{shown(word)} cannot be the owner of a lock")
    return name


def read_subject(word: str) -> str:
    """An event of EVENTS, or an environment's name."""
    return read_environment(word)


def read_topic(word: str) -> str:
    """A command's name; whether it is one is seen where all are known."""
    return word.lower()
