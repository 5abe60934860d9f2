"""A settings file, and settings that are refused."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.domain.reasons import Code, Reason, StoppedError
from bot.settings import Settings

Load = Callable[..., Settings]


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
