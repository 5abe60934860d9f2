"""Templates to pages. Everything is escaped; nothing but our own files runs or styles."""

import hashlib
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp_jinja2
import jinja2
from aiohttp import web
from markupsafe import Markup

from handlers.reports import words as report_words
from handlers.reports.text import one_line
from handlers.web import words
from handlers.web.access import NOBODY, Links, Visitor

_HERE = Path(__file__).parent
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FILES = {path.name: path.read_bytes() for path in sorted((_HERE / "static").iterdir())}
_VERSIONS = {name: hashlib.sha256(text).hexdigest()[:12] for name, text in _FILES.items()}
_FOR_EVER = "public, max-age=31536000, immutable"

LINKS: web.AppKey[Links] = web.AppKey("links", Links)
HAS_LOGIN: web.AppKey[bool] = web.AppKey("has_login", bool)


def add_rendering(app: web.Application, links: Links, *, has_login: bool) -> None:
    """Teach an application our templates and its own files."""
    app[LINKS] = links
    app[HAS_LOGIN] = has_login
    environment = aiohttp_jinja2.setup(
        app,
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(
        when=_when,
        moment=_moment,
        duration=report_words.duration,
        size=report_words.size,
        line=one_line,
        short=report_words.short_sha,
        place=report_words.repository_name,
    )
    environment.globals.update(words=words, static=_static_path(links), path=links.path)
    app.router.add_get("/static/{name}", _static)


def page(
    request: web.Request,
    template: str,
    context: Mapping[str, Any],
    *,
    visitor: Visitor = NOBODY,
    status: int = 200,
) -> web.Response:
    """A page."""
    known = {"visitor": visitor, "has_login": request.app[HAS_LOGIN], "now": time.time()}
    return aiohttp_jinja2.render_template(template, request, {**known, **context}, status=status)


def fragment(request: web.Request, template: str, context: Mapping[str, Any]) -> str:
    """A part of a page."""
    known = {"now": time.time()}
    return aiohttp_jinja2.render_string(template, request, {**known, **context})


def message_page(
    request: web.Request, title: str, text: str, *, status: int, again: bool = False
) -> web.Response:
    """A page that says one thing; `again` offers to log in."""
    if LINKS not in request.app:
        return web.Response(text=f"{title}\n", status=status)
    context = {"title": title, "text": text, "again": again}
    return page(request, "message.html", context, status=status)


def _static_path(links: Links) -> Any:  # noqa: ANN401 - a function for templates
    return lambda name: links.path(f"/static/{name}?v={_VERSIONS[name]}")


async def _static(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in _FILES:
        raise web.HTTPNotFound
    kind = _TYPES[Path(name).suffix]
    return web.Response(
        body=_FILES[name],
        content_type=kind,
        charset="utf-8",
        headers={"Cache-Control": _FOR_EVER},
    )


def _when(at: float, now: float) -> Markup:
    """A moment: how long ago, and exactly where a pointer rests on it."""
    moment = datetime.fromtimestamp(at, tz=UTC)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        moment.isoformat(timespec="seconds"),
        moment.strftime("%Y-%m-%d %H:%M:%S UTC"),
        report_words.ago(at, now),
    )


def _moment(at: float) -> Markup:
    moment = datetime.fromtimestamp(at, tz=UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        moment.isoformat(timespec="seconds"), moment.strftime("%Y-%m-%d %H:%M UTC")
    )
