"""Where people and webhooks reach the bot."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from bot.doctor.finding import Check, fault, good, note, warning
from bot.domain.finding import Finding
from bot.services.reach import fetch
from bot.settings import Settings

_WHAT = "public address"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def checks(settings: Settings) -> Sequence[Check]:
    """Those of this file."""

    async def look() -> Sequence[Finding]:
        return await look_at(settings)

    return [Check(_WHAT, look)]


async def look_at(settings: Settings) -> Sequence[Finding]:
    """Whether it is set, leads here, and is safe."""
    url = settings.web.public_url
    if url is None:
        step = "Set PACHOPS_WEB_PUBLIC_URL to the https:// address that people reach it at."
        return [note(_WHAT, "it is not set: reports have no link to the log", step)]
    found: list[Finding] = []
    if urlsplit(url).scheme != "https" and urlsplit(url).hostname not in _LOOPBACK:
        step = "Put a proxy with TLS in front, and set PACHOPS_WEB_PUBLIC_URL to https://..."
        found.append(warning(_WHAT, f"{url} is without TLS: links can be read on their way", step))
    if settings.github.client_id is None or settings.github.client_secret is None:
        step = "Set PACHOPS_GITHUB_CLIENT_ID and PACHOPS_GITHUB_CLIENT_SECRET for a login instead."
        fact = "the links in reports open the page for whoever has them"
        found.append(note(_WHAT, fact, step))
    if not settings.web.link_keys and not settings.database_url.startswith("sqlite"):
        step = "Where several share the database or the folder may go, set PACHOPS_WEB_LINK_KEYS."
        fact = "links are signed with a key that is in this data folder alone"
        found.append(note(_WHAT, fact, step))
    answer = await fetch(f"{url}/healthz")
    if answer.status != 200 or answer.text.strip() != "ok":
        step = "Start `pachops serve`, and let the proxy send this address to it."
        found.append(fault(_WHAT, f"{url}/healthz answers {answer.status}", step))
    else:
        found.append(good(_WHAT, f"{url} leads to pachops"))
    return found
