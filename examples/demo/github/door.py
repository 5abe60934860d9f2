"""The door to the emulator: what people and the bot open, at the addresses that a GitHub has.

What is asked of the API is the emulator's to answer, but for what it lacks. The door itself has
the repository's git: it is fetched from here and pushed to here, and what was pushed is put into
the emulator, which then tells of the push. A pull request of the emulator's does not follow its
branch; here it does, and is merged once its base has its head.
"""

import asyncio
import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler

from examples.demo.github.lacking import Lacking
from examples.demo.github.mirror import mirror
from examples.demo.telling import expect
from tests.real.git_server import Repository
from tests.real.github_road import API, Road
from tests.standins.github import objects
from tests.standins.github.git_http import backend

Json = Any
"""Whatever an answer has."""
BAD = 400
_HEADS = "refs/heads/"


class Door(Road):
    """For one repository."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        repository: str,
        folder: Path,
        *,
        author: str,
        secret: str,
        token: str,
    ) -> None:
        """A door.

        Args:
            session: for what is asked of the emulator and the bot.
            repository: `owner/name`.
            folder: for its git.
            author: the bot's login.
            secret: what webhooks are signed with.
            token: of somebody who may write.
        """
        super().__init__(session, repository, secret=secret, token=token)
        self.repository = repository
        self.lacking = Lacking(self, author)
        self.changed = asyncio.Condition()
        self.changes = 0
        """How often something was written."""
        self._folder = folder
        self.git = Repository(folder / f"{repository}.git")
        # GitHub gives out any commit that it has, by its SHA.
        self.git.git("config", "uploadpack.allowAnySHA1InWant", "true")
        self.git.git("config", "http.receivepack", "true")

    def app(self) -> web.Application:
        """All but the pages."""
        app = web.Application(client_max_size=64 * 1024**2, middlewares=[self._telling])
        app.router.add_route("*", f"/{self.repository}.git/{{rest:.*}}", self._serve_git)
        self.lacking.add_to(app)
        pulls = f"{API}{self.path}/pulls"
        app.router.add_get(pulls + r"/{number:\d+}", self._pull)
        app.router.add_get(pulls + r"/{number:\d+}/commits", self._commits)
        self.add_to(app)
        return app

    # what is mended

    async def lead(self, request: web.Request) -> web.Response:
        """The emulator's answer, with pages at the addresses of pages."""
        answer = await super().lead(request)
        root = str(request.url.origin())
        if isinstance(answer.body, bytes):
            answer.body = self._outward(answer.body, root)
        return answer

    async def mended(self, event: str, payload: dict[str, Any]) -> bool:
        """Also what a push and a pull request say."""
        if event == "push":
            payload["head_commit"] = self._head_commit(payload["after"])
        elif event == "pull_request":
            payload["number"] = self.follow(payload["pull_request"])["number"]
        else:
            await super().mended(event, payload)
        root = payload["repository"]["html_url"].removesuffix(f"{API}/{self.repository}")
        payload.update(json.loads(self._outward(json.dumps(payload).encode(), root)))
        return True

    async def pull(self, number: int) -> dict[str, Any] | None:
        """A pull request as it is."""
        status, found = await self.ask("GET", f"{self.path}/pulls/{number}")
        return self.follow(found) if status == web.HTTPOk.status_code else None

    def _outward(self, body: bytes, root: str) -> bytes:
        return body.replace(
            f'"{root}{API}/{self.repository}'.encode(), f'"{root}/{self.repository}'.encode()
        )

    def follow(self, pull: dict[str, Any]) -> dict[str, Any]:
        """A pull request of the emulator's as its branch has it."""
        head, base = (self.tip(pull[side]["ref"]) or pull[side]["sha"] for side in ("head", "base"))
        pull["head"]["sha"] = head
        pull["merged"] = pull["state"] == "closed" and self._has(base, head)
        return pull

    def _head_commit(self, sha: str) -> dict[str, Any]:
        name = self.git.git("log", "-1", "--format=%an", sha).decode().strip()
        return {"id": sha, "message": objects.message(self.git, sha), "author": {"name": name}}

    # answers

    async def _pull(self, request: web.Request) -> web.Response:
        answer = await self.lead(request)
        if answer.status == web.HTTPOk.status_code and isinstance(answer.body, bytes):
            answer.body = json.dumps(self.follow(json.loads(answer.body))).encode()
        return answer

    async def _commits(self, request: web.Request) -> web.Response:
        answer = await self.lead(request)
        pull = await self.pull(int(request.match_info["number"]))
        if answer.status != web.HTTPOk.status_code or pull is None:
            return answer
        found = objects.between(self.git, pull["base"]["sha"], pull["head"]["sha"])
        return web.json_response([{"sha": sha} for sha in found])

    async def _serve_git(self, request: web.Request) -> web.StreamResponse:
        pushes = "git-receive-pack" in request.path_qs
        token = _password(request.headers.get("Authorization", ""))
        status, who = await self.ask("GET", "/user" if pushes else self.path, token=token)
        if status != web.HTTPOk.status_code:
            headers = {"WWW-Authenticate": 'Basic realm="GitHub"'}
            return web.Response(status=401, headers=headers)
        before = self._tips()
        answer = await backend(self._folder, request, await request.read())
        if pushes and before != self._tips():
            await self._pushed(before, by=who["login"], token=token)
        return answer

    async def _pushed(self, before: dict[str, str], *, by: str, token: str) -> None:
        """Put what is new into the emulator, by the word of who pushed it."""

        async def write(method: str, path: str, body: object = None) -> Json:
            status, answer = await self.ask(method, self.path + path, body, token=token)
            expect(status < BAD, f"the emulator refused {method} {path}: {answer}")
            return answer

        now = self._tips()
        await mirror(
            self.git, before.values(), now.values(), lambda path, body: write("POST", path, body)
        )
        for ref, sha in now.items():
            if before.get(ref) == sha:
                continue
            self.lacking.pushed(ref, before.get(ref, objects.ZERO), sha, by)
            # Only of a ref that moves the emulator tells.
            if ref in before:
                await write("PATCH", f"/git/{ref}", {"sha": sha, "force": True})
            else:
                await write("POST", "/git/refs", {"ref": ref, "sha": sha})
        for pull in map(self.follow, await write("GET", "/pulls?state=open")):
            if self._has(now[_HEADS + pull["base"]["ref"]], pull["head"]["sha"]):
                await write("PATCH", f"/pulls/{pull['number']}", {"state": "closed"})

    @web.middleware
    async def _telling(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """After each call that may have written something, those look who wait for it."""
        answer: web.StreamResponse = await handler(request)
        if request.method != "GET":
            async with self.changed:
                self.changes += 1
                self.changed.notify_all()
        return answer

    # git

    def tip(self, branch: str) -> str | None:
        """The commit that a branch is at."""
        return objects.branch(self.git, branch)

    def _tips(self) -> dict[str, str]:
        listed = self.git.git("for-each-ref", "--format=%(refname) %(objectname)").decode()
        return dict(line.split() for line in listed.splitlines())

    def _has(self, base: str, head: str) -> bool:
        compared = objects.compare(self.git, base, head)
        return compared is not None and not compared.ahead


def _password(authorization: str) -> str:
    kind, _, value = authorization.partition(" ")
    return b64decode(value).decode().partition(":")[2] if kind == "Basic" else ""
