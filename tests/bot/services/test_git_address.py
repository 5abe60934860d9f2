from pathlib import Path

import pytest

from bot.domain.reasons import Code, StoppedError
from bot.services.git import repository_address
from bot.services.git.address import parse_address
from tests.real.git_server import Repository


def test_a_folder_inside_a_work_tree_is_known_by_its_top_folder(tmp_path: Path) -> None:
    Repository(tmp_path / "edges", bare=False)
    (tmp_path / "edges" / "src" / "deep").mkdir(parents=True)

    assert repository_address("src/deep", tmp_path / "edges") == str(tmp_path / "edges")


def test_a_bare_repository_is_known_by_its_own_folder(tmp_path: Path) -> None:
    Repository(tmp_path / "edges.git")

    assert repository_address("edges.git", tmp_path) == str(tmp_path / "edges.git")


def test_a_symbolic_link_to_a_repository_is_the_repository(tmp_path: Path) -> None:
    Repository(tmp_path / "edges", bare=False)
    (tmp_path / "link").symlink_to("edges")

    assert repository_address("link", tmp_path) == str(tmp_path / "edges")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://git.acme.io/vision/edges/", "https://git.acme.io/vision/edges"),
        ("https://git.acme.io/vision/edges.git", "https://git.acme.io/vision/edges.git"),
        ("HTTPS://GitHub.com/Acme/Edges.git", "https://github.com/Acme/Edges"),
        ("https://github.com/Acme/Edges", "https://github.com/Acme/Edges"),
        ("http://127.0.0.1:3000/a.git", "http://127.0.0.1:3000/a.git"),
        ("https://[::1]:8443/a", "https://[::1]:8443/a"),
        ("ssh://git@git.acme.io:2222/a.git", "ssh://git@git.acme.io:2222/a.git"),
        ("git@github.com:acme/edges.git", "git@github.com:acme/edges.git"),
        ("file:///srv/git/a.git", "file:///srv/git/a.git"),
    ],
)
def test_a_url_keeps_what_reaches_the_repository(text: str, address: str) -> None:
    assert repository_address(text, Path("/")) == address
    assert repository_address(address, Path("/")) == address


@pytest.mark.parametrize(
    "text",
    [
        "https://git.acme.io/./acme/edges",
        "https://git.acme.io/x/../acme/edges",
        "https://git.acme.io/acme//edges",
        "https://git.acme.io/%61cme/edges",
        "https://git.acme.io/acme%2Fedges",
        "https://git.acme.io/acme/edges/.",
        "file:///srv/edges/.git",
        "git@git.acme.io:./acme/edges",
        "https://git.acme.io//acme/edges",
        "https://git.acme.io./acme/edges",
        "https://git.acme.io:443/acme/edges",
    ],
)
def test_an_address_is_written_in_one_way(text: str) -> None:
    """Rules, locks and lines hang on it."""
    with pytest.raises(StoppedError) as stopped:
        repository_address(text, Path("/"))

    assert stopped.value.reason.code is Code.REPOSITORY_UNKNOWN
    assert "another way" in stopped.value.reason.fact


@pytest.mark.parametrize(
    "text",
    [
        "https://git.acme.io/acme/edges%20two",
        "https://git.acme.io/",
        "https://git.acme.io/acme/.github",
        "https://git.acme.io/acme/edges.git/",
        "ssh://git@git.acme.io/~acme/edges",
        "git@git.acme.io:/srv/edges",
        "https://dev.azure.com/acme/a%20project/_git/edges",
        "ssh://git@git.acme.io:29418/a/edges",
    ],
)
def test_what_looks_odd_and_is_the_only_way_is_taken(text: str) -> None:
    assert repository_address(text, Path("/"))


