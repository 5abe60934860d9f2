"""A repository's own webhooks, of which one is ours where we have a token and no App."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from bot.services.github.connection import HIDDEN
from bot.services.github.deliveries import Hook
from bot.services.github.new_app import WEBHOOK_PATH
from bot.services.github.place import Place
from bot.services.github.raw import get
from bot.services.github.threads import PER_PAGE


class NoHook(StrEnum):
    """Why there is no webhook that is known to be ours."""

    HIDDEN = "the token may not see its webhooks"
    MISSING = "it has no webhook that comes here"
    SEVERAL = "it has several webhooks that may be ours"

    @property
    def next_step(self) -> str:
        """What whoever runs the bot can do about it."""
        return _STEPS[self]


_STEPS = {
    NoHook.HIDDEN: "Give the token webhooks: read and write (a classic one: repo, or "
    "admin:repo_hook), and its user admin of the repository.",
    NoHook.MISSING: f"Add one to https://HOST{WEBHOOK_PATH} in the repository's settings, HOST as in "
    "PACHOPS_WEB_PUBLIC_URL; an organisation's webhook is not looked at.",
    NoHook.SEVERAL: "Set PACHOPS_WEB_PUBLIC_URL to the https://HOST that ours goes to.",
}


@dataclass(frozen=True)
class _Listed:
    id: int
    url: str


class Hooks(Place):
    """Which of a repository's webhooks is ours."""

    async def our_hook(self, address: str | None) -> Hook | NoHook:
        """The one that goes to `address`; where that is None, the only one that ends as ours does."""
        found = await self._find(
            "listing webhooks",
            lambda github: _listed(get(github, f"{self._path}/hooks", per_page=PER_PAGE)),
            none_for=HIDDEN,
        )
        if found is None:
            return NoHook.HIDDEN
        ours = _ours(found, address)
        if len(ours) != 1:
            return NoHook.SEVERAL if ours else NoHook.MISSING
        path = f"{self._path}/hooks/{ours[0].id}"
        return Hook(await self._connection(), path, self.full_name)


def _listed(found: Sequence[Any]) -> list[_Listed]:
    """Those that deliver anything."""
    return [
        _Listed(int(each["id"]), str(each.get("config", {}).get("url") or ""))
        for each in found
        if each.get("active", True)
    ]


def _ours(found: Sequence[_Listed], address: str | None) -> Sequence[_Listed]:
    if address is None:
        return [each for each in found if urlsplit(each.url).path.endswith(WEBHOOK_PATH)]
    return [each for each in found if each.url.rstrip("/").casefold() == address.casefold()]
