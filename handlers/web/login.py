"""Logging in with GitHub, and out again."""

import logging
import secrets

from aiohttp import web

from bot.domain.reasons import StoppedError
from bot.services.github import LOGIN_PATH, SignIn
from handlers.web import words
from handlers.web.access import SESSION, SESSION_SECONDS, Links
from handlers.web.cookies import drop_cookie, set_cookie
from handlers.web.rendering import message_page
from handlers.web.seal import Purpose, Seals

LOG = logging.getLogger(__name__)

STATE = "pachops_login"
ON_THE_WAY = 600.0
"""Seconds that somebody may take at GitHub."""


class Login:
    """The routes of logging in. What is kept of a person is their login, in their own cookie."""

    def __init__(self, sign_in: SignIn, seals: Seals, links: Links) -> None:
        self._sign_in = sign_in
        self._seals = seals
        self._links = links
        self._callback = f"{links.base}{LOGIN_PATH}"

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add its routes."""
        router.add_get("/login", self._begin)
        router.add_get(LOGIN_PATH, self._end)
        router.add_post("/logout", self._leave)

    async def _begin(self, request: web.Request) -> web.StreamResponse:
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        until = self._seals.now() + ON_THE_WAY
        claims = {"sub": state, "verifier": verifier, "to": own_path(request.query.get("to", ""))}
        seal = self._seals.sign(Purpose.LOGIN, claims, until=until)
        to = self._sign_in.address(callback=self._callback, state=state, verifier=verifier)
        answer = web.Response(status=303, headers={"Location": to})
        set_cookie(answer, STATE, seal, self._links, path="/login", seconds=ON_THE_WAY)
        return answer

    async def _end(self, request: web.Request) -> web.StreamResponse:
        claims = self._seals.read(Purpose.LOGIN, request.cookies.get(STATE, ""))
        state = request.query.get("state", "")
        same = claims is not None and secrets.compare_digest(
            str(claims["sub"]).encode(), state.encode(errors="replace")
        )
        code = request.query.get("code", "")
        if claims is None or not same or not code:
            # Also where somebody said no at GitHub, or another's browser was sent here.
            return self._failed(request, words.LOGIN_STRAYED, 400)
        try:
            login = await self._sign_in.who(
                code, callback=self._callback, verifier=str(claims["verifier"])
            )
        except StoppedError as stopped:
            LOG.warning("a login failed: %s", stopped)
            return self._failed(request, words.LOGIN_FAILED, 502)
        LOG.info("%s logged in", login)
        until = self._seals.now() + SESSION_SECONDS
        seal = self._seals.sign(Purpose.SESSION, {"sub": login}, until=until)
        to = self._links.path(own_path(str(claims["to"])))
        answer = web.Response(status=303, headers={"Location": to})
        set_cookie(answer, SESSION, seal, self._links, path="/", seconds=SESSION_SECONDS)
        drop_cookie(answer, STATE, self._links, path="/login")
        return answer

    async def _leave(self, _request: web.Request) -> web.StreamResponse:
        answer = web.Response(status=303, headers={"Location": self._links.path("/goodbye")})
        drop_cookie(answer, SESSION, self._links, path="/")
        return answer

    def _failed(self, request: web.Request, text: str, status: int) -> web.Response:
        answer = message_page(request, words.LOGIN_TITLE, text, status=status, again=True)
        drop_cookie(answer, STATE, self._links, path="/login")
        return answer


def own_path(asked: str) -> str:
    """A path of ours; the first page where it would lead elsewhere."""
    is_own = asked.startswith("/") and not asked.startswith(("//", "/\\"))
    return asked if is_own and asked.isprintable() and "\\" not in asked else "/"
