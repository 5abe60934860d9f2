from pathlib import Path

import pytest

from bot.domain.reasons import Code, StoppedError
from bot.settings import load_settings
from bot.site import signed_link

UNTIL = 4_000_000_000.0
SHARED = {"PACHOPS_DATABASE_URL": "postgresql://ada@localhost/pachops"}


def link(folder: Path, **more: str) -> str:
    settings = load_settings({"HOME": str(folder), "PACHOPS_DATA_DIR": str(folder)} | more)
    return signed_link(settings, None, until=UNTIL)


def test_a_link_that_no_server_would_take_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoppedError) as stopped:
        link(tmp_path, **SHARED)
    reason = stopped.value.reason
    assert (reason.code, reason.where) == (Code.BAD_SETTINGS, "PACHOPS_WEB_LINK_KEYS")
    assert list(tmp_path.iterdir()) == []


def test_it_is_made_where_the_server_has_its_key(tmp_path: Path) -> None:
    alone = link(tmp_path)
    assert link(tmp_path, **SHARED) == alone


def test_it_is_made_anywhere_with_the_key_in_the_settings(tmp_path: Path) -> None:
    keys = {"PACHOPS_WEB_LINK_KEYS": "a-key-of-all-servers-and-terminals"}
    assert link(tmp_path, **SHARED, **keys) == link(tmp_path / "elsewhere", **SHARED, **keys)
