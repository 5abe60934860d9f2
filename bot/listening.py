"""A place for a web server to listen at."""

from aiohttp import web

from bot.domain.reasons import Code, StoppedError


async def listen(
    runner: web.AppRunner, host: str, port: int, setting: str, *, next_step: str | None = None
) -> None:
    """Listen; BAD_SETTINGS names the setting where that cannot be."""
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise StoppedError(
            Code.BAD_SETTINGS,
            f"{host}:{port} cannot be listened at: {error.strerror or error}",
            where=setting,
            next_step=next_step,
        ) from error
