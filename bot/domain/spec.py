"""Pipeline specs: read as pachctl reads them, set an image, put in order, compare."""

import heapq
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter

from bot.domain.reasons import Code, StoppedError
from bot.domain.spec_check import check
from bot.domain.spec_difference import difference, same
from bot.domain.spec_document import Document, Number, refused
from bot.domain.spec_json import read_json
from bot.domain.spec_yaml import read_yaml

__all__ = [
    "LARGEST_FILE",
    "Spec",
    "difference",
    "in_order",
    "read_specs",
    "same",
    "to_json",
    "with_image",
    "with_project",
]

LARGEST_FILE = 2**20
"""Bytes of one spec file."""


Key = tuple[str, str]
"""A project and a pipeline's name."""


@dataclass(frozen=True)
class Spec:
    """One pipeline's spec."""

    file: str
    document: int
    """Which of the file's specs it is, from 1."""
    body: Mapping[str, object]
    """As the user wrote it: keys, their spelling and their order."""
    project: str | None
    name: str
    image: str | None
    """`transform.image`; Pachyderm has a default where there is none."""
    inputs: tuple[tuple[str | None, str], ...]
    """Project (None: the pipeline's own) and repo of everything it reads, but for cron."""
    ticks: tuple[str, ...] = ()
    """Other projects in which its cron inputs write the time."""
    line: int | None = None
    alone: bool = True
    """Whether it is the only one in its file."""

    @property
    def place(self) -> str:
        """`pipelines/edges.yaml`, or `pipelines/all.yaml, document 2` among several."""
        return self.file if self.alone else f"{self.file}, document {self.document}"


def read_specs(file: str, text: bytes | str) -> tuple[Spec, ...]:
    """The specs of a file: JSON or YAML, one, a list, or several between `---` lines.

    Raises:
        StoppedError: SPEC_INVALID, SPEC_FIELD_UNKNOWN or SPEC_OUTDATED, with line and field.
    """
    decoded = _decode(file, text)
    documents = read_json(file, decoded)
    if documents is None:
        documents = read_yaml(file, decoded)
    found = [each for document in documents for each in _split(file, document)]
    if not found:
        raise refused(file, 1, (), "there is no spec in it", "Write pipeline: {name: edges}.")
    return tuple(
        replace(_spec(file, number, each), alone=len(found) == 1)
        for number, each in enumerate(found, start=1)
    )


def with_image(spec: Spec, image: str) -> Spec:
    """The spec with another image, and nothing else changed."""
    transform = {**_mapping(spec.body.get("transform")), "image": image}
    return replace(spec, body={**spec.body, "transform": transform}, image=image)


def with_project(spec: Spec, project: str) -> Spec:
    """The spec in this project, unless it names one itself: what `pachctl --project` does."""
    if spec.project:
        return spec
    pipeline = _mapping(spec.body.get("pipeline"))
    pipeline["project"] = {**_mapping(pipeline.get("project")), "name": project}
    return replace(spec, body={**spec.body, "pipeline": pipeline}, project=project)


def to_json(spec: Spec) -> str:
    """The spec for CreatePipelineV2: compact, in the user's order, each number as written."""
    return _json(spec.body)


def in_order(specs: Sequence[Spec], project: str) -> tuple[Spec, ...]:
    """The specs so that each comes after those it reads from; the given order where it is free.

    Args:
        specs: of any number of files and projects.
        project: what a missing project means.

    Raises:
        StoppedError: SPEC_CYCLE or SPEC_DUPLICATE.
    """
    by_key: dict[Key, Spec] = {}
    for spec in specs:
        key = (spec.project or project, spec.name)
        if key in by_key:
            fact = f"{by_key[key].place} and {spec.place} are both for {_key_name(key, project)}"
            raise StoppedError(Code.SPEC_DUPLICATE, fact, where=spec.place)
        by_key[key] = spec
    reads = {
        key: {(of_project or key[0], repo) for of_project, repo in spec.inputs} & by_key.keys()
        for key, spec in by_key.items()
    }
    sorter = TopologicalSorter(reads)
    try:
        sorter.prepare()
    except CycleError as error:
        raise _circle(error.args[1][:-1], by_key, project) from None
    return tuple(by_key[key] for key in _earliest_first(sorter, list(by_key)))


