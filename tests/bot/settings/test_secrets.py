"""Secrets in the settings stay secret."""

from pathlib import Path

import pytest

from bot.domain.reasons import StoppedError
from tests.bot.settings.loading import Load, refusal, secret, write

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
