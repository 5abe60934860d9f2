"""Where a request goes."""

import pytest
from aiohttp import web

from bot.domain.reasons import Code, StoppedError
from bot.services.registry.wire import Place, Request
from tests.bot.services.registry.server import DIGEST, LOGIN, Server, opened


class TestRedirect:
    async def test_it_is_followed_without_the_login(self, bearer_server: Server) -> None:
        async with Server().running() as other, opened(LOGIN) as ours:
            await ours.digest(bearer_server.repository, "old")
            onward = f"http://{other.repository.replace('/', '/v2/', 1)}/manifests/old"
            bearer_server.faults = [web.Response(status=307, headers={"Location": onward})]
            assert await ours.digest(bearer_server.repository, "old") == DIGEST
        assert [header for _, _, header in other.seen] == [None]

    @pytest.mark.parametrize("onward", ["http://evil.example/", "ftp://127.0.0.1/", ""])
    async def test_it_is_not_followed_to_where_it_is_not_safe(
        self, server: Server, onward: str
    ) -> None:
        server.faults = [
            web.Response(status=307, headers={"Location": onward} if onward else {})
            for _ in range(20)
        ]
        async with opened() as ours:
            with pytest.raises(StoppedError) as stopped:
                await ours.digest(server.repository, "old")
        assert stopped.value.reason.code is Code.REGISTRY_REFUSED


class TestScheme:
    @pytest.mark.parametrize(
        ("repository", "insecure", "url"),
        [
            ("docker.io/ubuntu", (), "https://registry-1.docker.io/v2/library/ubuntu/manifests/t"),
            ("docker.io/acme/a", (), "https://registry-1.docker.io/v2/acme/a/manifests/t"),
            ("ghcr.io/acme/a", (), "https://ghcr.io/v2/acme/a/manifests/t"),
            ("localhost:5000/a", (), "http://localhost:5000/v2/a/manifests/t"),
            ("[::1]:5000/a", (), "http://[::1]:5000/v2/a/manifests/t"),
            ("127.9.9.9/a", (), "http://127.9.9.9/v2/a/manifests/t"),
            ("127.0.0.1.evil.io/a", (), "https://127.0.0.1.evil.io/v2/a/manifests/t"),
            ("in.acme.io:5000/a", ("in.acme.io:5000",), "http://in.acme.io:5000/v2/a/manifests/t"),
        ],
    )
    def test_only_this_machine_and_named_hosts_go_without_tls(
        self, repository: str, insecure: tuple[str, ...], url: str
    ) -> None:
        place = Place.of(repository, insecure)
        assert Request("HEAD", place, "t").url == url

    async def test_a_registry_without_tls_is_explained(
        self, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Place, "of", _as_if_remote)
        async with opened() as ours:
            with pytest.raises(StoppedError) as stopped:
                await ours.digest(server.repository, "old")
        assert stopped.value.reason.code is Code.REGISTRY_UNREACHABLE
        assert "PACHOPS_INSECURE_REGISTRIES" in stopped.value.reason.next_step


def _as_if_remote(repository: str, _insecure: object) -> Place:
    host, _, path = repository.partition("/")
    return Place(repository, host, f"https://{host}", path)
