"""The web applications: GitHub's webhook, the pages, and whether the bot lives and is ready."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.domain.reasons import StoppedError
from handlers.web.site import Site

MOST_BYTES = 26 * 1024**2
"""Of a request's body. GitHub sends 25 MB at most; aiohttp would take 1 MiB."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Check = Callable[[], Awaitable[object]]


def web_app(
    webhook: Handler,
    alive: Check,
    *,
    ready: Check | None = None,
    site: Site | None = None,
    metrics: Handler | None = None,
) -> web.Application:
    """Everything that the bot serves.

    Args:
        webhook: takes GitHub's deliveries.
        alive: StoppedError where the bot cannot work.
        ready: StoppedError where it should be sent nothing now.
        site: the pages.
        metrics: for Prometheus.
    """
    app = web.Application(client_max_size=MOST_BYTES)
    app.router.add_post("/github/webhook", webhook)
    _add_health(app, alive, ready or alive, metrics)
    if site:
        site.add_to(app)
    return app


def worker_app(alive: Check, ready: Check, metrics: Handler) -> web.Application:
    """What a worker answers: whether it is well, and Prometheus."""
    app = web.Application()
    _add_health(app, alive, ready, metrics)
    return app


def _add_health(app: web.Application, alive: Check, ready: Check, metrics: Handler | None) -> None:
    app.router.add_get("/healthz", _answer_of(alive))
    app.router.add_get("/readyz", _answer_of(ready))
    if metrics:
        app.router.add_get("/metrics", metrics)


def _answer_of(check: Check) -> Handler:
    async def answer(_request: web.Request) -> web.Response:
        try:
            await check()
        except StoppedError as stopped:
            return web.Response(status=503, text=f"{stopped.reason.code}\n")
        return web.Response(text="ok\n")

    return answer
