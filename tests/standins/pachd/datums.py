"""The datums of an input, and the hash by which pachd skips them."""

import hashlib
import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.standins.pachd.specs import Spec

Repos = Mapping[str, Mapping[str, str]]
"""project/name -> path -> hash."""


@dataclass(frozen=True)
class Part:
    """What one input gives to a datum."""

    input: str
    path: str
    hash: str
    join_key: str = ""
    group_key: str = ""


@dataclass(frozen=True)
class Datum:
    """A unit of work."""

    parts: tuple[Part, ...]

    @property
    def id(self) -> str:
        return digest(*(f"{part.input}:{part.path}" for part in self.parts))

    def hash(self, salt: str) -> str:
        """Without the image: a new image alone does not make a datum new."""
        return digest(self.id, *(part.hash for part in self.parts), salt)

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(part.path for part in self.parts)


def digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def datums_of(spec: Spec, project: str, name: str, repos: Repos) -> list[Datum]:
    """The datums of a spec's input over the files of its repositories."""
    if "input" not in spec:
        return []
    return [Datum(parts) for parts in _parts(spec["input"], project, name, repos)]


def _parts(node: Spec, project: str, name: str, repos: Repos) -> list[tuple[Part, ...]]:
    def below(kind: str) -> list[list[tuple[Part, ...]]]:
        return [_parts(child, project, name, repos) for child in node[kind]]

    if "pfs" in node:
        leaf = node["pfs"]
        return _leaf(leaf, repos[f"{leaf.get('project') or project}/{leaf['repo']}"])
    if "cron" in node:
        leaf = node["cron"]
        ticks = leaf.get("repo") or f"{name}_{leaf['name']}"
        files = repos[f"{leaf.get('project') or project}/{ticks}"]
        return _leaf({"name": leaf["name"], "glob": "/*"}, files)
    if "union" in node:
        return [parts for child in below("union") for parts in child]
    if "cross" in node:
        return [_flat(parts) for parts in itertools.product(*below("cross"))]
    if "join" in node:
        return [
            _flat(parts)
            for parts in itertools.product(*below("join"))
            if len({part.join_key for part in _flat(parts)}) == 1
        ]
    groups: dict[str, list[Part]] = {}
    for child in below("group"):
        for part in _flat(child):
            groups.setdefault(part.group_key, []).append(part)
    return [tuple(group) for group in groups.values()]


def _flat(parts: Iterable[tuple[Part, ...]]) -> tuple[Part, ...]:
    return tuple(itertools.chain.from_iterable(parts))


def _leaf(leaf: Spec, files: Mapping[str, str]) -> list[tuple[Part, ...]]:
    pattern = glob_pattern(leaf["glob"])
    found: list[tuple[Part, ...]] = []
    for path in _entries(files):
        match = pattern.fullmatch(path)
        is_all = path == "/"
        if not match or is_all != (leaf["glob"].strip("/") == ""):
            continue
        below = path.rstrip("/") + "/"
        inside = [
            name + hash_ for name, hash_ in sorted(files.items()) if (name + "/").startswith(below)
        ]
        found.append(
            (
                Part(
                    leaf.get("name") or leaf.get("repo", ""),
                    path,
                    digest(*inside),
                    _key(leaf.get("joinOn", ""), match),
                    _key(leaf.get("groupBy", ""), match),
                ),
            )
        )
    return found


def _entries(files: Iterable[str]) -> list[str]:
    found = set()
    for path in files:
        found.add(path)
        while path != "/":
            path = path.rpartition("/")[0] or "/"  # noqa: PLW2901 - climbs
            found.add(path)
    return sorted(found)


def _key(template: str, match: re.Match[str]) -> str:
    return re.sub(r"\$(\d)", lambda number: match.group(int(number[1])) or "", template)


def glob_pattern(glob: str) -> re.Pattern[str]:
    """A glob of PFS; parentheses capture for joins and groups."""
    text = "/" + glob.strip("/")
    pieces = re.findall(r"\*\*|\*|\?|\[[^\]]*\]|[(){},]|.", text)
    single = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    if "{" in text:
        single |= {"{": "(?:", "}": ")", ",": "|"}
    pattern = "".join(
        piece
        if piece in "()" or (piece.startswith("[") and piece.endswith("]"))
        else single.get(piece, re.escape(piece))
        for piece in pieces
    )
    return re.compile(pattern)
