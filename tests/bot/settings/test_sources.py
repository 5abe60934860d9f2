"""What is set where: by the environment, by a file, and by default."""

from pathlib import Path

import pytest

from bot.settings import ClusterSettings
from tests.bot.settings.loading import Load, secret, write


def test_defaults_need_nothing_but_a_home(load: Load, home: Path) -> None:
    settings = load()
    assert settings.data_dir == home / ".local/share/pachops"
    assert settings.database_url == f"sqlite:///{home}/.local/share/pachops/pachops.db"
    assert settings.clusters == {}
    assert settings.docker_host == ()
    assert (settings.parallel_builds, settings.log_level) == (2, "info")
    assert (settings.timeouts.source, settings.timeouts.build) == (600, 3600)
    assert (settings.timeouts.push, settings.timeouts.update) == (1800, 120)


def test_environment_sets_everything_a_single_cluster_needs(load: Load, tmp_path: Path) -> None:
    settings = load(
        PACHOPS_DATABASE_URL="postgresql://bot:pw@db/pachops",
        PACHOPS_DATA_DIR=str(tmp_path / "data"),
        PACHOPS_PACHD_ADDRESS="grpcs://pachd.acme.io:443",
        PACHOPS_PACHD_TOKEN="robot-token",
        PACHOPS_INSECURE_REGISTRIES="localhost:5000, registry:5000",
        PACHOPS_PARALLEL_BUILDS="4",
        PACHOPS_TIMEOUT_BUILD="2h",
        PACHOPS_MINIMUM_FREE_SPACE="512m",
        PACHOPS_LOG_LEVEL="DEBUG",
        DOCKER_HOST="unix:///run/docker.sock",
    )
    assert settings.database_url == "postgresql://bot:pw@db/pachops"
    assert settings.data_dir == tmp_path / "data"
    cluster = settings.cluster("default")
    assert (cluster.address, secret(cluster.token)) == ("grpcs://pachd.acme.io:443", "robot-token")
    assert settings.insecure_registries == ("localhost:5000", "registry:5000")
    assert settings.parallel_builds == 4
    assert settings.timeouts.build == 7200
    assert settings.minimum_free_space == 512 << 20
    assert settings.log_level == "debug"
    assert settings.docker_host == ("unix:///run/docker.sock",)


def test_database_lies_in_the_data_dir(load: Load, tmp_path: Path) -> None:
    settings = load(PACHOPS_DATA_DIR=str(tmp_path))
    assert settings.database_url == f"sqlite:///{tmp_path}/pachops.db"


def test_relative_data_dir_counts_from_where_the_bot_was_started(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(PACHOPS_DATA_DIR=".data").data_dir == tmp_path / ".data"


def test_xdg_folders_are_honoured(load: Load, tmp_path: Path) -> None:
    assert load(XDG_DATA_HOME=str(tmp_path)).data_dir == tmp_path / "pachops"


def test_empty_variable_is_not_set(load: Load) -> None:
    assert load(PACHOPS_PACHD_ADDRESS="", PACHOPS_PARALLEL_BUILDS="").clusters == {}


def test_process_environment_is_not_looked_at(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACHOPS_PARALLEL_BUILDS", "7")
    assert load().parallel_builds == 2


def test_file_names_several_clusters(load: Load, home: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    (tmp_path / "ca.pem").write_bytes(b"PEM")
    write(
        home,
        f"""
clusters:
  staging: {{address: "grpc://staging:30650"}}
  production:
    address: grpcs://prod:443
    token_file: {tmp_path}/token
    root_certs: {tmp_path}/ca.pem
""",
    )
    settings = load()
    assert settings.cluster("staging") == ClusterSettings(address="grpc://staging:30650")
    production = settings.cluster("production")
    assert secret(production.token) == "from-file"
    assert production.root_certs == b"PEM"


def test_environment_wins_over_the_file(load: Load, home: Path) -> None:
    write(home, "parallel_builds: 3\nclusters: {default: {address: grpc://file:1}}")
    settings = load(PACHOPS_PARALLEL_BUILDS="5", PACHOPS_PACHD_ADDRESS="grpc://variable:2")
    assert settings.parallel_builds == 5
    assert settings.cluster("default").address == "grpc://variable:2"


def test_token_from_the_environment_replaces_a_token_file(load: Load, home: Path) -> None:
    write(home, "clusters: {default: {address: grpc://file:1, token_file: /not/there}}")
    settings = load(PACHOPS_PACHD_TOKEN="from-variable")
    assert secret(settings.cluster("default").token) == "from-variable"


def test_file_elsewhere_is_named_by_a_variable(load: Load, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("parallel_builds: 9")
    assert load(PACHOPS_SETTINGS_FILE=str(tmp_path / "other.yaml")).parallel_builds == 9


def test_git_login_by_environment(load: Load) -> None:
    logins = load(
        PACHOPS_GIT_HOST="Git.acme.io",
        PACHOPS_GIT_USERNAME="bot",
        PACHOPS_GIT_PASSWORD="git-secret",
    ).logins()
    assert list(logins) == ["git.acme.io"]
    assert logins["git.acme.io"].username == "bot"
    assert secret(logins["git.acme.io"].password) == "git-secret"


def test_git_login_by_file_reads_the_password_file(load: Load, home: Path, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("git-secret\n")
    text = f"git_logins: {{'git:8080': {{username: bot, password_file: {tmp_path}/password}}}}"
    write(home, text)
    assert secret(load().logins()["git:8080"].password) == "git-secret"


def test_build_secrets_by_file_and_environment(load: Load, home: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("two\nlines\n")
    write(home, f"build_secrets: {{npm: plain, key: {{file: {tmp_path}/key}}}}")
    secrets = load(PACHOPS_BUILD_SECRET_PIP_TOKEN="from-variable").build_secrets
    assert secret(secrets["npm"]) == "plain"
    assert secret(secrets["key"]) == "two\nlines\n"
    assert secret(secrets["pip_token"]) == secret(secrets["PIP_TOKEN"]) == "from-variable"
