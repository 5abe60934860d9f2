"""The file that the set-up keeps an App in, and how the settings read it."""

import os
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.domain.reasons import Code, StoppedError
from bot.settings import Settings, app_file, check_free, keep_app, load_settings

PEM = "-----BEGIN RSA PRIVATE KEY-----\nhidden\n-----END RSA PRIVATE KEY-----\n"
APP = {
    "base_url": "https://github.acme.io",
    "app_id": 4711,
    "private_key": SecretStr(PEM),
    "webhook_secrets": [SecretStr("hidden-hook")],
    "client_id": "Iv1.x",
    "client_secret": SecretStr("hidden-client"),
}


def load(folder: Path, **variables: str) -> Settings:
    return load_settings(
        {"HOME": str(folder), "PACHOPS_DATA_DIR": str(folder / "data")} | variables
    )


def revealed(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def test_what_is_kept_is_read_by_itself(tmp_path: Path) -> None:
    keep_app(tmp_path / "data", APP)
    github = load(tmp_path).github
    assert (github.app_id, revealed(github.private_key)) == (4711, PEM)
    assert [revealed(each) for each in github.webhook_secrets] == ["hidden-hook"]
    assert (github.client_id, revealed(github.client_secret)) == ("Iv1.x", "hidden-client")
    assert github.base_url == "https://github.acme.io"
    assert github.has_login


def test_it_is_found_in_the_usual_folder_too(tmp_path: Path) -> None:
    keep_app(tmp_path / ".local" / "share" / "pachops", APP)
    assert load_settings({"HOME": str(tmp_path)}).github.app_id == 4711


def test_it_is_found_in_the_folder_that_the_settings_file_names(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("data_dir: ~/elsewhere\n")
    keep_app(tmp_path / "elsewhere", APP)
    given = {"HOME": str(tmp_path), "PACHOPS_SETTINGS_FILE": str(file)}
    assert load_settings(given).github.app_id == 4711


def test_none_of_its_secrets_is_shown(tmp_path: Path) -> None:
    keep_app(tmp_path / "data", APP)
    settings = load(tmp_path)
    assert "hidden" not in repr(settings)
    assert {PEM, "hidden-hook", "hidden-client"} <= {revealed(each) for each in settings.secrets()}


def test_only_its_owner_can_read_it_from_the_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = []
    write = os.fdopen

    def seen(handle: int, *rest: object, **more: object) -> object:
        modes.append(stat.S_IMODE(os.fstat(handle).st_mode))
        return write(handle, *rest, **more)  # type: ignore[call-overload] # passed on

    monkeypatch.setattr("bot.settings.github_app.os.fdopen", seen)
    before = os.umask(0)
    try:
        file = keep_app(tmp_path / "data", APP)
    finally:
        os.umask(before)
    assert modes == [0o600]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_another_app_is_never_replaced(tmp_path: Path) -> None:
    file = keep_app(tmp_path, APP)
    before = file.read_bytes()
    with pytest.raises(StoppedError) as stopped:
        keep_app(tmp_path, APP | {"app_id": 1})
    assert stopped.value.reason.code is Code.GITHUB_IS_SET_UP
    assert stopped.value.reason.where == str(file)
    assert file.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == [file.name]


def test_a_link_that_leads_nowhere_is_not_followed(tmp_path: Path) -> None:
    app_file(tmp_path).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoppedError):
        check_free(tmp_path)
    with pytest.raises(StoppedError):
        keep_app(tmp_path, APP)
    assert not (tmp_path / "elsewhere").exists()


def test_a_write_that_breaks_off_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bot.settings.github_app.os.fsync", fail)
    with pytest.raises(StoppedError, match="No space left") as stopped:
        keep_app(tmp_path, APP)
    assert stopped.value.reason.code is Code.DATA_DIR_UNUSABLE
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_is_said_before_anything_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for check in (check_free, lambda folder: keep_app(folder, APP)):
        with pytest.raises(StoppedError) as stopped:
            check(tmp_path / "file" / "data")
        assert stopped.value.reason.code is Code.DATA_DIR_UNUSABLE


@pytest.mark.parametrize(
    "variable",
    [
        {"PACHOPS_GITHUB_TOKEN": "a-token"},
        {"PACHOPS_GITHUB_APP_ID": "1"},
        {"PACHOPS_GITHUB_PRIVATE_KEY": PEM},
    ],
)
def test_another_login_is_never_mixed_with_it(tmp_path: Path, variable: dict[str, str]) -> None:
    keep_app(tmp_path / "data", APP)
    github = load(tmp_path, **variable).github
    assert github.app_id != 4711
    assert "hidden-hook" not in {revealed(each) for each in github.webhook_secrets}


def test_what_the_operator_sets_goes_before_it(tmp_path: Path) -> None:
    keep_app(tmp_path / "data", APP)
    github = load(
        tmp_path, PACHOPS_GITHUB_WEBHOOK_SECRETS="new,hidden-hook", PACHOPS_GITHUB_WORD="/deploy"
    ).github
    assert [revealed(each) for each in github.webhook_secrets] == ["new", "hidden-hook"]
    assert (github.app_id, github.word) == (4711, "/deploy")


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = keep_app(tmp_path / "data", APP)
    file.chmod(0o644)
    with pytest.raises(StoppedError) as stopped:
        load(tmp_path)
    assert stopped.value.reason.next_step == f"Run `chmod 600 {file}`."


@pytest.mark.parametrize("text", ["", "[]", "{", '{"github": 1}', '{"github": {"app_id": "x"}}'])
def test_a_file_that_is_none_of_ours_is_named(tmp_path: Path, text: str) -> None:
    file = keep_app(tmp_path / "data", APP)
    file.write_text(text)
    with pytest.raises(StoppedError) as stopped:
        load(tmp_path)
    assert stopped.value.reason.code is Code.BAD_SETTINGS
    assert str(file) in f"{stopped.value.reason.where} {stopped.value.reason.fact}"
