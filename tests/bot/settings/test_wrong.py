"""What is said of wrong settings."""

from pathlib import Path

import pytest

from bot.domain.reasons import Code, StoppedError
from bot.settings import load_settings
from tests.bot.settings.loading import Load, refusal, write


@pytest.mark.parametrize(
    ("variable", "value", "fact"),
    [
        ("PACHOPS_PACHD_ADDRESS", "pachd:30650", "must be grpc://HOST:PORT"),
        ("PACHOPS_PACHD_ADDRESS", "http://pachd:30650", "must be grpc://HOST:PORT"),
        ("PACHOPS_PACHD_ADDRESS", "grpc://pachd", "must be grpc://HOST:PORT"),
        ("PACHOPS_PACHD_ADDRESS", "grpc://pachd:99999", "must be grpc://HOST:PORT"),
        ("PACHOPS_PACHD_ADDRESS", "grpc://a:b@pachd:1", "must be grpc://HOST:PORT"),
        ("PACHOPS_DATABASE_URL", "mysql://db/x", "must be sqlite:///"),
        ("PACHOPS_DATABASE_URL", "sqlite://", "must be sqlite:///"),
        ("PACHOPS_DATABASE_URL", "sqlite:///rel.db", "write four slashes: sqlite:////PATH"),
        ("PACHOPS_DATABASE_URL", "sqlite:///:memory:", "must be sqlite:///"),
        ("PACHOPS_PARALLEL_BUILDS", "many", "must be a whole number"),
        ("PACHOPS_PARALLEL_BUILDS", "0", "must be at least 1"),
        ("PACHOPS_RUNNING_DEPLOYMENTS", "0", "must be at least 1 with SQLite"),
        ("PACHOPS_TIMEOUT_PUSH", "30", "such as 90s, 10m or 1h30m"),
        ("PACHOPS_MINIMUM_FREE_SPACE", "1", "such as 512m or 2g"),
        ("PACHOPS_LOG_LEVEL", "loud", "must be one of 'debug', 'info', 'warning' or 'error'"),
        ("PACHOPS_INSECURE_REGISTRIES", "http://r", "without a scheme"),
        ("DOCKER_HOST", "/var/run/docker.sock", "such as unix:///var/run/docker.sock"),
    ],
)
def test_wrong_variable_is_named_with_what_it_must_be(
    load: Load, variable: str, value: str, fact: str
) -> None:
    found = refusal(load, **{variable: value})
    assert found.where == variable
    assert fact in found.fact


def test_unknown_variable_is_answered_with_the_nearest(load: Load) -> None:
    found = refusal(load, PACHOPS_PACHD_ADRESS="grpc://p:1")
    assert found.fact == "PACHOPS_PACHD_ADRESS is not a setting; PACHOPS_PACHD_ADDRESS is"


def test_token_without_an_address_names_the_missing_variable(load: Load) -> None:
    found = refusal(load, PACHOPS_PACHD_TOKEN="x")
    assert (found.where, found.fact) == ("PACHOPS_PACHD_ADDRESS", "is missing")


def test_half_a_git_login_names_what_is_missing(load: Load) -> None:
    found = refusal(load, PACHOPS_GIT_PASSWORD="x", PACHOPS_GIT_USERNAME="y")
    assert found.where == "PACHOPS_GIT_HOST"


def test_without_home_the_data_dir_must_be_set() -> None:
    with pytest.raises(StoppedError) as stopped:
        load_settings({})
    assert stopped.value.reason.where == "PACHOPS_DATA_DIR"


def test_without_home_a_data_dir_is_enough(tmp_path: Path) -> None:
    assert load_settings({"PACHOPS_DATA_DIR": str(tmp_path)}).data_dir == tmp_path


@pytest.mark.parametrize(
    ("text", "line", "fact"),
    [
        ("\nparalel_builds: 3", 2, "'paralel_builds' is not known; 'parallel_builds' is"),
        ("pachd_address: grpc://p:1", 1, "write clusters: default: address"),
        ("clusters:\n  a:\n    adress: x", 3, "'adress' is not known; 'address' is"),
        ("clusters:\n  a:\n    address: pachd", 3, "must be grpc://HOST:PORT"),
        ("clusters:\n  a: {}", 2, "is missing"),
        ("clusters: [a]", 1, "must be a mapping"),
        ("timeouts:\n  build: 5", 2, "such as 90s"),
        ("data_dir: data", 1, "must be an absolute path"),
        ("git_logins:\n  https://git: {username: a, password: b}", 2, "without a scheme"),
        ("build_secrets:\n  npm: {path: /x}", 2, "must be text, or file: PATH"),
        ("build_secrets:\n  npm: {file: /not/there}", 2, "cannot be read: /not/there"),
        ("a: [", 1, "is not valid YAML"),
        ("- a", 1, "must be a mapping"),
    ],
)
def test_wrong_file_is_named_with_its_line(
    load: Load, home: Path, text: str, line: int, fact: str
) -> None:
    file = write(home, text)
    found = refusal(load)
    assert (found.where or "").startswith(f"{file}:{line}")
    assert fact in found.fact


def test_token_and_token_file_contradict_each_other(load: Load, home: Path) -> None:
    file = write(
        home, "clusters:\n  a:\n    address: grpc://a:1\n    token: x\n    token_file: /x\n"
    )
    found = refusal(load)
    assert found.where == f"{file}:5: clusters.a.token_file"
    assert found.fact == "is given beside token; give one of the two"


def test_settings_file_that_is_not_there_is_refused(load: Load, tmp_path: Path) -> None:
    found = refusal(load, PACHOPS_SETTINGS_FILE=str(tmp_path / "none.yaml"))
    assert found.where == "PACHOPS_SETTINGS_FILE"
    assert "No such file" in found.fact


def test_certificates_that_are_not_there_are_refused(load: Load, home: Path) -> None:
    write(home, "clusters: {a: {address: grpcs://a:1, root_certs: /not/there}}")
    assert refusal(load).fact == "is not a file that can be read: /not/there"


def test_unknown_cluster_is_answered_with_those_there_are(load: Load, home: Path) -> None:
    write(home, "clusters: {b: {address: grpc://b:1}, a: {address: grpc://a:1}}")
    with pytest.raises(StoppedError) as stopped:
        load().cluster("c")
    assert stopped.value.reason.code is Code.CLUSTER_UNKNOWN
    assert stopped.value.reason.fact == "the settings have no cluster 'c'; they have: a, b"


def test_without_a_cluster_the_variable_to_set_is_named(load: Load) -> None:
    with pytest.raises(StoppedError) as stopped:
        load().cluster("default")
    assert "PACHOPS_PACHD_ADDRESS" in stopped.value.reason.next_step
