"""Paths of a repository against the patterns that its project file uses."""

import fnmatch
import re
from functools import lru_cache


@lru_cache(maxsize=256)
def _expression(pattern: str) -> re.Pattern[str]:
    parts = []
    for segment in pattern.split("/"):
        if segment == "**":
            parts.append("(?:[^/]+/)*")
            continue
        # fnmatch's `*` also crosses `/`; inside one segment it must not.
        body = fnmatch.translate(segment).removeprefix("(?s:").removesuffix(r")\Z")
        parts.append(body.replace(".*", "[^/]*") + "/")
    return re.compile("".join(parts))


def matches(pattern: str, path: str) -> bool:
    """Whether `path` fits `pattern`: `*` and `?` within a folder, `**` for any folders."""
    return _expression(pattern).fullmatch(path + "/") is not None
