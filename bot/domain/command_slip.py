"""A slip in the word that commands begin with: what was meant, where that is clear."""

import re
from difflib import SequenceMatcher

from bot.domain.command import FORMS, parse
from bot.domain.command_form import Mistake, shown, suggested

_SIGN = re.compile(r"[^\w\s]*")
_JOINTS = "-_:/."
_PART = re.compile(rf"[^{re.escape(_JOINTS)}]+")
_DIGITS = re.compile(r"\d+")
_NAMES = tuple(form.name for form in FORMS)
_LONGEST = 40
"""Characters of a first word that is looked at."""
_SHORTEST = 5
"""Letters: a shorter word is soon another."""
_LIKENESS = 0.8
"""Of seven letters, one or two are missing, wrong or in the wrong place."""


def read_slip(line: str, word: str) -> Mistake | None:
    """What a line should have been that is nearly a command; None where we may not be meant.

    Meant is a word that differs from ours by a slip and has a command behind it, nearly at least
    (`/pachop depoly`), or the two joined (`/pachops-deploy`). What begins with another word
    (`/deploy`, `/lgtm`) is for somebody else, and so is a number or a part of its own (`/pachops2`,
    `/pachops-qa`).
    """
    first, *others = line.split(maxsplit=1) or [""]
    rest = others[0].strip() if others else ""
    typed, ours = first.lower(), word.lower()
    if typed == ours or len(typed) > _LONGEST:
        return None
    if (name := _joined(typed, ours)) is not None:
        meant: str | None = f"{name} {rest}".strip()
    else:
        has_sign = _letters(typed) != typed or _letters(ours) == ours
        meant = _command_in(rest, is_sure=has_sign) if _is_slip(typed, ours) else None
    if meant is None:
        return None
    fact = f"commands do not begin with {shown(first)} here"
    return Mistake(fact, suggested(meant))


def _command_in(rest: str, *, is_sure: bool) -> str | None:
    """The command that stands behind a slip; where we may not be meant, only one without a mistake.

    Without its sign our word may begin a sentence about us.
    """
    found = parse(rest) if rest else None
    if not isinstance(found, Mistake):
        return rest or None
    is_nearly_one = found.suggestion is not None or found.topic is not None
    return (found.suggestion or rest) if is_sure and is_nearly_one else None


def _joined(typed: str, ours: str) -> str | None:
    """The command that is written in one with our word."""
    behind = typed.removeprefix(ours)
    if behind == typed:
        return None
    name = behind[1:] if behind[0] in _JOINTS else behind
    return name if name in _NAMES else None


def _is_slip(typed: str, ours: str) -> bool:
    if _are_of_one_family(typed, ours):
        return False
    if _DIGITS.findall(typed) != _DIGITS.findall(ours) or len(_letters(ours)) < _SHORTEST:
        return False
    matcher = SequenceMatcher(None, _letters(typed), _letters(ours))
    # The first is quick: a comment may have very many lines.
    return matcher.real_quick_ratio() >= _LIKENESS and matcher.ratio() >= _LIKENESS


def _are_of_one_family(typed: str, ours: str) -> bool:
    """Whether they are the names of two bots: `/pachops` and `/pachops-qa`, `/bot-eu` and `/bot-us`.

    They have a part in common. A joint alone that is wrong, missing or too many is a slip.
    """
    first, second = (_PART.findall(_letters(each)) for each in (typed, ours))
    return "".join(first) != "".join(second) and not set(first).isdisjoint(second)


def _letters(word: str) -> str:
    """Without the sign that it begins with."""
    return _SIGN.sub("", word, count=1)
