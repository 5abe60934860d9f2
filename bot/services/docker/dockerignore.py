""".dockerignore: which files of a context docker would leave out."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from docker.utils.build import Pattern
from docker.utils.fnmatch import fnmatchcase


def excluded(ignore_file: bytes, names: Sequence[str], keep: Collection[str]) -> tuple[str, ...]:
    """Those of `names` (paths from the context's root, `/` between) that docker would not send.

    `keep` names files that are sent whatever the patterns say: the Dockerfile and .dockerignore.
    """
    rules = tuple(_rules(ignore_file))
    if not rules:
        return ()
    dropped = _Dropped(rules)
    return tuple(name for name in names if name not in keep and dropped(name))


@dataclass(frozen=True)
class _Rule:
    pattern: str
    keeps: bool
    """It began with `!`."""


def _rules(ignore_file: bytes) -> Iterator[_Rule]:
    for line in ignore_file.decode("utf-8-sig", errors="replace").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        text = line.strip()
        keeps = text.startswith("!")
        # Go's character classes are negated with ^, the SDK's with !.
        pattern = Pattern(text.removeprefix("!")).cleaned_pattern.replace("[^", "[!")
        if pattern:
            yield _Rule(pattern, keeps)


class _Dropped:
    """Whether a path is dropped; the last rule that matches it or a folder above it decides.

    The SDK has the patterns; its own matcher ignores case and does not look at all folders above,
    which docker does not and does.
    """

    def __init__(self, rules: Iterable[_Rule]) -> None:
        self._rules = tuple(rules)
        self._matches = lru_cache(maxsize=None)(self._match)

    def __call__(self, path: str) -> bool:
        above, _, _ = path.rpartition("/")
        hits = self._matches(above) | self._own(path) if above else self._own(path)
        dropped = False
        for index, rule in enumerate(self._rules):
            if index in hits:
                dropped = not rule.keeps
        return dropped

    def _match(self, path: str) -> frozenset[int]:
        """The rules that match a folder or one above it."""
        above, _, _ = path.rpartition("/")
        return self._own(path) | (self._matches(above) if above else frozenset())

    def _own(self, path: str) -> frozenset[int]:
        return frozenset(
            index for index, rule in enumerate(self._rules) if fnmatchcase(path, rule.pattern)
        )
