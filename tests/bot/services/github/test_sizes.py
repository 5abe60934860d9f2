"""Texts are cut in the middle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.services.github import api_url
from bot.services.github.sizes import COMMENT, cut, cut_bytes, cut_line, with_marker


@given(st.text(min_size=0, max_size=600), st.integers(150, 400))
def test_a_cut_text_fits_and_keeps_both_ends(text: str, most: int) -> None:
    shorter = cut(text, most)

    assert len(shorter) <= most
    assert shorter[:20] == text[:20]
    assert shorter[-20:] == text[-20:]


@given(st.text(max_size=600), st.integers(200, 400))
def test_a_text_that_is_cut_in_bytes_fits(text: str, most: int) -> None:
    assert len(cut_bytes(text, most).encode()) <= most


@pytest.mark.parametrize("cutting", [cut, cut_bytes, cut_line])
def test_a_text_that_fits_stays(cutting: object) -> None:
    assert callable(cutting)
    assert cutting("as it is", 8) == "as it is"


def test_a_cut_says_how_much_is_missing() -> None:
    shorter = cut("-" * 1000, 200)

    assert f"{1000 - shorter.count('-')} of 1000 characters" in shorter


@given(st.text(min_size=150, max_size=300))
def test_a_line_that_is_cut_fills_its_room(text: str) -> None:
    assert len(cut_line(text, 140)) == 140


def test_a_marker_stands_once_at_the_end() -> None:
    marker = "<!-- pachops:staging -->"

    assert with_marker(with_marker("text", marker), marker) == f"text\n\n{marker}"
    assert len(with_marker("x" * 99_999, marker)) == COMMENT


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("https://github.com", "https://api.github.com"),
        ("https://github.com/", "https://api.github.com"),
        ("https://api.github.com", "https://api.github.com"),
        ("https://acme.ghe.com", "https://api.acme.ghe.com"),
        ("https://github.acme.io", "https://github.acme.io/api/v3"),
        ("https://github.acme.io:8443/", "https://github.acme.io:8443/api/v3"),
        ("https://github.acme.io/api/v3", "https://github.acme.io/api/v3"),
    ],
)
def test_the_api_is_where_that_kind_of_github_has_it(url: str, api: str) -> None:
    assert api_url(url) == api