@pytest.mark.parametrize(
    "text",
    [
        "https://ada:hunter2@git.acme.io/a.git",
        "https://hunter2@git.acme.io/a.git",
        "https://:hunter2@git.acme.io/a.git",
        "http://ada:hunter2@git.acme.io:bad/a.git",
        "ssh://ada:hunter2@git.acme.io/a.git",
        "git://ada:hunter2@git.acme.io/a.git",
        "ada:hunter2@git.acme.io/a.git",
        "ftp://ada:hunter2@git.acme.io/a.git",
        "ext::https://ada:hunter2@git.acme.io/a.git",
        "https:/ada:hunter2@git.acme.io/a.git",
        "-https://ada:hunter2@git.acme.io/a.git",
    ],
)
def test_a_password_in_an_address_is_refused_and_never_said_again(text: str) -> None:
    with pytest.raises(StoppedError) as stopped:
        repository_address(text, Path("/"))

    assert "hunter2" not in str(stopped.value)
    assert "hunter2" not in stopped.value.reason.next_step


@pytest.mark.parametrize(
    "text", ["https://ada:pw@git.acme.io/a", "https://token@git.acme.io/a", "ada:pw@git.acme.io/a"]
)
def test_a_login_in_a_url_has_a_code_of_its_own(text: str) -> None:
    with pytest.raises(StoppedError) as stopped:
        repository_address(text, Path("/"))

    assert stopped.value.reason.code is Code.LOGIN_IN_URL


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-oProxyCommand=touch /tmp/x",
        "--upload-pack=touch /tmp/x",
        "ext::sh -c 'touch /tmp/x'",
        "fd::17",
        "::https://git.acme.io/a",
        "ftp://git.acme.io/a",
        "ssh://-oProxyCommand=x/a",
        "https:///a",
        "https://git.acme.io:port/a",
        "https://git.acme.io/a\nb",
        "no/such/folder",
    ],
)
def test_what_git_could_take_for_something_else_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(StoppedError) as stopped:
        repository_address(text, tmp_path)

    assert stopped.value.reason.code is Code.REPOSITORY_UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        "http://git.acme.io/r.git?token=hunter2",
        "https://git.acme.io/r.git#hunter2",
        "https://git.acme.io?token=hunter2",
        "ftp://git.acme.io/r.git?token=hunter2",
        "https:/git.acme.io/r.git?token=hunter2",
        "https://git.acme.io:port/r.git?token=hunter2",
    ],
)
def test_a_query_in_an_address_is_refused_and_never_said_again(text: str) -> None:
    with pytest.raises(StoppedError) as stopped:
        repository_address(text, Path("/"))

    assert stopped.value.reason.code is Code.REPOSITORY_UNKNOWN
    assert "hunter2" not in f"{stopped.value} {stopped.value.reason}"


def test_a_query_in_an_address_is_what_is_wrong_with_it() -> None:
    with pytest.raises(StoppedError, match=r"has a query \(`\?`\) or a fragment"):
        repository_address("https://git.acme.io/r.git?token=hunter2", Path("/"))


def test_a_folder_without_a_repository_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoppedError, match="is not in a git repository") as stopped:
        repository_address(".", tmp_path)

    assert str(tmp_path) in stopped.value.reason.fact


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("https://git.acme.io/a", "git.acme.io"),
        ("https://git.acme.io:443/a", "git.acme.io"),
        ("https://git.acme.io:8443/a", "git.acme.io:8443"),
        ("http://127.0.0.1:3000/a", "127.0.0.1:3000"),
        ("http://localhost/a", "localhost"),
        ("http://git.acme.io/a", "http://git.acme.io"),
        ("http://127.0.0.1.evil.io/a", "http://127.0.0.1.evil.io"),
        ("ssh://git@git.acme.io/a", None),
        ("git://git.acme.io/a", None),
    ],
)
def test_the_login_for_a_host_goes_in_the_clear_only_where_asked(
    text: str, key: str | None
) -> None:
    assert parse_address(text, Path("/")).login_key == key


def test_every_repository_has_a_mirror_folder_of_its_own() -> None:
    texts = ["https://a.io/x/y", "https://a.io/x-y", "https://a.io:1/x/y"]
    names = {parse_address(text, Path("/")).folder_name for text in texts}

    assert len(names) == len(texts)
    assert all("/" not in name and not name.startswith((".", "-")) for name in names)
