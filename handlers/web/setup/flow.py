"""From nothing to an App, one step at a time: proven, wished for, sent, made, kept."""

import asyncio
import hmac
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from bot.services.github import AppWish, NewApp

LIFE_SECONDS = 3600.0
"""Of a state: as long as GitHub's own code is good."""
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without what looks alike."""
_GROUPS, _GROUP = 4, 4


class Entry(Enum):
    """What a code was that somebody entered and that did not help."""

    WRONG = "wrong"
    USED = "used"


@dataclass(frozen=True)
class Form:
    """What a browser posts to GitHub."""

    address: str
    manifest: str
    wish: AppWish


@dataclass(frozen=True)
class Made:
    """The App, and the file that its keys are in."""

    app: NewApp
    wish: AppWish
    settings_address: str
    """Where its owner sees to it."""
    file: Path | None = None
    """None as long as they could not be written."""


@dataclass(frozen=True)
class _Sent:
    state: str
    wish: AppWish
    until: float


class WrongStateError(Exception):
    """An answer of GitHub that nobody waits for."""


class Setup:
    """One set-up. The code lets one browser in; a state lets one answer of GitHub in.

    Args:
        base_url: the GitHub that people open.
        fetch: the App for GitHub's code.
        keep: writes the App down; the file.
        now: seconds, that only grow.
    """

    def __init__(
        self,
        base_url: str,
        fetch: Callable[[str], Awaitable[NewApp]],
        keep: Callable[[NewApp], Path],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.base_url = base_url
        self.code = _new_code()
        """For the terminal, and nothing else."""
        self.made: Made | None = None
        self.kept = asyncio.Event()
        """The App is written down."""
        self._fetch = fetch
        self._keep = keep
        self._now = now
        self._session: str | None = None
        self._sent: _Sent | None = None

    def enter(self, code: str) -> str | Entry:
        """The session of whoever knows the code; it is good once."""
        if not _same(_letters(code), _letters(self.code)):
            return Entry.WRONG
        if self._session is not None:
            return Entry.USED
        self._session = secrets.token_urlsafe(32)
        return self._session

    def knows(self, session: str | None) -> bool:
        """Whether this is the session that the code has opened."""
        return self._session is not None and _same(session or "", self._session)

    def send(self, wish: AppWish, back: str) -> Form:
        """What is posted to GitHub, which sends the person to `back`. Only the last one counts."""
        state = secrets.token_urlsafe(32)
        self._sent = _Sent(state, wish, self._now() + LIFE_SECONDS)
        address = wish.form_address(self.base_url, state)
        return Form(address, json.dumps(wish.manifest(back)), wish)

    async def take(self, state: str, code: str) -> None:
        """Take GitHub's answer.

        Errors: WrongStateError; those of GitHub, after which there is an App without keys; those
        of keeping it, after which `keep_again` may be tried.
        """
        sent = self._sent
        if sent is None or not _same(state, sent.state):
            raise WrongStateError
        # Before anything is waited for: a second answer with it comes too late.
        self._sent = None
        if self._now() > sent.until or self.made is not None:
            raise WrongStateError
        app = await self._fetch(code)
        self.made = Made(app, sent.wish, sent.wish.settings_address(self.base_url, app.slug))
        self.keep_again()

    def keep_again(self) -> None:
        """Write down an App that could not be. Errors: those of keeping it."""
        if self.made is not None and self.made.file is None:
            self.made = replace(self.made, file=self._keep(self.made.app))
            self.kept.set()


def _new_code() -> str:
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def _letters(code: str) -> str:
    return "".join(each for each in code.upper() if each.isalnum())


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), known.encode())
