"""Settings from the environment and from a file, and what is said of wrong ones."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.domain.reasons import Code, Reason, StoppedError
from bot.settings import ClusterSettings, GitHubSettings, Settings, load_settings

Load = Callable[..., Settings]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def load(home: Path) -> Load:
    """Loads settings with HOME set, no matter what this machine has."""

    def load(**variables: str) -> Settings:
        return load_settings({"HOME": str(home), **variables})

    return load


def write(home: Path, text: str, mode: int = 0o600) -> Path:
    file = home / ".config" / "pachops" / "settings.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)
    return file


def refusal(load: Load, **variables: str) -> Reason:
    with pytest.raises(StoppedError) as stopped:
        load(**variables)
    assert stopped.value.reason.code is Code.BAD_SETTINGS
    return stopped.value.reason


def secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value else None


# --- what is set where


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


# --- secrets stay secret

SECRETS = {
    "PACHOPS_PACHD_ADDRESS": "grpc://p:1",
    "PACHOPS_PACHD_TOKEN": "hidden-token",
    "PACHOPS_GIT_HOST": "git",
    "PACHOPS_GIT_USERNAME": "bot",
    "PACHOPS_GIT_PASSWORD": "hidden-password",
    "PACHOPS_BUILD_SECRET_NPM": "hidden-npm",
    "PACHOPS_DATABASE_URL": "postgresql://bot:hidden%2Fdb@db/pachops",
}


def test_repr_shows_no_secret(load: Load) -> None:
    assert "hidden" not in repr(load(**SECRETS))


def test_every_secret_is_listed_for_the_redactor(load: Load) -> None:
    listed = {secret(each) for each in load(**SECRETS).secrets()}
    assert listed == {"hidden-token", "hidden-password", "hidden-npm", "hidden/db"}


@pytest.mark.parametrize(
    "text",
    [
        "clusters: {default: {address: grpc://p:1, token: hidden token}}",
        "clusters: {default: {address: 'hidden://p:1'}}",
        "clusters: {default: {address: grpc://p:1, token: [hidden]}}",
        "clusters: {default: {address: grpc://p:1, token: !hidden x}}",
        "clusters: {default: {address: grpc://p:1, token: *hidden}}",
        "git_logins: {git: {password: hidden}}",
        "build_secrets: {npm: hidden, npm: hidden}",
        "build_secrets: {npm: {hidden: hidden}}",
        "database_url: mysql://bot:hidden@db/x",
    ],
)
def test_error_shows_no_value(load: Load, home: Path, text: str) -> None:
    write(home, text)
    with pytest.raises(StoppedError) as stopped:
        load()
    assert "hidden" not in str(stopped.value) + str(stopped.value.reason)


def test_file_with_secrets_that_others_can_read_is_refused(load: Load, home: Path) -> None:
    text = "clusters: {default: {address: grpc://p:1, token: hidden}}"
    file = write(home, text, mode=0o644)
    assert refusal(load).next_step == f"Run `chmod 600 {file}`."


@pytest.mark.parametrize(
    "text",
    [
        "git_logins: {git: {username: bot, password: x}}",
        "build_secrets: {npm: x}",
        "database_url: postgresql://bot:x@db/pachops",
    ],
)
def test_every_kind_of_secret_in_the_file_counts(load: Load, home: Path, text: str) -> None:
    write(home, text, mode=0o644)
    assert "holds secrets" in refusal(load).fact


def test_file_without_secrets_may_be_readable(load: Load, home: Path) -> None:
    write(home, "clusters: {default: {address: grpc://p:1}}", mode=0o644)
    assert load().cluster("default").address == "grpc://p:1"


# --- wrong settings


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


# --- GitHub and the web server

PEM = "-----BEGIN RSA PRIVATE KEY-----\nhidden\n-----END RSA PRIVATE KEY-----\n"


def test_an_app_by_environment(load: Load) -> None:
    github = load(
        PACHOPS_GITHUB_APP_ID="4711",
        PACHOPS_GITHUB_PRIVATE_KEY=PEM.replace("\n", "\\n"),
        PACHOPS_GITHUB_WEBHOOK_SECRETS="current, previous",
        PACHOPS_GITHUB_BASE_URL="https://github.acme.io/",
    ).github
    assert (github.app_id, secret(github.private_key)) == (4711, PEM)
    assert [secret(each) for each in github.webhook_secrets] == ["current", "previous"]
    assert github.base_url == "https://github.acme.io"
    assert (github.word, github.bot_name) == ("/pachops", "pachops")


def test_a_private_key_in_a_file_of_its_own(load: Load, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(PEM)
    github = load(PACHOPS_GITHUB_PRIVATE_KEY_FILE=str(tmp_path / "key.pem")).github
    assert secret(github.private_key) == PEM.rstrip()


def test_a_token_is_also_gits_login(load: Load) -> None:
    settings = load(PACHOPS_GITHUB_TOKEN="hidden", PACHOPS_GITHUB_BASE_URL="https://github.acme.io")
    login = settings.logins()["github.acme.io"]
    assert (login.username, secret(login.password)) == ("x-access-token", "hidden")


def test_the_web_server_listens_on_this_machine_only(load: Load) -> None:
    assert (load().web.host, load().web.port) == ("127.0.0.1", 8080)


def test_the_web_servers_secrets_are_kept_out_of_what_people_see(load: Load) -> None:
    settings = load(
        PACHOPS_WEB_LINK_KEYS="hidden-key-that-is-long-enough, hidden-older-key-long-enough",
        PACHOPS_WEB_METRICS_TOKEN="hidden-token-that-is-long-enough",
        PACHOPS_GITHUB_CLIENT_SECRET="hidden-client-secret",
    )
    assert "hidden" not in repr(settings)
    assert {
        "hidden-key-that-is-long-enough",
        "hidden-older-key-long-enough",
        "hidden-token-that-is-long-enough",
        "hidden-client-secret",
    } <= {secret(each) for each in settings.secrets()}


def test_githubs_secrets_are_kept_out_of_what_people_see(load: Load) -> None:
    settings = load(
        PACHOPS_GITHUB_TOKEN="hidden-token",
        PACHOPS_GITHUB_PRIVATE_KEY=PEM,
        PACHOPS_GITHUB_WEBHOOK_SECRETS="hidden-secret",
    )
    assert "hidden" not in repr(settings)
    assert {"hidden-token", "hidden-secret", PEM} <= {secret(each) for each in settings.secrets()}


@pytest.mark.parametrize(
    "variable",
    [
        {"PACHOPS_GITHUB_APP_ID": "0"},
        {"PACHOPS_GITHUB_PRIVATE_KEY": "hidden"},
        {"PACHOPS_GITHUB_BASE_URL": "github.com"},
        {"PACHOPS_GITHUB_BASE_URL": "https://me:hidden@github.com"},
        {"PACHOPS_GITHUB_WORD": "pachops"},
        {"PACHOPS_GITHUB_WORD": "/two words"},
        {"PACHOPS_WEB_PORT": "70000"},
        {"PACHOPS_WEB_PUBLIC_URL": "pachops.example.com"},
        {"PACHOPS_WEB_LINK_KEYS": "hidden"},
        {"PACHOPS_WEB_LINK_DAYS": "0"},
        {"PACHOPS_WEB_METRICS_TOKEN": "hidden"},
        {"PACHOPS_LOG_FORMAT": "xml"},
    ],
)
def test_wrong_settings_of_the_server_name_their_variable(
    load: Load, variable: dict[str, str]
) -> None:
    reason = refusal(load, **variable)
    assert next(iter(variable)) in f"{reason.where} {reason.fact}"
    assert "hidden" not in reason.fact


def test_a_metrics_token_in_a_file_that_others_can_read_is_refused(load: Load, home: Path) -> None:
    file = write(home, "web: {metrics_token: 24-characters-at-the-least}", mode=0o644)
    assert refusal(load).next_step == f"Run `chmod 600 {file}`."


@pytest.mark.parametrize("line", ["token: x", "private_key: x", "webhook_secrets: [x]"])
def test_githubs_secrets_in_a_file_that_others_can_read_are_refused(
    load: Load, home: Path, line: str
) -> None:
    file = write(home, f"github: {{{line}}}", mode=0o644)
    assert refusal(load).next_step == f"Run `chmod 600 {file}`."


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://github.com", "https://github.com"),
        ("https://api.github.com", "https://github.com"),
        ("https://acme.ghe.com", "https://acme.ghe.com"),
        ("https://api.acme.ghe.com", "https://acme.ghe.com"),
        ("https://GitHub.acme.io:8443/api/v3", "https://github.acme.io:8443"),
    ],
)
def test_git_is_where_people_open_github(given: str, expected: str) -> None:
    assert GitHubSettings(base_url=given).git_url == expected


# --- Slack

BOT, APP = "xoxb-1-a", "xapp-1-b"


def test_slack_by_socket(load: Load) -> None:
    slack = load(
        PACHOPS_SLACK_BOT_TOKEN=BOT,
        PACHOPS_SLACK_APP_TOKEN=APP,
        PACHOPS_SLACK_DEFAULT_CHANNEL="#deployments",
    ).slack
    assert (secret(slack.bot_token), secret(slack.app_token)) == (BOT, APP)
    assert (slack.mode, slack.default_channel) == ("socket", "#deployments")
    assert slack.api_url == "https://slack.com/api/"


def test_slack_by_http_with_two_secrets_in_a_file(load: Load, tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text("new-secret,\nold-secret\n")
    settings = load(
        PACHOPS_SLACK_BOT_TOKEN=BOT,
        PACHOPS_SLACK_MODE="http",
        PACHOPS_SLACK_SIGNING_SECRETS_FILE=str(tmp_path / "secrets"),
        PACHOPS_SLACK_BASE_URL="https://slack-gov.com/api/",
    )
    found = [secret(each) for each in settings.slack.signing_secrets]
    assert found == ["new-secret", "old-secret"]
    assert settings.slack.api_url == "https://slack-gov.com/api/"
    assert {"new-secret", "old-secret", BOT} <= {secret(each) for each in settings.secrets()}


@pytest.mark.parametrize(
    ("given", "where", "fact"),
    [
        ({"APP_TOKEN": APP}, "BOT_TOKEN", "is missing"),
        ({"DEFAULT_CHANNEL": "#ml"}, "BOT_TOKEN", "is missing"),
        ({"BOT_TOKEN": BOT}, "APP_TOKEN", "Socket Mode needs it"),
        ({"BOT_TOKEN": BOT, "MODE": "http"}, "SIGNING_SECRETS", "mode http needs it"),
        ({"BOT_TOKEN": APP, "APP_TOKEN": APP}, "BOT_TOKEN", "begins with xoxb-"),
        ({"BOT_TOKEN": BOT, "APP_TOKEN": BOT}, "APP_TOKEN", "begins with xapp-"),
        (
            {"BOT_TOKEN": BOT, "APP_TOKEN": APP, "SIGNING_SECRETS": "a,b,c"},
            "SIGNING_SECRETS",
            "more than",
        ),
        (
            {"BOT_TOKEN": BOT, "APP_TOKEN": APP, "DEFAULT_CHANNEL": "ml"},
            "DEFAULT_CHANNEL",
            "#name",
        ),
    ],
)
def test_half_of_slack_is_refused(load: Load, given: dict[str, str], where: str, fact: str) -> None:
    reason = refusal(load, **{f"PACHOPS_SLACK_{key}": value for key, value in given.items()})
    assert reason.where == f"PACHOPS_SLACK_{where}"
    assert fact in reason.fact
    assert BOT not in reason.fact


def test_file_with_slacks_token_must_be_private(load: Load, home: Path) -> None:
    write(home, "slack: {bot_token: xoxb-1, app_token: xapp-1}", mode=0o644)
    assert "chmod 600" in refusal(load).next_step
