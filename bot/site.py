"""The pages, put together from the settings."""

import asyncio
from collections.abc import Callable

from bot.domain.reasons import Code, StoppedError
from bot.services.github import SignIn
from bot.settings import Settings
from bot.store.database import Database
from handlers.web.access import EVERYTHING, Links, Readers
from handlers.web.seal import Seals, has_keys, load_keys
from handlers.web.site import Site


def open_site(
    settings: Settings, database: Database, stopping: asyncio.Event, readers: Readers
) -> Site:
    """The pages. Errors: DATA_DIR_UNUSABLE where the keys cannot be kept."""
    seals, links = _seals(settings)
    return Site(
        database,
        seals,
        links,
        stopping,
        sign_in=_sign_in(settings),
        readers=readers,
        github_url=settings.github.git_url,
    )


def report_link(settings: Settings) -> Callable[[str], str | None]:
    """The address of a deployment's page for reports; without a public one, none is told."""
    if settings.web.public_url is None:
        return lambda _deployment: None
    _, links = _seals(settings)
    return links.report


def signed_link(settings: Settings, deployment: str | None, *, until: float) -> str:
    """A link that is good until then, in seconds since the epoch; to all pages without an id.

    Errors: BAD_SETTINGS where no `serve` would take it; DATA_DIR_UNUSABLE.
    """
    is_shared = not settings.database_url.startswith("sqlite")
    if is_shared and not settings.web.link_keys and not has_keys(settings.data_dir):
        raise StoppedError(
            Code.BAD_SETTINGS,
            "the key that `pachops serve` signs with is not here",
            where="PACHOPS_WEB_LINK_KEYS",
            next_step="Set the same key for both, or make the link on the machine of `serve`, "
            "as its user.",
        )
    _, links = _seals(settings)
    return links.signed(deployment or EVERYTHING, until=until)


def _seals(settings: Settings) -> tuple[Seals, Links]:
    place = settings.web
    seals = Seals(load_keys(place.link_keys, settings.data_dir))
    base = place.public_url or f"http://{place.host}:{place.port}"
    return seals, Links(seals, base, days=place.link_days, login=_sign_in(settings) is not None)


def _sign_in(settings: Settings) -> SignIn | None:
    github = settings.github
    if github.client_id is None and github.client_secret is None:
        return None
    if github.client_id is None or github.client_secret is None:
        missing = "SECRET" if github.client_secret is None else "ID"
        raise StoppedError(
            Code.BAD_SETTINGS,
            "a login needs both the App's client id and its client secret",
            where=f"PACHOPS_GITHUB_CLIENT_{missing}",
        )
    if settings.web.public_url is None:
        # GitHub sends people back only to where it was told that the bot is.
        return None
    return SignIn(github.git_url, github.client_id, github.client_secret)
