"""Cookies: out of reach of scripts and of other sites' forms."""

from aiohttp import web

from handlers.web.access import Links


def set_cookie(
    answer: web.StreamResponse, name: str, value: str, links: Links, *, path: str, seconds: float
) -> None:
    """Give it for this path and what is below."""
    answer.set_cookie(
        name,
        value,
        max_age=int(seconds),
        path=links.path(path),
        secure=links.is_secure,
        httponly=True,
        samesite="Lax",
    )


def drop_cookie(answer: web.StreamResponse, name: str, links: Links, *, path: str) -> None:
    """Take it back."""
    answer.del_cookie(
        name, path=links.path(path), secure=links.is_secure, httponly=True, samesite="Lax"
    )
