"""Settings of Slack."""

from pathlib import Path

import pytest

from tests.bot.settings.loading import Load, refusal, secret, write

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
