""".dockerignore: which files of a context docker would leave out.

As BuildKit's client does it. The legacy client differs in one thing: it does not look into a folder
that is dropped, unless an exception begins with that folder's name.
"""

import posixpath
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from docker.utils.fnmatch import translate


def excluded(ignore_file: bytes, names: Sequence[str], keep: Collection[str]) -> tuple[str, ...]:
    """Those of `names` (paths from the context's root, `/` between) that docker would not send.

    `keep` names files that are sent whatever the patterns say: the Dockerfile, which docker also
    sends but hides from COPY.
    """
    rules = tuple(_rules(ignore_file))
    if not rules:
        return ()
    dropped = _Dropped(rules)
    return tuple(name for name in names if name not in keep and dropped(name))


@dataclass(frozen=True)
class _Rule:
    pattern: re.Pattern[str]
    keeps: bool
    """It began with `!`."""


def _rules(ignore_file: bytes) -> Iterator[_Rule]:
    for line in ignore_file.decode("utf-8-sig", errors="replace").split("\n"):
        if line.startswith("#") or not line.strip():
            continue
        text = line.strip()
        keeps = text.startswith("!")
        pattern = posixpath.normpath(text.removeprefix("!").strip()).lstrip("/")
        # Go's character classes are negated with ^, the SDK's with !.
        yield _Rule(re.compile(translate(pattern.replace("[^", "[!"))), keeps)


class _Dropped:
    """Whether a path is dropped: the last rule that matches it, or a folder above it, decides.

    The SDK has the patterns; its own matcher ignores case, which docker does not, and does not look
    at every folder above, which docker does. Docker tries a rule only where it would change the outcome: a
    `!` rule that matches a folder which was kept anyway does not count for what is in the folder.
    """

    def __init__(self, rules: tuple[_Rule, ...]) -> None:
        self._rules = rules
        self._folder = lru_cache(maxsize=None)(self._look)

    def __call__(self, path: str) -> bool:
        return self._look(path)[1]

    def _look(self, path: str) -> tuple[frozenset[int], bool]:
        """The rules that count for a path, and whether they drop it."""
        above, _, _ = path.rpartition("/")
        hits = set(self._folder(above)[0]) if above else set()
        dropped = False
        for index, rule in enumerate(self._rules):
            if index not in hits and rule.keeps == dropped and rule.pattern.match(path):
                hits.add(index)
            if index in hits:
                dropped = not rule.keeps
        return frozenset(hits), dropped