def _earliest_first(sorter: TopologicalSorter[Key], given: Sequence[Key]) -> Iterator[Key]:
    """Whenever several may come next, the one that was given first."""
    positions = {key: position for position, key in enumerate(given)}
    ready: list[int] = []
    while sorter.is_active():
        for key in sorter.get_ready():
            heapq.heappush(ready, positions[key])
        key = given[heapq.heappop(ready)]
        yield key
        sorter.done(key)


def _decode(file: str, text: bytes | str) -> str:
    size = len(text if isinstance(text, bytes) else text.encode(errors="replace"))
    if size > LARGEST_FILE:
        fact = f"it has {size:,} bytes; a spec file has at most {LARGEST_FILE:,}"
        raise StoppedError(Code.SPEC_INVALID, fact, where=file, next_step="Split it.")
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    try:
        return text.decode("utf-16" if text[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise refused(file, line, (), "it is not UTF-8", "Save it as UTF-8.") from None


def _split(file: str, document: Document) -> Iterator[Document]:
    """The specs of a document, which is one or a list of them."""
    if isinstance(document.value, dict):
        yield document
        return
    if not isinstance(document.value, list):
        fact = "a document is neither a mapping nor a list of mappings"
        next_step = "Write pipeline: {name: edges}, and nothing after the last ---."
        raise refused(file, document.line_of(()), (), fact, next_step)
    for position in range(len(document.value)):
        yield document.item(position)


def _spec(file: str, number: int, document: Document) -> Spec:
    check(file, document)
    body = _mapping(document.value)
    pipeline = _mapping(body.get("pipeline"))
    return Spec(
        file=file,
        document=number,
        body=body,
        project=_text(_mapping(pipeline.get("project")).get("name")),
        name=str(pipeline["name"]),
        image=_text(_mapping(body.get("transform")).get("image")),
        inputs=tuple(dict.fromkeys(_inputs(_mapping(body.get("input"))))),
        ticks=tuple(dict.fromkeys(_ticks(_mapping(body.get("input"))))),
        line=document.line_of(()),
    )


def _inputs(value: Mapping[str, object]) -> Iterator[tuple[str | None, str]]:
    for item in _leaves(value, "pfs"):
        if item.get("repo"):
            yield _text(item.get("project")), str(item["repo"])


def _ticks(value: Mapping[str, object]) -> Iterator[str]:
    for item in _leaves(value, "cron"):
        if (project := _text(item.get("project"))) is not None:
            yield project


def _leaves(value: Mapping[str, object], kind: str) -> Iterator[Mapping[str, object]]:
    """The inputs of a kind, at every depth."""
    for key, item in value.items():
        if key == kind and isinstance(item, dict):
            yield item
        for nested in item if isinstance(item, list) else ():
            yield from _leaves(nested, kind)


def _mapping(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _json(value: object) -> str:
    if isinstance(value, Mapping):
        items = (f"{json.dumps(key)}:{_json(item)}" for key, item in value.items())
        return f"{{{','.join(items)}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(_json(item) for item in value)}]"
    return value.text if isinstance(value, Number) else json.dumps(value)


def _circle(keys: Sequence[Key], by_key: Mapping[Key, Spec], project: str) -> StoppedError:
    names = [_key_name(key, project) for key in (*keys, keys[0])]
    fact = f"the data goes in a circle: {' -> '.join(names)}"
    where = "; ".join(by_key[key].place for key in keys)
    return StoppedError(Code.SPEC_CYCLE, fact, where=where)


def _key_name(key: Key, project: str) -> str:
    return key[1] if key[0] == project else "/".join(key)
