"""Keeps the settings' secrets, and logins in URLs, out of everything that is shown or stored."""

import base64
import json
import logging
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import quote, quote_plus

from pydantic import SecretStr

MASK = "***"
_LEAST_SECRET = 4
"""Shorter ones would mask half of every text; a real secret is longer."""
_LEAST_LINE = 8
"""A line of a longer secret, such as a key file, is masked by itself from this length on."""
_LEAST_ENCODED = 6
_SCHEME = r"[a-z][a-z0-9+.-]{0,20}://"
# A password may have a slash in it; a port is none, and an SSH user by itself is no secret.
_WITH_COLON = r"[^\s/:@\[]{0,500}:(?!\d+(?:[/\s?#,;'\")\]]|$))[^\s\"<>`]{0,2000}"
_LOGIN = re.compile(
    rf"{_SCHEME}(?P<both>{_WITH_COLON})(?=@)|https?://(?P<one>[^\s/?#,;'()\]]{{1,2000}})(?=@)",
    re.IGNORECASE,
)


class Redactor:
    """Masks secrets wherever they occur, also as base64, in URLs and JSON, and as a shell quotes them.

    The user and the password of a URL are masked too where nobody knew them as secrets.
    """

    def __init__(self, secrets: Iterable[SecretStr]) -> None:
        self._lasting = frozenset(
            form for secret in secrets for form in _forms(secret.get_secret_value())
        )
        self._passing: dict[frozenset[str], float] = {}
        self._forms = self._lasting

    def __repr__(self) -> str:
        return "Redactor()"

    def learn(self, secret: SecretStr, until: float) -> None:
        """Mask a secret that came while the bot ran, such as a token that GitHub gave.

        `until`, in seconds since the epoch, is when it is good for nothing any more.
        """
        now = time.time()
        self._passing = {forms: end for forms, end in self._passing.items() if end > now}
        self._passing[frozenset(_forms(secret.get_secret_value()))] = until
        self._forms = self._lasting.union(*self._passing)

    def clean(self, text: str) -> str:
        """`text` with every occurrence of a secret, and of a login in a URL, replaced by `***`."""
        # Almost every line has none, and `in` is many times faster than an expression.
        present = [form for form in self._forms if form in text]
        spans = sorted([*(span for form in present for span in _spans(form, text)), *_logins(text)])
        parts = []
        shown_to = 0
        for start, end in spans:
            if start >= shown_to:
                parts += [text[shown_to:start], MASK]
            shown_to = max(shown_to, end)
        return "".join(parts) + text[shown_to:]


@contextmanager
def logs_cleaned(redactor: Redactor) -> Iterator[None]:
    """Meanwhile no line of the log shows a secret, whoever wrote it."""
    handlers = list(logging.getLogger().handlers)
    before = [handler.formatter for handler in handlers]
    for handler in handlers:
        handler.setFormatter(_CleanFormatter(handler.formatter or logging.Formatter(), redactor))
    try:
        yield
    finally:
        for handler, formatter in zip(handlers, before, strict=True):
            handler.setFormatter(formatter)


class _CleanFormatter(logging.Formatter):
    def __init__(self, inner: logging.Formatter, redactor: Redactor) -> None:
        super().__init__()
        self._inner = inner
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.clean(self._inner.format(record))


def _spans(form: str, text: str) -> Iterator[tuple[int, int]]:
    """Every place of a form in the text, also where two overlap."""
    start = text.find(form)
    while start >= 0:
        yield start, start + len(form)
        start = text.find(form, start + 1)


def _logins(text: str) -> Iterator[tuple[int, int]]:
    """Where a URL has a user and a password, or a token in their place."""
    if "@" not in text or "://" not in text:
        return
    for found in _LOGIN.finditer(text):
        yield found.span(found.lastgroup or 0)


def _forms(secret: str) -> Iterable[str]:
    """Every way in which a secret may appear."""
    lines = [line.strip() for line in secret.splitlines()]
    wholes = {secret, secret.strip(), *(line for line in lines if len(line) >= _LEAST_LINE)}
    for whole in wholes:
        if len(whole) < _LEAST_SECRET:
            continue
        yield whole
        yield _in_shell(whole)
        yield from _in_json(whole)
        yield from _in_urls(whole)
        yield from (form for form in _in_base64(whole) if len(form) >= _LEAST_ENCODED)


def _in_shell(secret: str) -> str:
    """As `shlex` quotes it, within a longer word too."""
    return secret.replace("'", "'\"'\"'")


def _in_json(secret: str) -> Iterable[str]:
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]


def _in_urls(secret: str) -> Iterable[str]:
    for form in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield form
        yield re.sub("%[0-9A-F]{2}", lambda escape: escape[0].lower(), form)


def _in_base64(secret: str) -> Iterable[str]:
    """The part of the encoding that is the same whatever stands before and after the secret."""
    content = secret.encode()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + content).decode()
        first = -(-before * 8 // 6)
        last = (before + len(content)) * 8 // 6
        yield encoded[first:last]
        yield encoded[first:last].translate(str.maketrans("+/", "-_"))
