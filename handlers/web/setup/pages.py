"""The set-up's page at /setup. Whoever opens it must know the code from the terminal."""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

import aiohttp_jinja2
import jinja2
from aiohttp import hdrs, web

from bot.domain.reasons import StoppedError
from bot.services.github import AppWish
from handlers.web.setup import words
from handlers.web.setup.flow import Entry, Form, Setup, WrongStateError
from handlers.web.setup.form import Written, read_form

LOG = logging.getLogger(__name__)

COOKIE = "pachops_setup"
MOST_BYTES = 64 * 1024
"""Of a form."""
_STYLE_SECONDS = 3600
_TEMPLATES = Path(__file__).parents[1] / "templates"
_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
_HEADERS = MappingProxyType(
    {
        "Cache-Control": "no-store",
        # No form-action: GitHub may answer a form with its own way of logging in.
        "Content-Security-Policy": _POLICY,
        "Referrer-Policy": "strict-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
)


class SetupPages:
    """The routes.

    Args:
        setup: what they lead through.
        wish: what the form has in it at first.
        goes_on: whether the bot starts by itself at the end.
    """

    def __init__(self, setup: Setup, wish: AppWish, *, goes_on: bool) -> None:
        self.shown = asyncio.Event()
        """The last page was asked for: everything is done, and the person knows it."""
        self._setup = setup
        self._wish = wish
        self._goes_on = goes_on

    def app(self) -> web.Application:
        """All that is served until there is an App; webhooks have to come again later."""
        app = web.Application(client_max_size=MOST_BYTES)
        aiohttp_jinja2.setup(
            app,
            loader=jinja2.FileSystemLoader(_TEMPLATES),
            undefined=jinja2.StrictUndefined,
            context_processors=(),
            trim_blocks=True,
            lstrip_blocks=True,
        )
        app.on_response_prepare.append(_harden)
        app.router.add_get("/", _go_to_page)
        app.router.add_get(words.PAGE, self._show)
        app.router.add_get(f"{words.PAGE}/style.css", _style)
        app.router.add_get("/favicon.ico", _no_icon)
        app.router.add_post(f"{words.PAGE}/code", self._enter)
        app.router.add_post(f"{words.PAGE}/app", self._send)
        app.router.add_get(f"{words.PAGE}/made", self._take)
        app.router.add_post(f"{words.PAGE}/keep", self._keep_again)
        app.router.add_post("/github/webhook", _not_yet)
        # It lives and waits. A proxy that asks this would else never let anybody to the page.
        app.router.add_get("/healthz", _waiting)
        return app

    async def _show(self, request: web.Request) -> web.Response:
        if not self._is_known(request):
            return self._page(request, "code", {"problem": None})
        made = self._setup.made
        if made is None:
            return self._page(request, "form", {"written": Written.of(self._wish)})
        if made.file is None:
            return self._problem(request, words.NOT_KEPT, "keep")
        self.shown.set()
        return self._page(request, "made", {"made": made, "goes_on": self._goes_on})

    async def _enter(self, request: web.Request) -> web.Response:
        entered = self._setup.enter(str((await request.post()).get("code", "")))
        if isinstance(entered, Entry):
            LOG.warning("set-up: a code from %s is %s", request.remote, entered.value)
            problem = words.USED_CODE if entered is Entry.USED else words.WRONG_CODE
            return self._page(request, "code", {"problem": problem}, status=403)
        response = _to_page()
        response.set_cookie(
            COOKIE,
            entered,
            path=words.PAGE,
            httponly=True,
            secure=_origin(request).startswith("https:"),
            # Not strict: GitHub sends the person back here.
            samesite="Lax",
        )
        return response

    async def _send(self, request: web.Request) -> web.Response:
        if not self._is_known(request):
            return self._page(request, "code", {"problem": words.NO_CODE_YET}, status=403)
        if self._setup.made is not None:
            return _to_page()
        written = read_form(await request.post(), self._setup.base_url)
        if written.problems:
            return self._page(request, "form", {"written": written}, status=422)
        self._wish = written.wish
        form = self._setup.send(written.wish, f"{_origin(request)}{words.PAGE}/made")
        return self._page(request, "send", {"form": form, "permissions": _permissions(form)})

    async def _take(self, request: web.Request) -> web.Response:
        if not self._is_known(request):
            return self._page(request, "code", {"problem": words.NO_CODE_YET}, status=403)
        code, state = request.query.get("code", ""), request.query.get("state", "")
        try:
            await self._setup.take(state, code)
        except WrongStateError:
            LOG.warning("set-up: an answer from %s that nobody waits for", request.remote)
            return self._problem(request, words.WRONG_STATE, "again", status=403)
        except StoppedError as stopped:
            return self._stopped(request, stopped)
        # Without GitHub's code in the address.
        return _to_page()

    async def _keep_again(self, request: web.Request) -> web.Response:
        if not self._is_known(request):
            return self._page(request, "code", {"problem": words.NO_CODE_YET}, status=403)
        try:
            self._setup.keep_again()
        except StoppedError as stopped:
            return self._stopped(request, stopped)
        return _to_page()

    def _stopped(self, request: web.Request, stopped: StoppedError) -> web.Response:
        LOG.error("set-up: %s", stopped)
        if self._setup.made is not None:
            return self._problem(request, words.NOT_KEPT, "keep", stopped=stopped, status=500)
        return self._problem(request, words.NO_KEYS, "again", stopped=stopped, status=502)

    def _is_known(self, request: web.Request) -> bool:
        return self._setup.knows(request.cookies.get(COOKIE))

    def _problem(
        self,
        request: web.Request,
        text: str,
        way_on: str,
        *,
        stopped: StoppedError | None = None,
        status: int = 200,
    ) -> web.Response:
        reason = stopped.reason if stopped else None
        context = {"text": text, "reason": reason, "way_on": way_on}
        return self._page(request, "problem", context, status=status)

    def _page(
        self, request: web.Request, name: str, context: Mapping[str, object], *, status: int = 200
    ) -> web.Response:
        whole = {"words": words, "page": words.PAGE, **context}
        return aiohttp_jinja2.render_template(f"setup/{name}.html", request, whole, status=status)


def _permissions(form: Form) -> list[str]:
    return [words.PERMISSIONS[each] for each in form.wish.permissions]


def _origin(request: web.Request) -> str:
    """Where the browser believes us to be: behind a proxy only it knows the scheme."""
    said = request.headers.get(hdrs.ORIGIN, "")
    url = urlsplit(said)
    if url.scheme in {"http", "https"} and url.netloc:
        return f"{url.scheme}://{url.netloc}"
    return f"{request.scheme}://{request.host}"


def _to_page() -> web.Response:
    return web.Response(status=303, headers={hdrs.LOCATION: words.PAGE})


async def _go_to_page(_request: web.Request) -> web.Response:
    return _to_page()


async def _style(_request: web.Request) -> web.FileResponse:
    # The last page is shown when nobody serves any more: by then the browser has it.
    headers = {hdrs.CACHE_CONTROL: f"private, max-age={_STYLE_SECONDS}"}
    return web.FileResponse(_TEMPLATES / "setup" / "style.css", headers=headers)


async def _no_icon(_request: web.Request) -> web.Response:
    # Every browser asks for one, and would note an error.
    return web.Response(status=204)


async def _waiting(_request: web.Request) -> web.Response:
    return web.Response(text="waiting to be set up\n")


async def _not_yet(_request: web.Request) -> web.Response:
    return web.Response(status=503, text="not set up\n")


async def _harden(_request: web.Request, response: web.StreamResponse) -> None:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
