"""What we hand out and must know again: signed, for one purpose, with an end."""

import hashlib
import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import jwt
from pydantic import SecretStr

from bot.domain.reasons import Code, StoppedError

KEY_FILE = "web.keys"
"""In the data folder: a key a line. The first signs, all are good."""
_ALGORITHM = "HS256"
_KEY_BYTES = 48


class Purpose(StrEnum):
    """What a seal is for; one for another purpose is no seal."""

    LINK = "link"
    """Leads to a page."""
    VIEW = "view"
    """The browser came by a link."""
    LOGIN = "login"
    """Somebody is on the way to GitHub and back."""
    SESSION = "session"
    """Somebody has logged in."""


class Seals:
    """Signs and checks. The same claims have the same seal, however often they are signed."""

    def __init__(
        self, keys: Sequence[SecretStr], *, clock: Callable[[], float] = time.time
    ) -> None:
        if not keys:
            raise ValueError("without a key nothing can be signed")
        self._keys = [
            hashlib.sha256(b"pachops web\0" + key.get_secret_value().encode()).digest()
            for key in keys
        ]
        self._clock = clock

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock()

    def sign(self, purpose: Purpose, claims: Mapping[str, object], *, until: float) -> str:
        """A seal that is good until then, in seconds since the epoch."""
        body = {**claims, "aud": purpose.value, "exp": int(until)}
        return jwt.encode(body, self._keys[0], algorithm=_ALGORITHM)

    def read(self, purpose: Purpose, seal: str) -> Mapping[str, Any] | None:
        """Its claims; None where it is forged, too old or for something else."""
        for key in self._keys:
            try:
                claims: dict[str, Any] = jwt.decode(
                    seal,
                    key,
                    algorithms=[_ALGORITHM],
                    audience=purpose.value,
                    # By our own clock, below.
                    options={"require": ["exp", "aud"], "verify_exp": False},
                )
            except (jwt.InvalidTokenError, ValueError):
                continue
            return claims if claims["exp"] > self._clock() else None
        return None


def has_keys(folder: Path) -> bool:
    """Whether keys were made in this data folder."""
    return (folder / KEY_FILE).exists()


def load_keys(given: Sequence[SecretStr], folder: Path) -> tuple[SecretStr, ...]:
    """The settings' keys, or those of the data folder, made where there are none.

    Raises:
        StoppedError: DATA_DIR_UNUSABLE.
    """
    if given:
        return tuple(given)
    file = folder / KEY_FILE
    try:
        return _read(file) or _make(file)
    except OSError as error:
        raise StoppedError(
            Code.DATA_DIR_UNUSABLE, error.strerror or str(error), where=str(file)
        ) from error


def _read(file: Path) -> tuple[SecretStr, ...]:
    if not file.exists():
        return ()
    lines = file.read_text(encoding="utf-8").split()
    return tuple(SecretStr(line) for line in lines)


def _make(file: Path) -> tuple[SecretStr, ...]:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = secrets.token_urlsafe(_KEY_BYTES)
    new = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(f"{key}\n")
    try:
        # Whoever is first, of two that start at once, has made the key for both.
        os.link(new, file)
    except FileExistsError:
        return _read(file)
    finally:
        new.unlink()
    return (SecretStr(key),)
