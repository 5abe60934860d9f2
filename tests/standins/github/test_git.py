"""The stand-in's git: who may fetch, as strict as GitHub's."""

import base64
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from tests.standins.github.auth import issue_token
from tests.standins.github.server import GitHubServer

EDGES = "acme/edges"
READING = {"repositories": ["edges"], "permissions": {"contents": "read"}}

pytestmark = pytest.mark.real

Fetch = Callable[[str | None], Awaitable[int]]


@pytest.fixture
def fetch(github: GitHubServer, http: aiohttp.ClientSession) -> Fetch:
    """The status of the first request of a fetch, with this token."""

    async def begin(token: str | None) -> int:
        pair = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        headers = {"Authorization": f"Basic {pair}"} if token else {}
        url = f"{github.url}/{EDGES}.git/info/refs?service=git-upload-pack"
        async with http.get(url, headers=headers) as answer:
            return answer.status

    return begin


def issued(github: GitHubServer, **asked: object) -> str:
    return issue_token(github.world, github.installation(EDGES), {**READING, **asked}).value


async def test_whoever_may_read_it_fetches_it(github: GitHubServer, fetch: Fetch) -> None:
    assert await fetch(issued(github)) == 200
    assert await fetch(github.personal_token("ada")) == 200


async def test_nobody_is_asked_who_they_are(fetch: Fetch) -> None:
    assert await fetch(None) == 401


async def test_a_token_of_another_repository_is_refused(github: GitHubServer, fetch: Fetch) -> None:
    github.repository("acme/other")
    assert await fetch(issued(github, repositories=["other"])) == 404


async def test_a_token_that_may_not_read_contents_is_refused(
    github: GitHubServer, fetch: Fetch
) -> None:
    assert await fetch(issued(github, permissions={"checks": "write"})) == 403


async def test_a_token_that_has_ended_is_refused(github: GitHubServer, fetch: Fetch) -> None:
    token = issued(github)
    github.world.tokens[token].expires_at = 0.0
    assert await fetch(token) == 401


async def test_a_stranger_is_refused(github: GitHubServer, fetch: Fetch) -> None:
    assert await fetch(github.personal_token("eve")) == 404
