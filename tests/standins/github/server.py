"""A stand-in for GitHub: its API, its git and its webhooks, strict where GitHub is strict.

It keeps state, with a real git repository for each of its own, and does nothing by itself: what
people do is said in the tests (`comment`, `push` and the other acts), and each such act happens in
a second of its own, as GitHub's times have no parts of a second.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Self

from aiohttp import web

from tests.standins.github import graphql
from tests.standins.github.acts import Acts
from tests.standins.github.app import App, Installation, Token
from tests.standins.github.auth import Caller, caller_of
from tests.standins.github.calls import Answer, Call, Route
from tests.standins.github.errors import ApiError, not_found
from tests.standins.github.expectations import Expectations
from tests.standins.github.faults import Fault, Faults, Seen
from tests.standins.github.git_http import serve_git
from tests.standins.github.routes import ROUTES
from tests.standins.github.webhooks import Webhooks
from tests.standins.github.website import Website
from tests.standins.github.world import World

API = "/api/v3"
GRAPHQL = "/api/graphql"
LARGEST_BODY = 8 * 1024**2
CALLS_PER_HOUR = 5000


class GitHubServer(Acts, Expectations):
    """`async with GitHubServer(tmp_path) as github: ... github.api_url`.

    Laid out as a GitHub Enterprise Server. `folder` is for its git repositories.
    """

    def __init__(self, folder: Path, app: App | None = None) -> None:
        self._folder = folder / "github"
        world = World(self._folder, app or App())
        super().__init__(world, Webhooks(world))
        self.website = Website(world)
        """What people see in a browser."""
        self._faults = Faults()
        self._runner: web.AppRunner | None = None

    # life

    @property
    def url(self) -> str:
        """What people open."""
        return self.world.root

    @property
    def api_url(self) -> str:
        """What a client is told."""
        return self.world.api

    @property
    def app(self) -> App:
        """The App: id, key and secret."""
        return self.world.app

    async def __aenter__(self) -> Self:
        server = web.Application(client_max_size=LARGEST_BODY)
        for route in ROUTES:
            server.router.add_route(route.method, API + route.path, self._handler(route))
        server.router.add_post(GRAPHQL, self._graphql)
        self.website.add_to(server)
        server.router.add_route("*", r"/{owner}/{repo:[^/{}]+}.git/{rest:.*}", self._git)
        server.router.add_route("*", "/{rest:.*}", self._nothing)
        self._runner = web.AppRunner(server, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.world.root = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.webhooks.close()
        if self._runner is not None:
            await self._runner.cleanup()

    # what a test does to it

    def fail(self, method: str, path: str, fault: Fault, *, times: int = 1) -> None:
        """Let the next calls of a route go wrong; in `path` a `*` is for anything.

        The path is the API's (`/repos/acme/edges/*`), or `/graphql`.
        """
        self._faults.add(method, path, fault, times)

    def pending_faults(self) -> int:
        """How many that were asked for have met no call."""
        return self._faults.pending()

    def send_webhooks_to(self, url: str) -> None:
        """Deliver from now on."""
        self.webhooks.url = url

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.world.clock.advance(seconds)

    def installation(self, full_name: str) -> Installation:
        """The App's installation on a repository."""
        found = self.world.installation_of(self.world.repo(full_name))
        if found is None:
            message = f"the App is not installed on {full_name}"
            raise AssertionError(message)
        return found

    def personal_token(self, login: str) -> str:
        """A token of a person."""
        value = f"ghp_{login}_{self.world.new_id()}"
        self.world.tokens[value] = Token(value, user=self.world.user(login).login)
        return value

    def revoke_tokens(self) -> None:
        """Take all tokens back."""
        self.world.tokens.clear()

    def made_from_manifest(self, code: str, **app: object) -> None:
        """Somebody has made an App; the code fetches it once."""
        self.world.manifests[code] = {
            "id": self.app.id,
            "slug": self.app.slug,
            "html_url": f"{self.url}/apps/{self.app.slug}",
            "client_id": "Iv1.0123456789abcdef",
            "client_secret": "a client's secret",
            "pem": self.app.private_key,
            "webhook_secret": self.app.webhook_secret,
            **app,
        }

    # what a test sees of it

    @property
    def calls(self) -> list[Seen]:
        """The API calls that came, in order."""
        return self._faults.seen

    def called(self, method: str, part: str) -> int:
        """How many calls had this in their path."""
        return sum(each.method == method and part in each.path for each in self.calls)

    async def expect_call(self, method: str, part: str, *, times: int = 1) -> None:
        """Wait until so many calls have come; those that are held count too."""
        await self.expect(
            f"{method} ...{part}... {times} times",
            lambda: self.called(method, part) >= times or None,
            lambda: self.calls,
        )

    # answers

    def _handler(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._respond(request, request.path.removeprefix(API), route.answer)

        return handle

    async def _graphql(self, request: web.Request) -> web.StreamResponse:
        return await self._respond(request, "/graphql", graphql.run)

    async def _git(self, request: web.Request) -> web.StreamResponse:
        return await serve_git(self.world, self._folder, request)

    async def _nothing(self, request: web.Request) -> web.StreamResponse:
        def refuse(_call: Call) -> Answer:
            raise not_found()

        return await self._respond(request, request.path.removeprefix(API), refuse)

    async def _respond(
        self, request: web.Request, path: str, work: Callable[[Call], Answer]
    ) -> web.StreamResponse:
        """The true answer, or what a fault makes of it."""
        body = await request.read()
        refused: ApiError | None = None
        try:
            caller = caller_of(self.world, request.headers.get("Authorization"))
        except ApiError as error:
            caller, refused = Caller(self.world), error
        fault = self._faults.take(Seen(request.method, path, caller.name))
        await self.world.tell()
        if fault and fault.hold:
            await fault.hold.wait()
        answer = None
        if fault is None or fault.after or fault.hold or not (fault.status or fault.drop):
            call = Call(
                self.world,
                self.webhooks,
                caller,
                path,
                request.match_info,
                request.query,
                body,
            )
            answer = _run(call, work, refused)
            await self.world.tell()
        if fault and fault.drop:
            return _dropped(request)
        if fault and fault.status:
            answer = self._faulty(fault)
            if fault.body is not None:
                return web.Response(status=fault.status, body=fault.body)
        return self._response(answer or Answer(status=500), caller)

    def _faulty(self, fault: Fault) -> Answer:
        headers = dict(fault.headers)
        if fault.reset_in is not None:
            reset = int(self.world.clock.now()) + fault.reset_in
            headers |= {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
        return Answer({"message": fault.message}, fault.status, headers)

    def _response(self, answer: Answer, caller: Caller) -> web.StreamResponse:
        now = self.world.clock.now()
        headers = {
            "Date": format_datetime(datetime.fromtimestamp(int(now), UTC), usegmt=True),
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-RateLimit-Limit": str(CALLS_PER_HOUR),
            "X-RateLimit-Remaining": str(caller.token.calls_left if caller.token else 60),
            "X-RateLimit-Reset": str(int(now) + 3600),
        }
        headers |= answer.headers
        return web.json_response(answer.data, status=answer.status, headers=headers)


def _run(call: Call, work: Callable[[Call], Answer], refused: ApiError | None) -> Answer:
    try:
        if refused is not None:
            raise refused
        _count(call.caller)
        return work(call)
    except ApiError as error:
        return Answer(error.body, error.status, error.headers)


def _count(caller: Caller) -> None:
    """Take a call from the hour's; the App's own login has no limit here."""
    if caller.token is None:
        return
    if caller.token.calls_left <= 0:
        message = "API rate limit exceeded for installation."
        raise ApiError(403, message, headers={"X-RateLimit-Remaining": "0"})
    caller.token.calls_left -= 1


def _dropped(request: web.Request) -> web.StreamResponse:
    """Nothing is sent any more on this connection."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
