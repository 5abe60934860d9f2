"""The Docker Engine: build, test, tag and push images."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Self, cast

from docker.errors import APIError, NotFound
from docker.utils import version_lt
from pydantic import SecretStr
from requests.structures import CaseInsensitiveDict

from bot.domain.progress import Progress
from bot.domain.reasons import Code, StoppedError
from bot.services.docker import container
from bot.services.docker import push as pushing
from bot.services.docker.build import build_legacy, build_with_buildkit
from bot.services.docker.failures import pull_failure
from bot.services.docker.link import Link
from bot.services.docker.logins import auth_config, registry_of
from bot.services.docker.orders import BuildOrder, LocalImage, TestOrder, TestRun
from bot.services.docker.wire import Address, EngineClient
from bot.services.logins import Login

Report = Callable[[Progress], None]

_PING_TIMEOUT = 10
_SLOW_TIMEOUT = 600
BUILT_AT_LABEL = "org.opencontainers.image.created"
_OLDEST_API = "1.24"
_FIRST_WITH_BUILDKIT = "1.39"


class DockerEngine:
    """A Docker Engine that answers.

    Every method raises StoppedError ENGINE_UNREACHABLE where it stops answering, and cleans up
    behind itself when it is cancelled.
    """

    def __init__(self, link: Link, version: str, *, has_buildkit: bool) -> None:
        self.version = version
        self.has_buildkit = has_buildkit
        self._link = link

    @classmethod
    async def connect(
        cls,
        host: str | None = None,
        *,
        find_login: Callable[[str], Login | None],
        workers: int = 8,
        buildkit: bool | None = None,
        secrets: Iterable[SecretStr] = (),
    ) -> Self:
        """Find the engine at `host`, else at DOCKER_HOST, else at the default socket.

        `workers` is how many builds, tests and pushes may run at once. `buildkit` False takes the
        legacy builder; None takes what the engine has. `secrets` are hidden in the output of builds
        and tests; a build's own always are. Raises StoppedError.
        """
        address = Address.find(host)
        link = Link(address, _OLDEST_API, find_login, workers, secrets)
        try:
            headers = await link.call(_ping, timeout=_PING_TIMEOUT)
            link.api_version = headers.get("Api-Version", _OLDEST_API)
            version = (await link.call(lambda client: client.version()))["Version"]
        except APIError as error:
            await link.close()
            fact = f"it answers with an error: {error.explanation or error}"
            raise StoppedError(Code.ENGINE_UNREACHABLE, fact, where=address.text) from error
        except BaseException:
            await link.close()
            raise
        if buildkit is None:
            buildkit = _offers_buildkit(headers)
        return cls(link, version, has_buildkit=buildkit)

    @property
    def address(self) -> str:
        """Where it is, as a person writes it in DOCKER_HOST."""
        return self._link.address.text

    async def ping(self) -> None:
        """Nothing, where it still answers."""
        with _refusals(self.address):
            await self._link.call(_ping, timeout=_PING_TIMEOUT)

    async def close(self) -> None:
        """Wait for the engine's threads."""
        await self._link.close()

    async def find(self, reference: str) -> LocalImage | None:
        """The image, where the engine has it."""
        with _refusals(reference):
            try:
                found = await self._link.call(lambda client: _inspect(client, reference))
            except NotFound:
                return None
        return LocalImage(found["Id"], (found.get("Config") or {}).get("Labels") or {})

    async def build(
        self,
        order: BuildOrder,
        open_context: Callable[[], AbstractContextManager[BinaryIO]],
        report: Report,
    ) -> str:
        """Build an image; its id.

        `open_context` gives the context as a tar. It is opened, read and left in a thread. When the
        build is cancelled it is left from another one, which must end a read that waits.
        """
        build = build_with_buildkit if self.has_buildkit else build_legacy
        return await build(self._link, order, open_context, report)

    async def pull(self, repository: str, tag: str) -> None:
        """Bring an image here, as its platform has it."""
        registry, reference = registry_of(repository), f"{repository}:{tag}"
        login = auth_config(registry, await self._link.login(registry))
        try:
            await self._link.long_call(
                lambda client: client.pull(repository, tag, auth_config=login or None)
            )
        except APIError as error:
            raise pull_failure(reference, str(error.explanation or error)) from error

    async def test(self, order: TestOrder, report: Report) -> TestRun:
        """Run a command in an image, locked down, and remove its container."""
        with _refusals(f"image {order.image}"):
            return await container.run_test(self._link, order, report)

    async def remove_leftovers(self, deployment: str) -> int:
        """Remove the containers that a killed bot left of a deployment; how many there were."""
        with _refusals(f"deployment {deployment}"):
            return await container.remove_leftovers(self._link, deployment)

    async def tag(self, source: str, repository: str, tag: str) -> None:
        """Give an image another name."""
        with _refusals(f"{repository}:{tag}"):
            await self._link.call(lambda client: client.tag(source, repository, tag))

    async def push(self, image: str, repository: str, tag: str, report: Report) -> str:
        """Push `repository:tag`, which is on the engine; its digest. `image` is our name for it."""
        return await pushing.push(self._link, image, repository, tag, report)

    async def forget_images(self, label: str, before: float) -> int:
        """Remove our names of images that have this label and were built before then; how many.

        Args:
            label: one that only our images have.
            before: seconds since the epoch.
        """
        with _refusals("old images"):
            return await self._link.call(
                lambda client: _remove_images(client, label, before), timeout=_SLOW_TIMEOUT
            )

    async def forget_cache(self, unused: float) -> int:
        """Remove the build cache that was not used for so many seconds; how many bytes."""
        if not self.has_buildkit:
            return 0
        with _refusals("the build cache"):
            answer = await self._link.call(
                lambda client: client.prune_builds(filters={"until": f"{int(unused)}s"}, all=True),
                timeout=_SLOW_TIMEOUT,
            )
        return int(answer.get("SpaceReclaimed") or 0)

    async def free_bytes(self) -> int | None:
        """Free space where the engine keeps its data, if that is on this machine."""
        if self._link.address.path is None:
            return None
        with _refusals(self._link.address.text):
            root = (await self._link.call(lambda client: client.info())).get("DockerRootDir")
        return await self._link.run(lambda: _free(root))


