"""Everything that people open in a browser, put together."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from bot.domain.github import Permission
from bot.services.github import SignIn
from bot.store.database import Database
from handlers.web.access import Access, Links
from handlers.web.headers import add_headers, explained
from handlers.web.live import LOOK_SECONDS, Live
from handlers.web.login import Login
from handlers.web.pages import Pages, Stores
from handlers.web.rendering import add_rendering
from handlers.web.seal import Seals


@dataclass(frozen=True)
class Site:
    """What the pages are made with."""

    database: Database
    seals: Seals
    links: Links
    stopping: asyncio.Event
    """Set when the bot stops: nobody is kept waiting for what will not come."""
    sign_in: SignIn | None = None
    """None where people cannot log in."""
    readers: Callable[[str, str, str], Awaitable[Permission]] | None = None
    """Owner, name and login: what the person may do there."""
    github_url: str | None = None
    look_seconds: float = LOOK_SECONDS

    def add_to(self, app: web.Application) -> None:
        """Add the pages to an application, and what every answer of it says to browsers."""
        app.middlewares.append(explained)
        app.on_response_prepare.append(add_headers)
        add_rendering(app, self.links, has_login=self.sign_in is not None)
        host = self.sign_in.host if self.sign_in else None
        access = Access(self.seals, github=host, readers=self.readers)
        stores = Stores.of(self.database)
        pages = Pages(stores, access, self.links, self.seals, github_url=self.github_url)
        pages.add_to(app.router)
        Live(pages, stores, self.stopping, look_seconds=self.look_seconds).add_to(app.router)
        if self.sign_in:
            Login(self.sign_in, self.seals, self.links).add_to(app.router)
