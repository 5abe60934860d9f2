import pytest

from bot.domain.spec import difference, same


def test_equal_specs_do_not_differ() -> None:
    spec = {"pipeline": {"name": "a"}, "datumTries": 3}
    assert difference(spec, dict(reversed(spec.items()))) == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"datum_tries": "3"}, {"datumTries": 3}),
        ({"datum_timeout": "60s"}, {"datumTimeout": "60.0s"}),
        ({"resource_limits": {"cpu": 1}}, {"resourceLimits": {"cpu": 1.0}}),
        ({"tolerations": [{"operator": 1}]}, {"tolerations": [{"operator": "EXISTS"}]}),
        ({"input": {"pfs": {"join_on": "$1"}}}, {"input": {"pfs": {"joinOn": "$1"}}}),
        (
            {"input": {"cross": [{"pfs": {"s3": True}}]}},
            {"input": {"cross": [{"pfs": {"s3": True}}]}},
        ),
        ({"a": 1, "update": True, "dry_run": True, "reprocess": True}, {"a": 1}),
    ],
)
def test_another_spelling_is_the_same(old: dict[str, object], new: dict[str, object]) -> None:
    assert same(old, new)
    assert difference(old, new) == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"transform": {"env": {"a_b": "1"}}}, {"transform": {"env": {"aB": "1"}}}),
        ({"autoscaling": False}, {}),
        ({"spout": {}}, {}),
        ({"transform": {"cmd": ["a", "b"]}}, {"transform": {"cmd": ["b", "a"]}}),
        ({"description": "3"}, {"description": "3.0"}),
    ],
)
def test_what_pachd_tells_apart_is_not_the_same(
    old: dict[str, object], new: dict[str, object]
) -> None:
    assert not same(old, new)
    assert difference(old, new)


def test_each_difference_is_one_line_in_order() -> None:
    old = {"transform": {"image": "a:1", "cmd": ["x", "y"]}, "datum_tries": 3, "salt": "s"}
    new = {"transform": {"image": "b:2", "cmd": ["x", "z"]}, "datumTries": 4, "autoscaling": True}
    assert difference(old, new) == (
        "autoscaling: added true",
        "datumTries: 3 -> 4",
        "salt removed",
        "transform.cmd[1]: y -> z",
        "transform.image: a:1 -> b:2",
    )


def test_long_values_are_cut_and_line_breaks_do_not_show() -> None:
    (line,) = difference({}, {"description": "first\n" + "x" * 500})
    assert line.startswith(r'description: added "first\nxxx')
    assert len(line) < 120


def test_secret_values_of_the_environment_are_not_shown() -> None:
    old = {"transform": {"env": {"DB_PASSWORD": "hunter2", "EPOCHS": "10"}}}
    new = {"transform": {"env": {"DB_PASSWORD": "hunter3", "EPOCHS": "20"}}}
    assert "transform.env.EPOCHS: 10 -> 20" in difference(old, new)
    assert "hunter" not in " ".join((*difference(old, new), *difference({}, new)))


def test_logins_in_addresses_are_not_shown() -> None:
    (line,) = difference({}, {"egress": {"URL": "s3://key:hunter2@bucket/dir"}})
    assert line == 'egress: added {"URL": "s3://...@bucket/dir"}'
