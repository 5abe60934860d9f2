"""A plan as a picture: what reads what, from left to right, in layers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from statistics import fmean
from typing import TypeAlias

from bot.domain.plan import Change
from bot.domain.plan_summary import PlannedPipeline, PlanSummary

MOST = 250
"""Boxes; of a larger plan only what changes and its neighbours are drawn."""

_WIDTH, _HEIGHT = 184, 44
_GAP_ACROSS, _GAP_DOWN = 56, 16
_MARGIN = 8
_LONGEST = 22
"""Characters that a box has room for."""
_SWEEPS = 6

Graph: TypeAlias = dict[str, list[str]]
"""Every name, and what it reads."""


@dataclass(frozen=True)
class Box:
    """A pipeline, or data that no pipeline of the plan writes."""

    x: float
    y: float
    name: str
    title: str
    """Its whole name."""
    change: Change | None
    """None: data."""
    width: int = _WIDTH
    height: int = _HEIGHT


@dataclass(frozen=True)
class Drawing:
    """Boxes and the lines between them, in pixels."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    paths: tuple[str, ...]
    """As an SVG path says it."""
    left_out: int = 0
    """Pipelines that are not drawn."""


def draw(plan: PlanSummary) -> Drawing | None:
    """The picture; None where there is nothing to see."""
    shown = _shown(plan.pipelines)
    graph = _graph(shown)
    if not graph:
        return None
    try:
        layers, chains = _layers(graph)
    except CycleError:
        return None
    spots = _spots(layers)
    pipelines = {each.full_name: each for each in shown}
    boxes = tuple(_box(name, *spots[name], pipelines.get(name)) for name in graph)
    return Drawing(
        width=max(box.x for box in boxes) + _WIDTH + _MARGIN,
        height=max(y for _, y in spots.values()) + _HEIGHT + _MARGIN,
        boxes=boxes,
        paths=tuple(_path([spots[name] for name in chain]) for chain in chains),
        left_out=len(plan.pipelines) - len(shown),
    )


def _shown(pipelines: Sequence[PlannedPipeline]) -> tuple[PlannedPipeline, ...]:
    if len(pipelines) <= MOST:
        return tuple(pipelines)
    changed = {each.full_name for each in pipelines if each.change is not Change.NONE}
    near = {read for each in pipelines if each.full_name in changed for read in each.reads}
    return tuple(
        each for each in pipelines if each.full_name in changed | near or changed & set(each.reads)
    )[:MOST]


def _graph(pipelines: Iterable[PlannedPipeline]) -> Graph:
    graph: Graph = {}
    for each in pipelines:
        reads = graph.setdefault(each.full_name, [])
        for read in each.reads:
            graph.setdefault(read, [])
            if read not in reads:
                reads.append(read)
    return graph


def _layers(graph: Graph) -> tuple[list[list[str]], list[list[str]]]:
    """Names by layer, and each edge as the names that it passes, one in each layer.

    Errors: CycleError.
    """
    layers = _generations(graph)
    layer_of = {name: number for number, layer in enumerate(layers) for name in layer}
    chains = []
    edges = ((read, name) for name, reads in graph.items() for read in reads)
    for number, (start, end) in enumerate(edges):
        # A place of its own in each layer between keeps a long line off the boxes there.
        passed = [f"\0{number}/{layer}" for layer in range(layer_of[start] + 1, layer_of[end])]
        for layer, name in enumerate(passed, start=layer_of[start] + 1):
            layers[layer].append(name)
        chains.append([start, *passed, end])
    _untangle(layers, chains)
    return layers, chains


def _generations(graph: Graph) -> list[list[str]]:
    sorter = TopologicalSorter(graph)
    sorter.prepare()
    generations = []
    while sorter.is_active():
        ready = sorter.get_ready()
        generations.append(sorted(ready))
        sorter.done(*ready)
    return generations


def _untangle(layers: list[list[str]], chains: list[list[str]]) -> None:
    """Put each name near the middle of those that it is joined to."""
    before: dict[str, list[str]] = {}
    behind: dict[str, list[str]] = {}
    for chain in chains:
        for left, right in pairwise(chain):
            before.setdefault(right, []).append(left)
            behind.setdefault(left, []).append(right)
    for sweep in range(_SWEEPS):
        joined = before if sweep % 2 == 0 else behind
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            place = {name: number for each in layers for number, name in enumerate(each)}
            layer.sort(key=partial(_middle, place, joined))


def _middle(place: Mapping[str, int], joined: Mapping[str, list[str]], name: str) -> float:
    return fmean(place[other] for other in joined[name]) if name in joined else place[name]


def _spots(layers: list[list[str]]) -> dict[str, tuple[float, float]]:
    highest = max(len(layer) for layer in layers)
    spots: dict[str, tuple[float, float]] = {}
    for column, layer in enumerate(layers):
        x = _MARGIN + column * (_WIDTH + _GAP_ACROSS)
        top = (highest - len(layer)) / 2
        for row, name in enumerate(layer):
            spots[name] = (x, _MARGIN + (top + row) * (_HEIGHT + _GAP_DOWN))
    return spots


def _box(name: str, x: float, y: float, pipeline: PlannedPipeline | None) -> Box:
    short = name.rpartition("/")[2]
    if len(short) > _LONGEST:
        short = f"{short[: _LONGEST - 1]}…"
    return Box(x, y, short, name, pipeline.change if pipeline else None)


def _path(spots: list[tuple[float, float]]) -> str:
    """A smooth line from the right of the first spot to the left of the last."""
    middle = _HEIGHT / 2
    x, y = spots[0]
    x += _WIDTH
    parts = [f"M{x:g} {y + middle:g}"]
    for next_x, next_y in spots[1:]:
        bend = _GAP_ACROSS / 2
        parts.append(
            f"C{x + bend:g} {y + middle:g} {next_x - bend:g} {next_y + middle:g} "
            f"{next_x:g} {next_y + middle:g}"
        )
        x, y = next_x, next_y
        if (next_x, next_y) != spots[-1]:
            x += _WIDTH
            parts.append(f"H{x:g}")
    return "".join(parts)
