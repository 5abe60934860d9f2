import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.reasons import Code, Reason, StoppedError
from bot.domain.spec import Spec, in_order


def spec(name: str, *reads: str | tuple[str, str], project: str | None = None) -> Spec:
    inputs = tuple((None, each) if isinstance(each, str) else each for each in reads)
    return Spec(f"{name}.json", 1, {"pipeline": {"name": name}}, project, name, None, inputs)


def ordered(*specs: Spec) -> list[str]:
    return [each.name for each in in_order(specs, "default")]


def refusal(*specs: Spec) -> Reason:
    with pytest.raises(StoppedError) as caught:
        in_order(specs, "default")
    return caught.value.reason


def test_a_pipeline_comes_after_those_it_reads_from() -> None:
    assert ordered(spec("c", "b"), spec("b", "a", "images"), spec("a", "images")) == ["a", "b", "c"]


def test_independent_pipelines_keep_their_order() -> None:
    assert ordered(spec("z"), spec("a"), spec("m", "a"), spec("b")) == ["z", "a", "m", "b"]


def test_a_missing_project_is_the_pipelines_own() -> None:
    reader = spec("b", "a", project="raw")
    assert ordered(reader, spec("a"), spec("a", project="raw")) == ["a", "a", "b"]
    assert in_order([reader, spec("a")], "default")[0] is reader


def test_projects_are_told_apart() -> None:
    first = spec("edges", ("vision", "edges"))
    second = spec("edges", project="vision")
    assert in_order([first, second], "default") == (second, first)


def test_a_circle_is_named() -> None:
    reason = refusal(spec("a", "c"), spec("b", "a"), spec("c", ("default", "b")), spec("d"))
    assert reason.code is Code.SPEC_CYCLE
    assert "a -> b -> c -> a" in reason.fact
    assert "b.json" in str(reason.where)


def test_a_pipeline_that_reads_itself_is_a_circle() -> None:
    assert "a -> a" in refusal(spec("a", "a")).fact


def test_two_specs_for_one_pipeline_are_named() -> None:
    reason = refusal(spec("a"), Spec("other.json", 2, {}, "default", "a", None, (), alone=False))
    assert reason.code is Code.SPEC_DUPLICATE
    assert "a.json" in reason.fact
    assert "other.json, document 2" in reason.fact


@given(st.permutations(range(8)), st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7))))
def test_any_graph_without_a_circle_is_put_in_order(
    given_order: list[int], edges: set[tuple[int, int]]
) -> None:
    reads = {
        node: [str(low) for low, high in edges if high == node and low < high] for node in range(8)
    }
    specs = [spec(str(node), *reads[node]) for node in given_order]
    result = ordered(*specs)
    assert sorted(result) == [str(node) for node in range(8)]
    for node in range(8):
        assert all(result.index(source) < result.index(str(node)) for source in reads[node])
