"""git over HTTP: `git http-backend` behind the API's tokens."""

import asyncio
import os
from pathlib import Path

from aiohttp import web

from bot.domain.github import Permission
from tests.real.git_server import GIT
from tests.standins.github.auth import caller_by_password
from tests.standins.github.errors import ApiError
from tests.standins.github.world import World


async def serve_git(world: World, folder: Path, request: web.Request) -> web.Response:
    """Answer a fetch of a repository that the token may read; nothing can be pushed."""
    name = f"{request.match_info['owner']}/{request.match_info['repo']}"
    try:
        caller = caller_by_password(world, request.headers.get("Authorization"))
        repo = world.repo(name)
        caller.require(repo, ("contents:read",), Permission.READ)
    except ApiError as error:
        # As GitHub: without a login it asks for one, whether or not there is such a repository.
        status = 401 if "Authorization" not in request.headers else error.status
        headers = {"WWW-Authenticate": 'Basic realm="GitHub"'} if status == 401 else {}
        return web.Response(status=status, text="Repository not found.", headers=headers)
    if "git-receive-pack" in request.path_qs:
        return web.Response(status=403, text="Write access to repository not granted.")
    return await backend(folder, request, await request.read())


async def backend(folder: Path, request: web.Request, body: bytes) -> web.Response:
    """What `git http-backend` answers for the repositories of a folder."""
    process = await asyncio.create_subprocess_exec(
        GIT,
        "http-backend",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={
            "PATH": os.environ.get("PATH", os.defpath),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_PROJECT_ROOT": str(folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": request.path,
            "QUERY_STRING": request.query_string,
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            # No encoding: aiohttp has unpacked the body already.
            "HTTP_GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        },
    )
    try:
        output, _ = await process.communicate(body)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    head, _, content = output.partition(b"\r\n\r\n")
    lines = (line.partition(":") for line in head.decode().splitlines())
    headers = {name: value.strip() for name, _, value in lines}
    status = int(headers.pop("Status", "200").split()[0])
    return web.Response(status=status, body=content, headers=headers)
