"""How times, sizes and names are said."""

from dataclasses import replace
from datetime import UTC

import pytest

from bot.domain.deployment import Commit, Kind, Request
from handlers.reports import words
from tests.handlers.reports.example import request


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0.0s"),
        (-1, "0.0s"),
        (0.44, "0.4s"),
        (9.94, "9.9s"),
        (9.96, "10s"),
        (59.6, "1m 0s"),
        (72, "1m 12s"),
        (3599.7, "1h 0m"),
        (7500, "2h 5m"),
    ],
)
def test_duration(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (-5, "just now"),
        (3, "just now"),
        (18, "18 seconds ago"),
        (60, "1 minute ago"),
        (7300, "2 hours ago"),
        (86_400, "1 day ago"),
    ],
)
def test_how_long_ago(passed: float, said: str) -> None:
    assert words.ago(1000.0, 1000.0 + passed) == said


def test_moment_is_in_the_zone_asked_for() -> None:
    assert words.moment(1_700_000_000, UTC) == "2023-11-14 22:13:20"


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2_000_000_000, "2.0 GB")]
)
def test_size(count: int, said: str) -> None:
    assert words.size(count) == said


@pytest.mark.parametrize(
    ("repository", "name"),
    [
        ("https://github.com/acme/vision.git", "acme/vision"),
        ("https://git.acme.io/group/sub/vision", "sub/vision"),
        ("ssh://git@host:22/acme/vision.git", "acme/vision"),
        ("git@github.com:acme/vision.git", "acme/vision"),
        ("/home/ada/src/vision", "vision"),
        ("file:///srv/git/vision.git", "vision"),
        ("/", "/"),
    ],
)
def test_repository_has_a_short_name(repository: str, name: str) -> None:
    assert words.repository_name(repository) == name


@pytest.mark.parametrize(
    ("asked", "comes", "where"),
    [
        (request(), "3f9c2a1", "3f9c2a1 to staging"),
        (request(kind=Kind.ROLLBACK), "rollback to 3f9c2a1", "rollback of staging to 3f9c2a1"),
        (
            replace(request(kind=Kind.ROLLBACK), commit=Commit("", "an earlier deployment")),
            "rollback",
            "rollback of staging",
        ),
    ],
)
def test_what_comes_is_said_as_far_as_it_is_known(asked: Request, comes: str, where: str) -> None:
    assert (words.what_comes(asked), words.where_to(asked)) == (comes, where)
