"""What every answer says to browsers, and the one answer for everything that is not there."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from aiohttp import web

from bot.domain.reasons import StoppedError
from handlers.web import words
from handlers.web.rendering import message_page

LOG = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": POLICY,
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
)
"""What a handler has set itself stays."""


async def add_headers(_request: web.Request, answer: web.StreamResponse) -> None:
    """For `on_response_prepare`."""
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)


@web.middleware
async def explained(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The same page for whatever is not there, or not for whoever asks."""
    try:
        return await handler(request)
    except web.HTTPNotFound:
        return message_page(request, words.NOTHING_TITLE, words.NOTHING, status=404)
    except web.HTTPException:
        raise
    except StoppedError as stopped:
        LOG.warning("%s %s: %s", request.method, request.path, stopped)
        return message_page(request, words.UNAVAILABLE_TITLE, words.UNAVAILABLE, status=503)
    except Exception:
        LOG.exception("%s %s", request.method, request.path)
        return message_page(request, words.BROKEN_TITLE, words.BROKEN, status=500)
