"""The App's webhooks as GitHub remembers them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from github import Github
from pydantic import AwareDatetime, BaseModel, ConfigDict
from requests.utils import parse_header_links

from bot.services.github.connection import Connection, Work
from bot.services.github.raw import get_page
from bot.services.github.threads import PER_PAGE

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

    @property
    def has_arrived(self) -> bool:
        """Whether we took it."""
        return 200 <= self.status_code < 300


async def list_attempts(connection: Connection, since: datetime) -> list[FailedDelivery]:
    """Every attempt since then, newest first."""
    attempts: list[FailedDelivery] = []
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page, cursor = await connection.ask("listing webhooks", _page_from(cursor))
        attempts += [each for each in page if each.delivered_at >= since]
        if cursor is None or not page or page[-1].delivered_at < since:
            break
    return attempts


def never_arrived(attempts: Sequence[FailedDelivery]) -> tuple[FailedDelivery, ...]:
    """The last attempt of each webhook that no attempt brought, oldest first."""
    arrived = {each.guid for each in attempts if each.has_arrived}
    last: dict[str, FailedDelivery] = {}
    for each in attempts:
        last.setdefault(each.guid, each)
    failed = (each for each in last.values() if each.guid not in arrived)
    return tuple(sorted(failed, key=lambda each: each.delivered_at))


def _page_from(cursor: str | None) -> Work[tuple[list[FailedDelivery], str | None]]:
    parameters: dict[str, object] = {"cursor": cursor} if cursor else {}

    def page(github: Github) -> tuple[list[FailedDelivery], str | None]:
        headers, found = get_page(github, "/app/hook/deliveries", per_page=PER_PAGE, **parameters)
        return [FailedDelivery.model_validate(each) for each in found], _next(headers)

    return page


def _next(headers: dict[str, Any]) -> str | None:
    links = parse_header_links(headers.get("link", ""))
    following = next((each["url"] for each in links if each.get("rel") == "next"), "")
    cursors = parse_qs(urlsplit(following).query).get("cursor", [])
    return cursors[0] if cursors else None
