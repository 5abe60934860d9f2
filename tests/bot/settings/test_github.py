"""Settings of GitHub and of the web server."""

from pathlib import Path

import pytest

from bot.settings import GitHubSettings
from tests.bot.settings.loading import Load, refusal, secret, write

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
