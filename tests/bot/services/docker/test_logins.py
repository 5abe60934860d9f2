import base64
import json
from pathlib import Path

import pytest

from bot.domain.reasons import Code, StoppedError
from bot.services.docker import docker_logins
from bot.services.docker.logins import auth_config, registry_of
from bot.services.logins import Login


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Docker's own folder, empty at first; programs in it are found."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def configure(folder: Path, config: object) -> None:
    (folder / "config.json").write_text(json.dumps(config))


def encoded(text: str) -> dict[str, str]:
    return {"auth": base64.b64encode(text.encode()).decode()}


def helper(folder: Path, script: str) -> None:
    program = folder / "docker-credential-test"
    program.write_text(f"#!/bin/sh\nread server\n{script}\n")
    program.chmod(0o700)


def found(registry: str) -> tuple[str, str] | None:
    login = docker_logins()(registry)
    return None if login is None else (login.username, login.password.get_secret_value())


def test_no_file_gives_no_login(folder: Path) -> None:
    assert not list(folder.iterdir())
    assert found("r.example.com") is None


def test_a_login_is_found_by_its_registry(folder: Path) -> None:
    configure(folder, {"auths": {"r.example.com:5000": encoded("ada:s:3cret")}})
    assert found("r.example.com:5000") == ("ada", "s:3cret")
    assert found("r.example.com") is None


def test_a_login_that_came_later_is_found(folder: Path) -> None:
    find = docker_logins()
    assert find("r.example.com") is None
    configure(folder, {"auths": {"r.example.com": encoded("ada:x")}})
    assert find("r.example.com") is not None


@pytest.mark.parametrize("name", ["docker.io", "index.docker.io", "registry-1.docker.io"])
def test_docker_hub_has_one_login_for_all_its_names(folder: Path, name: str) -> None:
    configure(folder, {"auths": {"https://index.docker.io/v1/": encoded("ada:x")}})
    assert found(name) == ("ada", "x")


def test_an_identity_token_is_a_login(folder: Path) -> None:
    configure(folder, {"auths": {"r.example.com": {"identitytoken": "t"}}})
    login = docker_logins()("r.example.com")
    assert auth_config("r.example.com", login) == {
        "identitytoken": "t",
        "serveraddress": "r.example.com",
    }


@pytest.mark.parametrize(
    "config", [{"credHelpers": {"r.example.com": "test"}}, {"credsStore": "test"}]
)
def test_a_credential_helper_is_asked(folder: Path, config: object) -> None:
    configure(folder, config)
    helper(folder, """echo "{\\"Username\\":\\"ada\\",\\"Secret\\":\\"for $server\\"}" """)
    assert found("r.example.com") == ("ada", "for r.example.com")


def test_a_helper_that_has_nothing_gives_no_login(folder: Path) -> None:
    configure(folder, {"credsStore": "test"})
    helper(folder, "echo credentials not found in native keychain; exit 1")
    assert found("r.example.com") is None


def test_a_helper_that_fails_is_said_without_its_words(folder: Path) -> None:
    configure(folder, {"credsStore": "test"})
    helper(folder, "echo the secret is 1234; exit 1")
    with pytest.raises(StoppedError) as stopped:
        found("r.example.com")
    assert stopped.value.reason.code is Code.BAD_SETTINGS
    assert stopped.value.reason.where == str(folder / "config.json")
    assert "1234" not in str(stopped.value)


def test_a_login_that_cannot_be_read_is_said(folder: Path) -> None:
    configure(folder, {"auths": {"r.example.com": {"auth": "!"}}})
    with pytest.raises(StoppedError) as stopped:
        found("r.example.com")
    assert stopped.value.reason.code is Code.BAD_SETTINGS


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[]", "JSON object"),
        ("{broken", "JSON object"),
        ("\xff", "JSON object"),
        ('{"auths": 5}', "'auths'"),
        ('{"auths": {"r.example.com": 5}}', "'auths.r.example.com'"),
        ('{"auths": {"r.example.com": {"auth": 5}}}', "'auths.r.example.com.auth'"),
        ('{"HttpHeaders": 5}', "'HttpHeaders'"),
        ('{"HttpHeaders": {"X-Key": 5}}', "'HttpHeaders.X-Key'"),
        ('{"proxies": 5}', "'proxies'"),
        ('{"credsStore": 5}', "'credsStore'"),
        ('{"credHelpers": ["test"]}', "'credHelpers'"),
    ],
)
def test_a_file_that_is_not_dockers_is_refused_with_the_place(
    folder: Path, text: str, named: str
) -> None:
    (folder / "config.json").write_text(text, encoding="latin-1")
    with pytest.raises(StoppedError) as stopped:
        found("r.example.com")
    reason = stopped.value.reason
    assert (reason.code, reason.where) == (Code.BAD_SETTINGS, str(folder / "config.json"))
    assert named in reason.fact


@pytest.mark.parametrize("text", ["", " \n", "{}", '{"auths": null}', '{"detachKeys": 5}'])
def test_a_file_without_logins_gives_none(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    assert found("r.example.com") is None


@pytest.mark.parametrize(
    "config", [{"credHelpers": {"r.example.com": "test"}}, {"credsStore": "test"}]
)
def test_a_helper_that_is_not_installed_is_named(folder: Path, config: object) -> None:
    configure(folder, config)
    with pytest.raises(StoppedError) as stopped:
        found("r.example.com")
    assert stopped.value.reason.code is Code.BAD_SETTINGS
    assert "docker-credential-test" in stopped.value.reason.fact


@pytest.mark.parametrize("answer", ["[]", "{}", "5", "nonsense"])
def test_a_helper_that_answers_nonsense_is_said(folder: Path, answer: str) -> None:
    configure(folder, {"credsStore": "test"})
    helper(folder, f"echo '{answer}'")
    with pytest.raises(StoppedError) as stopped:
        found("r.example.com")
    assert stopped.value.reason.code is Code.BAD_SETTINGS


@pytest.mark.parametrize(
    ("repository", "registry"),
    [
        ("acme/edges", "docker.io"),
        ("index.docker.io/acme/edges", "docker.io"),
        ("localhost/edges", "localhost"),
        ("r.example.com:5000/a/b", "r.example.com:5000"),
    ],
)
def test_a_repository_names_its_registry(repository: str, registry: str) -> None:
    assert registry_of(repository) == registry


def test_a_password_is_not_shown(folder: Path) -> None:
    configure(folder, {"auths": {"r.example.com": encoded("ada:s3cret")}})
    login = docker_logins()("r.example.com")
    assert isinstance(login, Login)
    assert "s3cret" not in repr(login)
