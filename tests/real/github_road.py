"""The road between a bot and npm's GitHub emulator, and what is mended on it.

The emulator has its API at the root of its address, and no GraphQL, reactions, deployments,
activity, webhook deliveries or git over HTTP. Its webhooks of comments do not say whether the
comment is on a pull request. The road mends three things: it leads the bot, which looks for a
GitHub Enterprise Server, from /api/v3 to that root; it says that a commit of the emulator's has no
commit statuses, for the emulator knows of none; and it says of a comment that it is on a pull
request where the emulator's own API says so. Such a webhook is signed anew, after the emulator's
signature was found to be good; all others come to the bot with the emulator's body and signature.
(Its delivery ids are milliseconds, of which two may be the same: the road counts on. A token that it
does not know it takes for its first user's: only who sends none is nobody.)
"""

import asyncio
import json
from typing import Any

import aiohttp
from aiohttp import web

from bot.services.github import WEBHOOK_PATH
from tests.standins.github.webhooks import sign

API = "/api/v3"
FORWARDED = ("Authorization", "Accept", "Content-Type")


class Road:
    """Both ways between the bot and the emulator, once both are there."""

    def __init__(
        self, session: aiohttp.ClientSession, repository: str, *, secret: str, token: str
    ) -> None:
        """A road for one repository.

        Args:
            session: for what is asked of either end.
            repository: `owner/name`.
            secret: what webhooks are signed with.
            token: of somebody who may read the repository.
        """
        self.path = f"/repos/{repository}"
        self._session = session
        self._secret = secret
        self._token = token
        loop = asyncio.get_running_loop()
        self.emulator: asyncio.Future[str] = loop.create_future()
        self.bot: asyncio.Future[str] = loop.create_future()
        self.answered: list[tuple[bool, int]] = []
        """Of each webhook whether it was as the emulator signed it, and what the bot answered."""

    def add_to(self, app: web.Application) -> None:
        """Its routes."""
        app.router.add_get(f"{API}{self.path}/commits/{{sha}}/status", self._status)
        app.router.add_route("*", API + "/{path:.*}", self.lead)
        app.router.add_post(WEBHOOK_PATH, self._tell)

    async def ask(
        self, method: str, path: str, body: object = None, *, token: str | None = None
    ) -> tuple[int, Any]:
        """The emulator's status and JSON, None where it answers nothing; "" is nobody's token."""
        word = self._token if token is None else token
        headers = {"Authorization": f"token {word}"} if word else {}
        async with self._session.request(
            method, await self.emulator + path, json=body, headers=headers
        ) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text.startswith(("{", "[")) else None

    async def lead(self, request: web.Request) -> web.Response:
        """What the emulator answers to the bot."""
        url = await self.emulator + request.path_qs.removeprefix(API)
        headers = {name: request.headers[name] for name in FORWARDED if name in request.headers}
        body = await request.read()
        async with self._session.request(
            request.method, url, data=body or None, headers=headers
        ) as answer:
            kept = {name: answer.headers[name] for name in ("Link",) if name in answer.headers}
            return web.Response(
                status=answer.status,
                body=await answer.read(),
                content_type=answer.content_type,
                headers=kept,
            )

    async def mended(self, event: str, payload: dict[str, Any]) -> bool:
        """Mend a webhook; False where nothing was."""
        if event != "issue_comment" or not await self._is_pull(payload["issue"]["number"]):
            return False
        payload["issue"]["pull_request"] = {}
        return True

    async def _status(self, request: web.Request) -> web.Response:
        sha = request.match_info["sha"]
        status, _ = await self.ask("GET", f"{self.path}/commits/{sha}", token=token_of(request))
        if status != web.HTTPOk.status_code:
            return web.Response(status=status)
        return web.json_response({"state": "pending", "sha": sha, "total_count": 0, "statuses": []})

    async def _tell(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name: value for name, value in request.headers.items() if name.startswith("X-")}
        if headers["X-Hub-Signature-256"] != sign(self._secret, body):
            return web.Response(status=401)
        headers["X-GitHub-Delivery"] += f"-{len(self.answered)}"
        payload = json.loads(body)
        is_mended = await self.mended(headers["X-GitHub-Event"], payload)
        if is_mended:
            body = json.dumps(payload).encode()
            headers["X-Hub-Signature-256"] = sign(self._secret, body)
        url = await self.bot + WEBHOOK_PATH
        async with self._session.post(url, data=body, headers=headers) as answer:
            self.answered.append((not is_mended, answer.status))
            return web.Response(status=answer.status)

    async def _is_pull(self, number: int) -> bool:
        status, _ = await self.ask("GET", f"{self.path}/pulls/{number}")
        return status == web.HTTPOk.status_code


def token_of(request: web.Request) -> str:
    """Whose word it is; "" where nobody says."""
    return request.headers.get("Authorization", "").rpartition(" ")[2]
