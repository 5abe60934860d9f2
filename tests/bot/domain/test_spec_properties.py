"""What holds for every spec; the specs are made from the fields that there are."""

import contextlib
import json
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.reasons import StoppedError
from bot.domain.spec import difference, read_specs, same, to_json, with_image
from bot.domain.spec_schema import Field, schema

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
NUMBERS = st.floats(-1e30, 1e30, allow_nan=False)


def whole(least: int, most: int) -> st.SearchStrategy[object]:
    numbers = st.integers(least, most)
    return st.one_of(numbers, numbers.map(str))


SCALARS: Mapping[str, st.SearchStrategy[object]] = {
    "string": TEXT,
    "bool": st.booleans(),
    "int32": whole(-(2**31), 2**31 - 1),
    "int64": whole(-(2**63), 2**63 - 1),
    "uint64": whole(0, 2**64 - 1),
    "float": st.one_of(NUMBERS, st.integers(-1000, 1000), st.just("Infinity")),
    "duration": st.sampled_from(["60s", "0.5s", "1.s", "-3s", "315576000000s"]),
    "timestamp": st.sampled_from(["2026-11-23T06:00:00Z", "2026-11-23T06:00:00.123+01:00"]),
    "map": st.dictionaries(TEXT.filter(lambda key: key != "$schema"), TEXT, max_size=3),
}


def values(field: Field, depth: int) -> st.SearchStrategy[object]:
    one: st.SearchStrategy[object]
    if field.kind in schema().messages:
        one = messages(field.kind, depth - 1)
    elif field.kind in schema().enums:
        names = schema().enums[field.kind]
        one = st.sampled_from([*names, *names.values()])
    else:
        one = SCALARS[field.kind]
    return st.one_of(st.none(), st.lists(one, max_size=3) if field.repeated else one)


@st.composite
def messages(draw: st.DrawFn, message: str, depth: int) -> dict[str, object]:
    fields = [field for field in schema().messages[message] if field.oneof is None]
    if depth == 0:
        fields = [field for field in fields if field.kind not in schema().messages]
    chosen = draw(st.lists(st.sampled_from(fields), unique=True, max_size=4)) if fields else []
    return {
        draw(st.sampled_from([field.name, field.json_name])): draw(values(field, depth))
        for field in chosen
    }


@st.composite
def specs(draw: st.DrawFn) -> dict[str, object]:
    body = draw(messages(schema().root, 4))
    body["pipeline"] = {"name": draw(TEXT.filter(bool)), "project": {"name": draw(TEXT)}}
    return body


def snake(value: object, message: str) -> object:
    """The same message with every field in its other spelling."""
    if not isinstance(value, dict):
        return [snake(item, message) for item in value] if isinstance(value, list) else value
    result = {}
    for key, item in value.items():
        field = schema().field(message, key)
        assert field is not None
        other = field.json_name if key == field.name else field.name
        result[other] = snake(item, field.kind) if field.kind in schema().messages else item
    return result


@given(specs())
def test_a_spec_is_read_without_loss(body: dict[str, object]) -> None:
    (spec,) = read_specs("spec.json", json.dumps(body))
    assert json.loads(to_json(spec)) == body
    assert list(json.loads(to_json(spec))) == list(body)


@given(specs())
def test_json_and_yaml_are_read_alike(body: dict[str, object]) -> None:
    text = json.dumps(body, ensure_ascii=False, indent="\t")
    (as_json,) = read_specs("spec.json", text)
    (as_yaml,) = read_specs("spec.yaml", f"{text} # a comment")
    assert to_json(as_json) == to_json(as_yaml)


@given(specs(), TEXT.filter(bool))
def test_setting_the_image_keeps_everything_else(body: dict[str, object], image: str) -> None:
    (spec,) = read_specs("spec.json", json.dumps(body))
    after = json.loads(to_json(with_image(spec, image)))
    transform = body.get("transform") or {}
    assert isinstance(transform, dict)
    assert after.pop("transform") == {**transform, "image": image}
    body.pop("transform", None)
    assert after == body


@given(specs())
def test_the_other_spelling_of_every_field_is_the_same_spec(body: dict[str, object]) -> None:
    other = snake(body, schema().root)
    assert isinstance(other, dict)
    read_specs("spec.json", json.dumps(other))
    assert same(body, other)
    assert difference(body, other) == ()


@given(specs(), specs())
def test_specs_are_the_same_where_nothing_differs(
    one: dict[str, object], other: dict[str, object]
) -> None:
    assert same(one, other) == (difference(one, other) == ())


@given(st.one_of(st.text(), st.binary(), st.text("{}[]:,-&*!|>'\"%@`#?\t\n ab10.")))
def test_no_text_does_more_than_be_refused(text: str | bytes) -> None:
    with contextlib.suppress(StoppedError):
        read_specs("spec.yaml", text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | TEXT,
        lambda each: (
            st.lists(each)
            | st.dictionaries(
                st.sampled_from(
                    ["pipeline", "name", "transform", "env", "input", "cross", "pfs", "x"]
                ),
                each,
            )
        ),
    )
)
def test_no_value_does_more_than_be_refused(value: object) -> None:
    with contextlib.suppress(StoppedError):
        read_specs("spec.json", json.dumps(value))
