"""The web application: GitHub's webhook, and whether the bot lives."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.domain.reasons import StoppedError

MOST_BYTES = 26 * 1024**2
"""Of a request's body. GitHub sends 25 MB at most; aiohttp would take 1 MiB."""

Handler = Callable[[web.Request], Awaitable[web.Response]]


def web_app(webhook: Handler, alive: Callable[[], Awaitable[object]]) -> web.Application:
    """Everything that the bot serves.

    Args:
        webhook: takes GitHub's deliveries.
        alive: StoppedError where the bot cannot work.
    """

    async def health(_request: web.Request) -> web.Response:
        try:
            await alive()
        except StoppedError as stopped:
            return web.Response(status=503, text=f"{stopped.reason.code}\n")
        return web.Response(text="ok\n")

    app = web.Application(client_max_size=MOST_BYTES)
    app.router.add_post("/github/webhook", webhook)
    app.router.add_get("/healthz", health)
    return app
