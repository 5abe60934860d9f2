"""The file that `pachops setup github` keeps an App in, and that the settings read by themselves."""

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from bot.domain.reasons import Code, StoppedError
from bot.positions import Document, read_yaml

FILE = "github-app.json"
"""Its name in the data folder."""
IDENTITY = ("app_id", "private_key", "private_key_file", "token", "token_file")
"""Where one of these is set, the bot's login is somebody's own choice: the file's is left alone."""


def app_file(data_dir: Path) -> Path:
    """Where the App is kept."""
    return data_dir / FILE


def read_app(data_dir: Path) -> tuple[Document, int] | None:
    """What is kept, and the file's mode; None where nothing is. BAD_SETTINGS: it is unreadable."""
    file = app_file(data_dir)
    try:
        text, mode = file.read_bytes(), file.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        fact = f"the GitHub App's file cannot be read: {error.strerror}"
        raise StoppedError(Code.BAD_SETTINGS, fact, where=str(file)) from None
    return read_yaml(text, file=str(file), code=Code.BAD_SETTINGS), mode


def check_free(data_dir: Path) -> None:
    """See that an App could be kept. Errors: GITHUB_IS_SET_UP, DATA_DIR_UNUSABLE."""
    file = app_file(data_dir)
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if file.exists() or file.is_symlink():
            raise _taken(file)
        with tempfile.TemporaryFile(dir=data_dir):
            pass
    except OSError as error:
        raise _unusable(data_dir, error) from error


def keep_app(data_dir: Path, values: Mapping[str, object]) -> Path:
    """Write an App down, whole or not at all; the file, which only its owner can read.

    Args:
        data_dir: the bot's folder.
        values: those of `github` in the settings, SecretStr where they are secret.

    Errors: GITHUB_IS_SET_UP where there is one already, DATA_DIR_UNUSABLE.
    """
    file = app_file(data_dir)
    text = json.dumps({"github": dict(values)}, indent=2, default=_reveal) + "\n"
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Made with 0600, before anything is in it.
        handle, name = tempfile.mkstemp(prefix=f".{FILE}.", dir=data_dir)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
            # A rename would replace what another has kept meanwhile; a link does not.
            os.link(name, file)
        finally:
            Path(name).unlink()
        _sync(data_dir)
    except FileExistsError:
        raise _taken(file) from None
    except OSError as error:
        raise _unusable(data_dir, error) from error
    return file


def _reveal(value: object) -> object:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    raise TypeError


def _sync(folder: Path) -> None:
    """Keep the name on disk too, where the file system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _taken(file: Path) -> StoppedError:
    return StoppedError(
        Code.GITHUB_IS_SET_UP, "a GitHub App is kept there, and is not replaced", where=str(file)
    )


def _unusable(folder: Path, error: OSError) -> StoppedError:
    return StoppedError(Code.DATA_DIR_UNUSABLE, error.strerror or str(error), where=str(folder))
