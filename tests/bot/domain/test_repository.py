"""Which addresses are known to be one repository."""

import pytest

from bot.domain.repository import goes_before, repository_names, spelled

GITHUB = frozenset({"github.com", "git.acme.io"})


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("https://github.com/acme/edges.git", ("acme/edges", "github.com/acme/edges")),
        ("https://GitHub.com/Acme/Edges", ("acme/edges", "github.com/acme/edges")),
        ("git@github.com:acme/edges.git", ("acme/edges", "github.com/acme/edges")),
        ("ssh://git@git.acme.io:2222/ml/edges", ("ml/edges", "git.acme.io/ml/edges")),
        ("/srv/edges", ("srv/edges",)),
    ],
)
def test_a_repository_is_known_by_its_name(address: str, names: tuple[str, ...]) -> None:
    assert repository_names(address) == names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://github.com/ACME/Edges", "https://github.com/acme/edges"),
        ("https://git.acme.io/ACME/Edges.git", "https://git.acme.io/acme/edges"),
        ("git@github.com:ACME/Edges.git", "git@github.com:acme/edges"),
        ("ssh://git@github.com/acme/edges", "git@github.com:acme/edges.git"),
        ("https://elsewhere.io/edges.git", "https://elsewhere.io/edges"),
        ("file:///srv/my%20edges", "/srv/my edges"),
    ],
)
def test_these_are_two_ways_to_write_one_address(one: str, other: str) -> None:
    assert spelled(one, GITHUB) == spelled(other, GITHUB)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://elsewhere.io/ACME/Edges", "https://elsewhere.io/acme/edges"),
        ("https://github.com/acme/edges", "https://github.com/acme/edges2"),
        ("https://github.com/acme/edges", "git@github.com:acme/edges"),
        ("http://git.acme.io:8080/acme/edges", "http://git.acme.io/acme/edges"),
        # What is read safely is not read in the clear because somebody once did.
        ("http://github.com/acme/edges", "https://github.com/acme/edges"),
        ("/srv/edges.git", "/srv/edges"),
        ("/srv/Edges", "/srv/edges"),
    ],
)
def test_these_may_be_two_repositories_or_two_ways_to_read_one(one: str, other: str) -> None:
    assert spelled(one, GITHUB) != spelled(other, GITHUB)


@pytest.mark.parametrize(
    ("address", "other", "goes_first"),
    [
        ("git@github.com:acme/edges.git", "https://github.com/Acme/Edges", True),
        ("ssh://git@git.acme.io:2222/ml/edges", "https://git.acme.io/ml/edges.git", True),
        ("http://github.com/acme/edges", "https://github.com/acme/edges", True),
        ("/home/ada/edges", "https://github.com/acme/edges", True),
        ("file:///home/ada/edges", "git@github.com:acme/edges", True),
        # Else each would send on to the other.
        ("https://github.com/acme/edges", "git@github.com:acme/edges", False),
        ("https://github.com/acme/edges", "http://github.com/acme/edges", False),
        ("/home/ada/edges", "/srv/edges", False),
    ],
)
def test_what_is_read_over_the_network_and_by_all_is_the_one_that_counts(
    address: str, other: str, *, goes_first: bool
) -> None:
    assert goes_before(other, address) is goes_first
