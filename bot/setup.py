"""`pachops setup github`, and what `pachops serve` does as long as it has no login on GitHub."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

from aiohttp import web

from bot.domain.reasons import Code, StoppedError
from bot.listening import listen
from bot.services.github import AppWish, NewApp, api_url, app_from_manifest
from bot.settings import Settings, app_file, check_free, keep_app
from handlers.web.setup import words
from handlers.web.setup.flow import Setup
from handlers.web.setup.form import address_problem
from handlers.web.setup.pages import SetupPages

HOST = "127.0.0.1"
PORT = 8765
"""Where the page is at the command line; the same each time, for a tunnel."""
LONGEST_SETUP = 3600.0
"""Seconds that the command waits for a person."""
LINGER_SECONDS = 10.0
"""How long the last page is waited for, after everything is done."""
SHUTDOWN_SECONDS = 5.0

Say = Callable[[str], None]
"""Writes a line on the terminal."""


def check_possible(settings: Settings, wish: AppWish) -> None:
    """See that a new App would be kept and used. Errors: BAD_SETTINGS, GITHUB_IS_SET_UP, ..."""
    if wish.address and (problem := address_problem(wish.address, settings.github.base_url)):
        raise StoppedError(Code.BAD_COMMAND, problem, where="--url")
    if settings.github.has_login and not app_file(settings.data_dir).exists():
        raise StoppedError(
            Code.GITHUB_IS_SET_UP,
            "the settings name an App or a token, which would go before a new App",
            where="PACHOPS_GITHUB_APP_ID, PACHOPS_GITHUB_PRIVATE_KEY, PACHOPS_GITHUB_TOKEN",
        )
    check_free(settings.data_dir)


async def set_up(settings: Settings, wish: AppWish, say: Say, *, port: int = PORT) -> None:
    """Make the App with a person at a browser; all is kept when this returns.

    Errors: those of `check_possible`; CANCELLED where nobody finishes it within the hour.
    """
    check_possible(settings, wish)
    setup = _setup(settings)
    pages = SetupPages(setup, wish, goes_on=False)
    async with _served(pages, HOST, port, "--port") as at:
        # GitHub sends the person back to the name that the browser knows the page by.
        for line in words.opening(f"http://localhost:{at}{words.PAGE}", setup.code):
            say(line)
        for line in words.tunnel(at):
            say(line)
        await _finished(setup, pages, LONGEST_SETUP)
    _close(setup, say, goes_on=False)


async def wait_for_setup(settings: Settings, stop: asyncio.Event, say: Say) -> bool:
    """Serve the page until there is an App; False where `stop` is set before."""
    check_free(settings.data_dir)
    setup = _setup(settings)
    pages = SetupPages(setup, AppWish(new_name(None), None), goes_on=True)
    place = settings.web
    async with _served(pages, place.host, place.port, "PACHOPS_WEB_PORT") as at:
        say(words.not_set_up())
        for line in words.opening(f"http://{_shown(place.host)}:{at}{words.PAGE}", setup.code):
            say(line)
        finishing = asyncio.create_task(_finished(setup, pages, None))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({finishing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (finishing, stopping):
                task.cancel()
            await asyncio.wait({finishing, stopping})
    if setup.made is None or setup.made.file is None:
        return False
    _close(setup, say, goes_on=not stop.is_set())
    return not stop.is_set()


def new_name(organization: str | None) -> str:
    """A name that nobody else's App is likely to have."""
    return f"pachops-{organization or secrets.token_hex(3)}"[:34].rstrip("-")


def interrupted() -> StoppedError:
    """Ctrl-C before there was an App."""
    return _cancelled(words.INTERRUPTED)


def _cancelled(fact: str) -> StoppedError:
    return StoppedError(Code.CANCELLED, fact, next_step=words.RUN_AGAIN)


def _setup(settings: Settings) -> Setup:
    fetch = partial(app_from_manifest, base_url=api_url(settings.github.base_url))
    # Of an API's own URL people open the host's.
    return Setup(settings.github.git_url, fetch, partial(_keep, settings))


def _keep(settings: Settings, app: NewApp) -> Path:
    return keep_app(
        settings.data_dir,
        {
            "base_url": settings.github.base_url,
            "app_id": app.id,
            "private_key": app.private_key,
            "webhook_secrets": [app.webhook_secret] if app.webhook_secret else [],
            "client_id": app.client_id,
            "client_secret": app.client_secret,
        },
    )


async def _finished(setup: Setup, pages: SetupPages, seconds: float | None) -> None:
    """Until the App is kept and the person was told so, or went away without looking."""
    try:
        async with asyncio.timeout(seconds):
            await setup.kept.wait()
    except TimeoutError:
        raise _cancelled(words.LATE) from None
    # Whoever interrupts this has an App that is kept, and is told so.
    with suppress(TimeoutError, asyncio.CancelledError):
        async with asyncio.timeout(LINGER_SECONDS):
            await pages.shown.wait()


def _close(setup: Setup, say: Say, *, goes_on: bool) -> None:
    made = setup.made
    if made is not None and made.file is not None:
        for line in words.closing(made, goes_on=goes_on):
            say(line)


@asynccontextmanager
async def _served(pages: SetupPages, host: str, port: int, setting: str) -> AsyncIterator[int]:
    """The pages, at a port; which one. A page that is being sent at the end is sent whole."""
    runner = web.AppRunner(pages.app(), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await listen(runner, host, port, setting, next_step="Name another port.")
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def _shown(host: str) -> str:
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - only looked at
        return "THIS_HOST"
    return f"[{host}]" if ":" in host else host
