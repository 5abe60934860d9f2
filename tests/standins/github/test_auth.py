"""Who may do what: as strict as GitHub."""

import time

import aiohttp
import jwt
import pytest

from bot.domain.github import Permission
from tests.standins.github.conftest import Ask, signed
from tests.standins.github.server import GitHubServer

EDGES = "/repos/acme/edges"


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(time.time()) - 1},
        {"exp": int(time.time()) + 3600},
        {"iat": int(time.time()) + 3600},
        {"iss": "99"},
    ],
)
async def test_a_jwt_with_a_wrong_claim_is_not_taken(
    github: GitHubServer, http: aiohttp.ClientSession, changes: dict[str, object]
) -> None:
    headers = {"Authorization": f"Bearer {signed(github, **changes)}"}

    async with http.get(f"{github.api_url}/app", headers=headers) as answer:
        assert answer.status in {401, 404}


async def test_a_jwt_that_is_signed_otherwise_is_not_taken(
    github: GitHubServer, http: aiohttp.ClientSession
) -> None:
    claims = jwt.decode(signed(github), options={"verify_signature": False})
    forged = jwt.encode(claims, "a key of some other kind, which is long", algorithm="HS256")

    headers = {"Authorization": f"Bearer {forged}"}
    async with http.get(f"{github.api_url}/app", headers=headers) as answer:
        assert answer.status == 401


async def test_a_token_is_not_the_app(ask: Ask, token: str) -> None:
    assert (await ask("GET", "/app", token)).status == 401


async def test_the_app_itself_sees_no_repository(ask: Ask) -> None:
    assert (await ask("GET", EDGES, "app")).status == 404


async def test_nobody_sees_what_is_private(ask: Ask) -> None:
    assert (await ask("GET", EDGES)).status == 404


async def test_a_token_that_nobody_issued_is_refused(ask: Ask) -> None:
    answer = await ask("GET", EDGES, "ghs_made_up")

    assert (answer.status, answer.data["message"]) == (401, "Bad credentials")


async def test_a_token_ends_after_an_hour(github: GitHubServer, ask: Ask, token: str) -> None:
    assert (await ask("GET", EDGES, token)).status == 200

    github.advance(3601)

    assert (await ask("GET", EDGES, token)).status == 401


async def test_a_token_sees_only_what_its_installation_includes(
    github: GitHubServer, ask: Ask, token: str
) -> None:
    github.repository("umbrella/hive")

    assert (await ask("GET", "/repos/umbrella/hive", token)).status == 404


async def test_a_narrowed_token_sees_only_its_repository(github: GitHubServer, ask: Ask) -> None:
    other = github.repository("acme/other")
    number = github.installation("acme/edges").id
    answer = await ask(
        "POST",
        f"/app/installations/{number}/access_tokens",
        "app",
        {"repository_ids": [other.id], "permissions": {"contents": "read"}},
    )
    narrowed = answer.data["token"]

    assert (await ask("GET", EDGES, narrowed)).status == 404
    assert (await ask("GET", "/repos/acme/other/contents/README.md", narrowed)).status == 200
    assert (await ask("GET", "/repos/acme/other/pulls", narrowed)).status == 403


@pytest.mark.parametrize(
    "asked",
    [
        {"permissions": {"administration": "write"}},
        {"permissions": {"contents": "write"}},
        {"repositories": ["nothing"]},
        {"unknown": 1},
    ],
)
async def test_a_token_is_never_wider_than_its_installation(
    github: GitHubServer, ask: Ask, asked: dict[str, object]
) -> None:
    number = github.installation("acme/edges").id

    answer = await ask("POST", f"/app/installations/{number}/access_tokens", "app", asked)

    assert answer.status == 422


async def test_a_missing_permission_is_named(github: GitHubServer, ask: Ask) -> None:
    github.installation("acme/edges").permissions = {"metadata": "read"}
    number = github.installation("acme/edges").id
    answer = await ask("POST", f"/app/installations/{number}/access_tokens", "app")

    refused = await ask("GET", f"{EDGES}/deployments", answer.data["token"])

    assert refused.status == 403
    assert refused.headers["X-Accepted-GitHub-Permissions"] == "deployments=read"


async def test_a_reader_may_not_see_others_permissions(github: GitHubServer, ask: Ask) -> None:
    github.allow("eve", "acme/edges", Permission.READ)

    answer = await ask("GET", f"{EDGES}/collaborators/ada/permission", github.personal_token("eve"))

    assert answer.status == 403


async def test_the_old_permission_has_four_steps_and_the_role_all(
    github: GitHubServer, ask: Ask, token: str
) -> None:
    github.allow("bob", "acme/edges", Permission.MAINTAIN)

    answer = await ask("GET", f"{EDGES}/collaborators/bob/permission", token)

    assert (answer.data["permission"], answer.data["role_name"]) == ("write", "maintain")


async def test_a_suspended_installations_tokens_are_worthless(
    github: GitHubServer, ask: Ask, token: str
) -> None:
    github.installation("acme/edges").suspended = True

    assert (await ask("GET", EDGES, token)).status == 403


async def test_the_hours_calls_are_counted(github: GitHubServer, ask: Ask, token: str) -> None:
    github.world.tokens[token].calls_left = 1

    first, second = await ask("GET", EDGES, token), await ask("GET", EDGES, token)

    assert (first.status, first.headers["X-RateLimit-Remaining"]) == (200, "0")
    assert second.status == 403
    assert second.data["message"].startswith("API rate limit exceeded")
