"""A stand-in for Slack: its Web API, its sockets and its requests, strict where Slack is strict.

It keeps state and does nothing by itself: what people do is said in the tests (`types`, `clicks`
and the other acts), and what was not acknowledged is told again when a test says so.
"""

import json
from collections.abc import Callable
from typing import Any, Self

from aiohttp import web

from tests.standins.slack.acts import Acts
from tests.standins.slack.app import App
from tests.standins.slack.blocks import check_blocks
from tests.standins.slack.calls import Call, Method
from tests.standins.slack.clock import Clock
from tests.standins.slack.errors import LimitedError, SlackError
from tests.standins.slack.expectations import Expectations
from tests.standins.slack.faults import Fault, Faults, Seen
from tests.standins.slack.lines import Lines
from tests.standins.slack.methods import METHODS
from tests.standins.slack.state import Message
from tests.standins.slack.world import World

LARGEST_BODY = 64 * 1024**2


class SlackServer(Acts, Expectations):
    """`async with SlackServer() as slack: ... slack.api_url`."""

    def __init__(self, app: App | None = None, clock: Clock | None = None) -> None:
        world = World(app or App(), clock or Clock())
        super().__init__(world, Lines(world))
        self._faults = Faults()
        self._runner: web.AppRunner | None = None

    # life

    @property
    def api_url(self) -> str:
        """What a client is told."""
        return f"{self.world.root}/api/"

    @property
    def app(self) -> App:
        """The app: tokens, secret, scopes."""
        return self.world.app

    async def __aenter__(self) -> Self:
        server = web.Application(client_max_size=LARGEST_BODY)
        server.router.add_route("*", "/api/{method}", self._api)
        server.router.add_post("/upload/v1/{file}", self._upload)
        server.router.add_post("/response/{identity}", self._respond)
        server.router.add_get("/link/", self.lines.accept)
        self._runner = web.AppRunner(server, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.world.root = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.lines.close()
        if self._runner is not None:
            await self._runner.cleanup()

    # what a test does to it

    def fail(self, method: str, fault: Fault, *, times: int = 1, channel: str = "") -> None:
        """Let the next calls of a method go wrong (`*` for any); `upload` is a file's bytes."""
        self._faults.add(method, fault, times, channel)

    def breaks(self, fault: Callable[[], Fault] | None) -> None:
        """From now on every call goes wrong like this; None ends it."""
        self._faults.always(fault)

    def send_requests_to(self, url: str) -> None:
        """Tell the app over HTTP from now on, instead of over its sockets."""
        self.lines.url = url

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.world.clock.advance(seconds)

    def enforce_limits(self, *, burst: int = 1) -> None:
        """Keep to the documented rate limits from now on."""
        self.world.limits.strict, self.world.limits.burst = True, burst

    # what a test sees of it

    @property
    def calls(self) -> list[Seen]:
        """The calls that came, in order."""
        return self._faults.seen

    def called(self, method: str) -> int:
        """How often a method was called."""
        return sum(each.method == method for each in self.calls)

    async def expect_call(self, method: str, *, times: int = 1) -> None:
        """Wait until so many calls have come; those that are held count too."""
        await self.expect(
            f"{method} {times} times",
            lambda: self.called(method) >= times or None,
            lambda: self.calls,
        )

    # answers

    async def _api(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        method = METHODS.get(name, _UNKNOWN)
        arguments, is_json = await _arguments(request)
        channel = arguments.get("channel")
        return await self._answer(
            request,
            Seen(name, channel if isinstance(channel, str) else "", self.world.clock.now()),
            lambda: self._run(request, method, arguments, is_json=is_json),
        )

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        content = await request.read()

        def take() -> web.Response:
            file = self.world.files.get(request.match_info["file"])
            if file is None or file.complete or len(content) != file.length:
                return web.Response(status=400, text="upload error")
            file.content = content
            return web.Response(text=f"OK - {len(content)}")

        return await self._answer(request, Seen("upload", "", self.world.clock.now()), take)

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()

        def take() -> web.Response:
            try:
                self._show_response(request.match_info["identity"], body)
            except SlackError as error:
                return web.json_response(error.body, status=404)
            return web.Response(text="ok")

        return await self._answer(request, Seen("response_url", "", self.world.clock.now()), take)

    async def _answer(
        self, request: web.Request, seen: Seen, work: Callable[[], web.Response]
    ) -> web.StreamResponse:
        """The true answer, or what a fault makes of it."""
        fault = self._faults.take(seen)
        await self.world.tell()
        if fault is not None and fault.hold is not None:
            await fault.hold.wait()
        answer = None
        if fault is None or fault.after or fault.hold:
            answer = work()
            await self.world.tell()
        if fault is not None and fault.drop:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        if fault is not None and fault.status:
            if fault.body is not None:
                return web.Response(status=fault.status, body=fault.body)
            body = {"ok": False, "error": fault.error} | fault.more
            return web.json_response(body, status=fault.status, headers=fault.headers)
        return answer or web.Response(status=500)

    def _run(
        self,
        request: web.Request,
        method: Method,
        arguments: dict[str, Any],
        *,
        is_json: bool,
    ) -> web.Response:
        headers = {}
        try:
            scopes = self._scopes(request, arguments, method)
            headers = {"X-OAuth-Scopes": ",".join(sorted(scopes))}
            if method.scope:
                headers["X-Accepted-OAuth-Scopes"] = method.scope
            call = Call(
                self.world,
                method.name,
                # What takes no JSON acts as if it had got nothing.
                {} if is_json and not method.takes_json else arguments,
                scopes,
            )
            if method.scope:
                call.need(method.scope)
            self._count(method, arguments)
            body: dict[str, Any] = {"ok": True} | method.handler(call)
        except LimitedError as limited:
            body = {"ok": False, "error": "ratelimited"}
            headers["Retry-After"] = str(limited.retry_after)
            return web.json_response(body, status=429, headers=headers)
        except SlackError as error:
            body = error.body
        return web.json_response(body, headers=headers)

    def _scopes(
        self, request: web.Request, arguments: dict[str, Any], method: Method
    ) -> frozenset[str]:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        token = given or arguments.get("token", "")
        if not token:
            raise SlackError("not_authed")
        if token not in {self.app.bot_token, self.app.app_token}:
            raise SlackError("invalid_auth")
        is_app = token == self.app.app_token
        if method.name != "auth.test" and is_app is not method.by_app:
            raise SlackError("not_allowed_token_type")
        return self.app.app_scopes if is_app else self.app.scopes

    def _count(self, method: Method, arguments: dict[str, Any]) -> None:
        named = str(arguments.get("channel", ""))
        try:
            channel = self.world.channel(named).id if named else ""
        except SlackError:
            channel = named
        wait = self.world.limits.check(method.name, method.tier, channel, self.world.clock.now())
        if wait is not None:
            raise LimitedError(wait)

    def _show_response(self, identity: str, body: dict[str, Any]) -> None:
        """What is sent to a response_url."""
        world, place = self.world, self.world.use_response(identity)
        text, given = body.get("text", ""), body.get("blocks")
        blocks = check_blocks(given, "message") if given else []
        replaced = place.message
        if body.get("delete_original"):
            if replaced is not None:
                replaced.deleted = True
            return
        if body.get("replace_original") and replaced is not None:
            replaced.text, replaced.blocks = text, blocks
            world.show(replaced)
            return
        if body.get("response_type", "ephemeral") == "ephemeral":
            world.whisper(place.channel, place.user, text, blocks)
            return
        made = Message(place.channel, world.clock.stamp(), self.app.bot_user, text, blocks)
        world.messages.append(made)
        world.show(made)


def _unknown(_call: Call) -> dict[str, Any]:
    raise SlackError("unknown_method")


_UNKNOWN = Method("unknown", "", 0, _unknown)


async def _arguments(request: web.Request) -> tuple[dict[str, Any], bool]:
    """What a method was given, and whether it came as JSON."""
    query = dict(request.query)
    if request.method == "GET":
        return query, False
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.read())
        except ValueError:
            body = {}
        return query | (body if isinstance(body, dict) else {}), True
    form = await request.post()
    return query | {key: value for key, value in form.items() if isinstance(value, str)}, False
