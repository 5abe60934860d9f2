"""Our client and a real registry."""

import hashlib
import json
from collections.abc import Iterator

import aiohttp
import pytest
from pydantic import SecretStr

from bot.domain.reasons import Code, StoppedError
from bot.services.logins import Login
from tests.bot.services.registry.server import MANIFEST_TYPE, basic, opened
from tests.real.registry import Registry as RealRegistry


@pytest.mark.real
class TestRealRegistry:
    @pytest.fixture
    def with_login(self) -> Iterator[RealRegistry]:
        with RealRegistry(login=True) as registry:
            yield registry

    async def _push(self, real: RealRegistry, repository: str) -> str:
        """An image without layers, in two requests more than a manifest."""
        base = f"http://{real.address}/v2/{repository}"
        config = b"{}"
        config_digest = f"sha256:{hashlib.sha256(config).hexdigest()}"
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST_TYPE,
                "config": {
                    "mediaType": "application/vnd.oci.image.config.v1+json",
                    "digest": config_digest,
                    "size": len(config),
                },
                "layers": [],
            }
        ).encode()
        headers = {"Authorization": basic(real.login)} if real.login else {}
        async with aiohttp.ClientSession(headers=headers, raise_for_status=True) as session:
            async with session.post(f"{base}/blobs/uploads/") as begun:
                location = begun.headers["Location"]
            join = "&" if "?" in location else "?"
            octets = {"Content-Type": "application/octet-stream"}
            url = f"{location}{join}digest={config_digest}"
            async with session.put(url, data=config, headers=octets):
                pass
            kind = {"Content-Type": MANIFEST_TYPE}
            async with session.put(f"{base}/manifests/first", data=manifest, headers=kind) as put:
                return put.headers["Docker-Content-Digest"]

    async def test_a_tag_has_its_digest(self, registry: RealRegistry) -> None:
        digest = await self._push(registry, "read")
        async with opened() as ours:
            assert await ours.digest(f"{registry.address}/read", "first") == digest

    async def test_what_is_not_there_is_none(self, registry: RealRegistry) -> None:
        await self._push(registry, "missing")
        async with opened() as ours:
            assert await ours.digest(f"{registry.address}/missing", "second") is None
            assert await ours.digest(f"{registry.address}/never/pushed", "first") is None

    async def test_a_tag_is_added_and_moved(self, registry: RealRegistry) -> None:
        repository = f"{registry.address}/tagged"
        digest = await self._push(registry, "tagged")
        async with opened() as ours:
            for _ in range(2):
                await ours.add_tag(repository, digest, "v1.0_x-y")
            assert await ours.digest(repository, "v1.0_x-y") == digest

    async def test_a_digest_that_is_not_there_gets_no_tag(self, registry: RealRegistry) -> None:
        await self._push(registry, "untagged")
        async with opened() as ours:
            with pytest.raises(StoppedError) as stopped:
                await ours.add_tag(f"{registry.address}/untagged", f"sha256:{'1' * 64}", "v1")
        assert stopped.value.reason.code is Code.REGISTRY_REFUSED

    async def test_a_login_opens_a_registry_that_wants_one(self, with_login: RealRegistry) -> None:
        repository = f"{with_login.address}/private"
        digest = await self._push(with_login, "private")
        async with opened(with_login.login) as ours:
            await ours.add_tag(repository, digest, "second")
            assert await ours.digest(repository, "second") == digest

    @pytest.mark.parametrize(
        ("login", "said"),
        [(None, "without a login"), (Login("ada", SecretStr("wrong-one")), "with the login")],
    )
    async def test_a_missing_or_wrong_login_is_refused(
        self, with_login: RealRegistry, login: Login | None, said: str
    ) -> None:
        repository = f"{with_login.address}/private"
        async with opened(login) as ours:
            with pytest.raises(StoppedError, match=said) as stopped:
                await ours.digest(repository, "first")
        assert stopped.value.reason.code is Code.REGISTRY_REFUSED
        assert repository in stopped.value.reason.fact
        assert "wrong-one" not in str(stopped.value)
