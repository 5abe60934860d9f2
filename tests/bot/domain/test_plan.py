import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.plan import (
    Change,
    ImagePlan,
    PipelinePlan,
    Plan,
    content_key,
    image_from_specs,
    image_lines,
    image_of,
    pipeline_lines,
    select,
)
from bot.domain.reasons import Code, StoppedError
from bot.domain.spec import Spec, read_specs

KEY: dict[str, Any] = {
    "tree": "t1",
    "dockerfile": "Dockerfile",
    "target": None,
    "build_args": {"A": "1", "B": "2"},
    "secrets": ("npm",),
    "test": ("true",),
    "bases": {"base": "k1"},
}
DAG: dict[str, Any] = {
    "images": ("app", "base", "tool"),
    "runs": {"vision/edges": "app", "vision/montage": None, "vision/tidy": "tool"},
    "bases": {"app": ("base",)},
}


def spec(image: str | None, name: str = "edges") -> Spec:
    body = {"pipeline": {"name": name}, "transform": {"image": image} if image else {"cmd": ["x"]}}
    return read_specs(f"{name}.json", json.dumps(body))[0]


@pytest.mark.parametrize(
    "change",
    [
        {"tree": "t2"},
        {"dockerfile": "other"},
        {"target": "runtime"},
        {"build_args": {"A": "1", "B": "3"}},
        {"secrets": ()},
        {"test": None},
        {"bases": {"base": "k2"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_an_image_depends_on_is_in_its_key(change: dict[str, Any]) -> None:
    assert content_key(**{**KEY, **change}) != content_key(**KEY)


def test_the_order_of_build_arguments_is_not_in_the_key() -> None:
    turned = {**KEY, "build_args": {"B": "2", "A": "1"}}
    assert content_key(**turned) == content_key(**KEY)


@given(st.text(), st.text())
def test_two_trees_never_share_a_key(one: str, other: str) -> None:
    same = content_key(**{**KEY, "tree": one}) == content_key(**{**KEY, "tree": other})
    assert same == (one == other)


def test_everything_is_selected_where_nothing_is_named() -> None:
    chosen = select((), **DAG)
    assert chosen.images == {"app", "base", "tool"}
    assert chosen.pipelines == set(DAG["runs"])


def test_an_image_brings_its_pipelines_and_its_bases() -> None:
    chosen = select(("app",), **DAG)
    assert (set(chosen.images), set(chosen.pipelines)) == ({"app", "base"}, {"vision/edges"})


@pytest.mark.parametrize("name", ["edges", "vision/edges"])
def test_a_pipeline_brings_its_image(name: str) -> None:
    chosen = select((name,), **DAG)
    assert (set(chosen.images), set(chosen.pipelines)) == ({"app", "base"}, {"vision/edges"})


def test_a_pipeline_with_somebody_elses_image_brings_none() -> None:
    assert select(("montage",), **DAG).images == set()


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(StoppedError) as stopped:
        select(("edgse",), **DAG)
    assert stopped.value.reason.code is Code.ONLY_UNKNOWN
    assert "vision/edges" in stopped.value.reason.fact


def test_the_image_that_the_specs_name_is_the_repositorys() -> None:
    found = image_from_specs([spec("registry.acme.io/vision/edges:1.0"), spec(None)])
    assert found == ("edges", "registry.acme.io/vision/edges")


def test_an_official_image_beside_our_own_leaves_no_doubt() -> None:
    found = image_from_specs([spec("registry.acme.io/vision/edges"), spec("ubuntu:22.04")])
    assert found[1] == "registry.acme.io/vision/edges"


@pytest.mark.parametrize(
    ("images", "code"),
    [
        ([None], Code.IMAGE_NAME_INVALID),
        (["edges"], Code.IMAGE_NAME_INVALID),
        (["r.io/a/b", "r.io/a/c"], Code.IMAGE_NAME_AMBIGUOUS),
    ],
)
def test_no_image_can_be_told_from_the_specs(images: list[str | None], code: Code) -> None:
    with pytest.raises(StoppedError) as stopped:
        image_from_specs([spec(image) for image in images])
    assert stopped.value.reason.code is code


def test_an_image_is_ours_by_its_repository_whatever_its_tag() -> None:
    ours = {"edges": "r.io/vision/edges"}
    assert image_of(spec("r.io/vision/edges:old@sha256:" + "0" * 64), ours) == "edges"
    assert image_of(spec("r.io/vision/edges-2:old"), ours) is None


def test_a_plan_in_lines() -> None:
    image = ImagePlan("edges", "r.io/edges", ("abc",), "tree", "Dockerfile", "content")
    pipeline = PipelinePlan("vision", "edges", "p.json", "{}", "edges", Change.UPDATE, 3, ("x",))
    plan = Plan((image,), (pipeline,))
    assert image_lines(plan) == ("edges: build and push r.io/edges:abc",)
    assert pipeline_lines(plan) == ("vision/edges: update version 3: x",)
