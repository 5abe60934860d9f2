"""Manifests and their digests."""

import hashlib

import pytest
from aiohttp import web

from bot.domain.reasons import StoppedError
from tests.bot.services.registry.server import (
    DIGEST,
    MANIFEST,
    MANIFEST_TYPE,
    Server,
    error,
    opened,
)


class TestManifest:
    async def test_a_digest_that_the_registry_does_not_name_is_worked_out(
        self, server: Server
    ) -> None:
        server.names_digest = False
        async with opened() as ours:
            assert await ours.digest(server.repository, "old") == DIGEST

    async def test_an_unknown_name_is_none_whatever_its_status(self, server: Server) -> None:
        server.faults = [web.Response(status=400), error(400, "NAME_UNKNOWN")]
        async with opened() as ours:
            assert await ours.digest(server.repository, "old") is None

    async def test_another_error_is_not_taken_for_a_missing_tag(self, server: Server) -> None:
        server.faults = [web.Response(status=400), error(400, "NAME_INVALID")]
        async with opened() as ours:
            with pytest.raises(StoppedError, match="NAME_INVALID"):
                await ours.digest(server.repository, "old")

    async def test_a_web_page_is_not_taken_for_a_manifest(self, server: Server) -> None:
        server.faults = [
            web.Response(body=b"<html>", content_type="text/html"),
            web.Response(body=b"<html>", content_type="text/html"),
        ]
        async with opened() as ours:
            with pytest.raises(StoppedError, match="text/html"):
                await ours.digest(server.repository, "old")

    async def test_bytes_and_type_are_kept_as_they_are(self, server: Server) -> None:
        content = b'{ "schemaVersion":2,\n  "manifests" : []}'
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        media_type = "application/vnd.docker.distribution.manifest.list.v2+json"
        server.manifests[digest] = (media_type, content)
        async with opened() as ours:
            await ours.add_tag(server.repository, digest, "new")
        assert server.tags["new"] == digest
        assert server.manifests[digest] == (media_type, content)

    async def test_bytes_of_another_digest_are_not_tagged(self, server: Server) -> None:
        server.manifests[DIGEST] = (MANIFEST_TYPE, b"{}")
        async with opened() as ours:
            with pytest.raises(StoppedError, match="is not sha256"):
                await ours.add_tag(server.repository, DIGEST, "new")
        assert "new" not in server.tags

    async def test_a_registry_that_stores_something_else_is_not_believed(
        self, server: Server
    ) -> None:
        other = f"sha256:{'1' * 64}"
        server.faults = [
            error(404, "MANIFEST_UNKNOWN"),
            web.Response(body=MANIFEST, content_type=MANIFEST_TYPE),
            web.Response(status=201, headers={"Docker-Content-Digest": other}),
        ]
        async with opened() as ours:
            with pytest.raises(StoppedError, match=other):
                await ours.add_tag(server.repository, DIGEST, "new")

    async def test_a_tag_that_is_there_is_not_written_again(self, server: Server) -> None:
        async with opened() as ours:
            await ours.add_tag(server.repository, DIGEST, "old")
        assert [method for method, _, _ in server.seen] == ["HEAD"]
