"""A webhook of ours, and what GitHub remembers of its deliveries."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from github import Github
from pydantic import AwareDatetime, BaseModel, ConfigDict
from requests.utils import parse_header_links

from bot.services.github.connection import Connection, Work
from bot.services.github.raw import get_page, post
from bot.services.github.threads import PER_PAGE

LOG = logging.getLogger(__name__)

MOST_PAGES = 100


class FailedDelivery(BaseModel):
    """An attempt to deliver a webhook; of those that are returned none arrived."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    """Of this attempt."""
    guid: str
    """What X-GitHub-Delivery says, in every attempt."""
    event: str
    action: str | None
    delivered_at: AwareDatetime
    status_code: int
    """What we answered; 0 where we did not."""
    redelivery: bool = False
    """Whether it was asked for."""
    began_at: AwareDatetime | None = None
    """When its first attempt was; None where that was before the time that was asked about."""

    @property
    def has_arrived(self) -> bool:
        """Whether we took it."""
        return 200 <= self.status_code < 300


@dataclass(frozen=True)
class Hook:
    """The App's webhook, or one of a repository. Errors, from every method: those of GitHub."""

    connection: Connection
    path: str
    """In the API."""
    place: str
    """Whose it is, for people."""

    async def failed_deliveries(self, since: datetime) -> tuple[FailedDelivery, ...]:
        """Those since then of which no attempt arrived, oldest first."""
        return _never_arrived(await self._attempts(since))

    async def redeliver(self, delivery: int) -> None:
        """Ask for one more attempt; a second one is harmless, for its guid is the same."""
        path = f"{self.path}/deliveries/{delivery}/attempts"
        call = f"asking for a webhook of {self.place} again"
        await self.connection.ask(call, lambda github: post(github, path))

    async def _attempts(self, since: datetime) -> list[FailedDelivery]:
        """Every attempt since then, newest first."""
        attempts: list[FailedDelivery] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page, cursor = await self.connection.ask(
                f"listing the webhooks of {self.place}", _page_from(self.path, cursor)
            )
            attempts += [each for each in page if each.delivered_at >= since]
            if cursor is None or not page or page[-1].delivered_at < since:
                break
        else:
            LOG.warning("of the webhooks of %s only the latest are looked at", self.place)
        return attempts


def _never_arrived(attempts: Sequence[FailedDelivery]) -> tuple[FailedDelivery, ...]:
    """The last attempt of each webhook that no attempt brought, oldest first."""
    arrived = {each.guid for each in attempts if each.has_arrived}
    began = {each.guid: each.delivered_at for each in attempts if not each.redelivery}
    last: dict[str, FailedDelivery] = {}
    for each in attempts:
        last.setdefault(each.guid, each)
    failed = (
        each.model_copy(update={"began_at": began.get(each.guid)})
        for each in last.values()
        if each.guid not in arrived
    )
    return tuple(sorted(failed, key=lambda each: each.delivered_at))


def _page_from(path: str, cursor: str | None) -> Work[tuple[list[FailedDelivery], str | None]]:
    parameters: dict[str, object] = {"cursor": cursor} if cursor else {}

    def page(github: Github) -> tuple[list[FailedDelivery], str | None]:
        headers, found = get_page(github, f"{path}/deliveries", per_page=PER_PAGE, **parameters)
        return [FailedDelivery.model_validate(each) for each in found], _next(headers)

    return page


def _next(headers: dict[str, Any]) -> str | None:
    links = parse_header_links(headers.get("link", ""))
    following = next((each["url"] for each in links if each.get("rel") == "next"), "")
    cursors = parse_qs(urlsplit(following).query).get("cursor", [])
    return cursors[0] if cursors else None
