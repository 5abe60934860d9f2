"""How our own login stands on a GitHub, for who looks whether all is well."""

from functools import partial
from typing import Any

from pydantic import BaseModel, ConfigDict

from bot.services.github.connection import Connection
from bot.services.github.raw import get, get_page
from bot.services.github.threads import PER_PAGE

_MOST_PAGES = 20


class AppView(BaseModel):
    """The App as GitHub has it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    slug: str
    permissions: dict[str, str] = {}
    events: tuple[str, ...] = ()


async def app_view(connection: Connection) -> AppView:
    """The App that we are."""
    return await connection.ask(
        "reading the App", lambda github: AppView.model_validate(get(github, "/app"))
    )


async def installation_permissions(connection: Connection) -> dict[str, dict[str, str]]:
    """What each account that has installed the App has granted."""
    found: dict[str, dict[str, str]] = {}
    for number in range(1, _MOST_PAGES + 1):
        page: list[dict[str, Any]] = await connection.ask(
            "listing installations",
            partial(get, path="/app/installations", per_page=PER_PAGE, page=number),
        )
        for each in page:
            found[str(each["account"]["login"])] = dict(each["permissions"])
        if len(page) < PER_PAGE:
            break
    return found


async def hook_url(connection: Connection) -> str | None:
    """Where the App's webhooks go; None where it has none."""
    found = await connection.find(
        "reading the webhook", lambda github: get(github, "/app/hook/config")
    )
    return str(found.get("url") or "") or None if found else None


async def token_scopes(connection: Connection) -> tuple[str, ...] | None:
    """A classic token's scopes; None for another token."""
    headers = await connection.ask("reading our user", lambda github: get_page(github, "/user")[0])
    text = headers.get("x-oauth-scopes")
    if text is None:
        return None
    return tuple(each.strip() for each in text.split(",") if each.strip())
