"""Paths of a repository against the patterns that its project file uses."""

import re
from functools import lru_cache

_WILD = re.compile(r"[*?\[]")
_TOKEN = re.compile(r"\*|\?|\[!?\]?[^\]/]*\]|.", re.DOTALL)


@lru_cache(maxsize=256)
def _expression(pattern: str) -> re.Pattern[str]:
    segments = pattern.split("/")
    parts = [
        "(?:[^/]+/)*" if segment == "**" else _TOKEN.sub(_translate, segment) + "/"
        for segment in segments
    ]
    try:
        return re.compile("".join(parts))
    except re.error:  # such as [z-a]: then it can only mean itself
        return re.compile(re.escape(f"{pattern}/"))


def _translate(token: re.Match[str]) -> str:
    text = token[0]
    if text == "*":
        return "[^/]*"
    if text == "?":
        return "[^/]"
    if len(text) == 1:
        return re.escape(text)
    negated = text.startswith("[!")
    members = text[2 if negated else 1 : -1].replace("\\", r"\\").replace("[", r"\[")
    return f"(?!/)[{'^' if negated else ''}{members}]"


def beginning(pattern: str) -> str:
    """What all that it fits begins with; the whole of what is no pattern."""
    return _WILD.split(pattern, maxsplit=1)[0]


def is_pattern(text: str) -> bool:
    """Whether it may fit more than itself."""
    return _WILD.search(text) is not None


def matches(pattern: str, path: str) -> bool:
    """Whether `path` fits `pattern`: `*` and `?` within a folder, `**` for any folders."""
    return _expression(pattern).fullmatch(path + "/") is not None
