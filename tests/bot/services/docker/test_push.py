import asyncio
import hashlib
from collections.abc import Callable

import docker
import pytest
import requests
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.domain.progress import Transfer
from bot.domain.reasons import Code
from bot.services.docker import BuildOrder, DockerEngine
from bot.services.logins import Login
from tests.bot.services.docker.parts import (
    Events,
    address_of,
    code_of,
    context,
    eventually,
    reason_of,
)
from tests.real.registry import Registry

pytestmark = pytest.mark.real

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def digest_in(registry: Registry, repository: str, tag: str) -> str:
    """What the registry itself says."""
    url = f"http://{registry.address}/v2/{repository}/manifests/{tag}"
    answer = requests.head(url, headers={"Accept": MANIFEST}, timeout=10)
    return answer.headers["Docker-Content-Digest"]


@pytest.fixture
async def image(
    engine: DockerEngine, registry: Registry, repository: str, busybox_image: str
) -> str:
    """The repository of a built image of the registry, tagged `1`."""
    files = {"Dockerfile": f"FROM {busybox_image}\nCOPY it /it", "it": repository * 50_000}
    ours = f"{registry.address}/{repository}"
    order = BuildOrder("edges", (f"{ours}:1", f"{repository}:1"), "Dockerfile")
    await engine.build(order, context(files), Events())
    return ours


@pytest.fixture(autouse=True)
def _remove_tags(api: docker.APIClient, registry: Registry, repository: str) -> object:
    yield
    for found in api.images(f"{registry.address}/{repository}"):
        for tag in found["RepoTags"]:
            api.remove_image(tag)


async def test_gives_the_digest_that_the_registry_has(
    engine: DockerEngine, registry: Registry, repository: str, image: str
) -> None:
    digest = await engine.push("edges", image, "1", Events())
    assert digest == digest_in(registry, repository, "1")


async def test_a_second_push_gives_the_same_digest(engine: DockerEngine, image: str) -> None:
    first = await engine.push("edges", image, "1", Events())
    assert await engine.push("edges", image, "1", Events()) == first


async def test_pushes_a_tag_that_was_set_afterwards(
    engine: DockerEngine, registry: Registry, repository: str, image: str
) -> None:
    await engine.tag(f"{repository}:1", image, "2")
    digest = await engine.push("edges", image, "2", Events())
    assert digest == digest_in(registry, repository, "2")


async def test_reports_bytes_up_to_the_last(
    engine: DockerEngine, image: str, events: Events
) -> None:
    await engine.push("edges", image, "1", events)
    transfers = events.of(Transfer)
    assert {transfer.image for transfer in transfers} == {"edges"}
    assert transfers[-1].sent == transfers[-1].total > 0
    assert [t.sent for t in transfers] == sorted(t.sent for t in transfers)


@pytest.mark.parametrize("right", [True, False])
async def test_a_private_registry_wants_the_login(
    engine_host: str,
    engine: DockerEngine,
    private_registry: Registry,
    private_login: Callable[[str], Login | None],
    busybox_image: str,
    repository: str,
    api: docker.APIClient,
    *,
    right: bool,
) -> None:
    private = f"{private_registry.address}/{repository}"
    await engine.tag(busybox_image, private, "1")
    pusher = await DockerEngine.connect(engine_host, find_login=private_login) if right else engine
    try:
        if right:
            assert (await pusher.push("edges", private, "1", Events())).startswith("sha256:")
        else:
            stopped = await reason_of(pusher.push("edges", private, "1", Events()))
            assert stopped.reason.code is Code.REGISTRY_REFUSED
            assert stopped.reason.where == f"{private}:1"
    finally:
        if right:
            await pusher.close()
        api.remove_image(f"{private}:1")


async def test_a_registry_that_does_not_answer_is_said(
    engine: DockerEngine, busybox_image: str, api: docker.APIClient
) -> None:
    await engine.tag(busybox_image, "127.0.0.1:1/it", "1")
    code = await code_of(engine.push("edges", "127.0.0.1:1/it", "1", Events()))
    api.remove_image("127.0.0.1:1/it:1")
    assert code is Code.REGISTRY_UNREACHABLE


async def test_a_tag_that_is_not_on_the_engine_is_said(
    engine: DockerEngine, registry: Registry
) -> None:
    stopped = await reason_of(engine.push("edges", f"{registry.address}/none", "1", Events()))
    assert "does not exist" in stopped.reason.fact


class Silent(asyncio.Protocol):
    """A registry that takes connections and never answers."""

    def __init__(self, connections: list[asyncio.BaseTransport]) -> None:
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connections.append(transport)


async def test_a_push_can_be_cancelled(
    engine: DockerEngine, busybox_image: str, api: docker.APIClient
) -> None:
    connections: list[asyncio.BaseTransport] = []
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: Silent(connections), "127.0.0.1", 0) as server:
        repository = f"{address_of(server)}/it"
        await engine.tag(busybox_image, repository, "1")
        push = asyncio.create_task(engine.push("edges", repository, "1", Events()))
        await eventually(lambda: bool(connections))
        push.cancel()
        async with asyncio.timeout(2):
            await asyncio.wait({push})
        for connection in connections:
            connection.close()
    api.remove_image(f"{repository}:1")
    assert push.cancelled()


class Troubled:
    """A registry that has every layer, and takes a manifest only at the last of some tries."""

    def __init__(self, tries: int) -> None:
        self.left = tries
        self.app = web.Application()
        self.app.router.add_get("/v2/", self._yes)
        self.app.router.add_head("/v2/{name}/blobs/{digest}", self._yes)
        self.app.router.add_put("/v2/{name}/manifests/{tag}", self._manifest)

    async def _yes(self, request: web.Request) -> web.Response:
        digest = request.match_info.get("digest", "")
        return web.Response(headers={"Docker-Content-Digest": digest}, body=b"it")

    async def _manifest(self, request: web.Request) -> web.Response:
        digest = "sha256:" + hashlib.sha256(await request.read()).hexdigest()
        self.left -= 1
        status = 503 if self.left else 201
        return web.Response(status=status, headers={"Docker-Content-Digest": digest})


@pytest.mark.parametrize(("tries", "pushed"), [(3, True), (4, False)])
async def test_a_registry_in_trouble_is_tried_three_times(
    engine: DockerEngine,
    busybox_image: str,
    api: docker.APIClient,
    monkeypatch: pytest.MonkeyPatch,
    tries: int,
    *,
    pushed: bool,
) -> None:
    monkeypatch.setattr("bot.services.docker.push.PAUSE", 0.0)
    troubled = Troubled(tries)
    async with TestServer(troubled.app) as server:
        repository = f"127.0.0.1:{server.port}/it"
        await engine.tag(busybox_image, repository, "1")
        push = engine.push("edges", repository, "1", Events())
        if pushed:
            assert (await push).startswith("sha256:")
        else:
            assert await code_of(push) is Code.REGISTRY_UNREACHABLE
    api.remove_image(f"{repository}:1")
    assert troubled.left == tries - 3