def _remove_images(client: EngineClient, label: str, before: float) -> int:
    removed = 0
    for image in client.images(filters={"label": label}):
        if _built_at(image) >= before:
            continue
        for tag in image["RepoTags"] or ():
            # One that a container uses stays.
            with suppress(NotFound, APIError):
                client.remove_image(tag)
                removed += 1
    return removed


def _built_at(image: dict[str, Any]) -> float:
    """When we built it: a build whose every step was cached gives an image with an old date."""
    label = (image.get("Labels") or {}).get(BUILT_AT_LABEL, "")
    try:
        return datetime.fromisoformat(label).timestamp()
    except ValueError:
        return float(image["Created"])


def _ping(client: EngineClient) -> CaseInsensitiveDict[str]:
    answer = client.get(f"{client.base_url}/_ping", timeout=_PING_TIMEOUT)
    answer.raise_for_status()
    return answer.headers


def _inspect(client: EngineClient, reference: str) -> dict[str, Any]:
    return cast(dict[str, Any], client.inspect_image(reference))  # type: ignore[no-untyped-call]  # the stubs lack its types


def _offers_buildkit(headers: CaseInsensitiveDict[str]) -> bool:
    """Whether an engine answers version 2 of /build.

    Builder-Version is its administrator's choice, and absent in engines before 23 that have both;
    Podman has another builder behind the same API.
    """
    return (
        headers.get("Ostype", "linux") == "linux"
        and not version_lt(headers.get("Api-Version", _OLDEST_API), _FIRST_WITH_BUILDKIT)
        and headers.get("Builder-Version") != "1"
        and "Libpod-API-Version" not in headers
    )


def _free(root: str | None) -> int | None:
    if root is None or not Path(root).is_dir():
        return None
    return shutil.disk_usage(root).free


@contextmanager
def _refusals(what: str) -> Iterator[None]:
    """Turn an error that nothing more exact is known of into StoppedError."""
    try:
        yield
    except APIError as error:
        fact = str(error.explanation or error)
        raise StoppedError(Code.ENGINE_REFUSED, fact, where=what) from error
