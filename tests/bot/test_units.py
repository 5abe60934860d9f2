"""Durations and sizes as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.units import parse_seconds, parse_size


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("90s", 90), ("10m", 600), ("1h30m", 5400), ("0.5s", 0.5), ("0s", 0), ("24h", 86_400)],
)
def test_duration_is_read_in_seconds(written: str, seconds: float) -> None:
    assert parse_seconds(written) == seconds


@pytest.mark.parametrize(
    "written", ["", "30", "h", "1d", "m1", "1 m", "30m1h", "-1s", "1.5h", "25h", 30, 30.0, None]
)
def test_anything_else_is_refused_with_an_example(written: object) -> None:
    with pytest.raises(ValueError, match=r"such as 90s|at most 24h"):
        parse_seconds(written)


@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_parts_add_up(hours: int, minutes: int, seconds: int) -> None:
    assert parse_seconds(f"{hours}h{minutes}m{seconds}s") == hours * 3600 + minutes * 60 + seconds


@pytest.mark.parametrize(("written", "size"), [("1k", 1024), ("6m", 6 << 20), ("2G", 2 << 30)])
def test_size_is_read_in_bytes(written: str, size: int) -> None:
    assert parse_size(written) == size


@pytest.mark.parametrize("written", ["", "512", "m", "1.5g", "512mb", "-1m", 512, None])
def test_size_without_a_unit_is_refused_with_an_example(written: object) -> None:
    with pytest.raises(ValueError, match="such as 512m or 2g"):
        parse_size(written)
