"""A repository's own webhook, for a token: which one is ours, and what of it did not arrive."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.github import Permission
from bot.domain.reasons import Code, StoppedError
from bot.services.github import GitHub, Hook, NoHook
from tests.standins.github.faults import error, garbled
from tests.standins.github.server import GitHubServer

EDGES = "acme/edges"
OURS = "https://pachops.example/github/webhook"
LONG_AGO = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture(autouse=True)
def _ada_is_an_admin(server: GitHubServer) -> None:
    server.allow("ada", EDGES, Permission.ADMIN)


async def ours(by_token: GitHub, address: str | None = OURS) -> Hook | NoHook:
    return await by_token.for_repository("acme", "edges").our_hook(address)


async def test_it_is_known_by_its_address(by_token: GitHub, server: GitHubServer) -> None:
    server.hook(EDGES, "https://other.example/github/webhook")
    hook = server.hook(EDGES, "https://Pachops.example/github/webhook/")
    found = await ours(by_token)
    assert isinstance(found, Hook)
    assert (found.path, found.place) == (f"/repos/{EDGES}/hooks/{hook.id}", EDGES)


async def test_where_our_address_is_not_known_the_only_one_that_ends_as_ours_does_is_ours(
    by_token: GitHub, server: GitHubServer
) -> None:
    server.hook(EDGES, "https://ci.example/hook")
    server.hook(EDGES, "https://old.example/github/webhook", active=False)
    hook = server.hook(EDGES, OURS)
    found = await ours(by_token, None)
    assert isinstance(found, Hook)
    assert found.path.endswith(f"/{hook.id}")


async def test_another_bots_webhook_is_not_ours_where_our_address_is_known(
    by_token: GitHub, server: GitHubServer
) -> None:
    server.hook(EDGES, "https://other.example/github/webhook")
    assert await ours(by_token) is NoHook.MISSING


async def test_of_several_none_is_taken(by_token: GitHub, server: GitHubServer) -> None:
    for host in ("one", "two"):
        server.hook(EDGES, f"https://{host}.example/github/webhook")
    assert await ours(by_token, None) is NoHook.SEVERAL


async def test_where_there_is_none_it_is_missing(by_token: GitHub, server: GitHubServer) -> None:
    server.hook(EDGES, "https://ci.example/hook")
    assert await ours(by_token) is NoHook.MISSING


@pytest.mark.parametrize(
    "answer", [b'[{"id": 1, "config": null}]', b'{"message": "x"}', b'[{"url": "x"}]', b"[7]"]
)
async def test_an_answer_that_is_no_list_of_webhooks_is_a_reason(
    by_token: GitHub, server: GitHubServer, answer: bytes
) -> None:
    server.fail("GET", f"/repos/{EDGES}/hooks", garbled(answer), times=9)
    with pytest.raises(StoppedError) as stopped:
        await ours(by_token)
    assert stopped.value.reason.code is Code.GITHUB_UNREACHABLE


async def test_whoever_is_no_admin_sees_none(by_token: GitHub, server: GitHubServer) -> None:
    server.hook(EDGES, OURS)
    server.allow("ada", EDGES, Permission.MAINTAIN)
    assert await ours(by_token) is NoHook.HIDDEN


async def test_a_token_without_the_permission_sees_none(
    by_token: GitHub, server: GitHubServer
) -> None:
    server.hook(EDGES, OURS)
    server.fail("GET", f"/repos/{EDGES}/hooks", error(403))
    assert await ours(by_token) is NoHook.HIDDEN


async def test_a_login_that_is_not_taken_is_told_from_another_refusal(
    by_token: GitHub, server: GitHubServer
) -> None:
    server.fail("GET", f"/repos/{EDGES}/hooks", error(401, "Bad credentials"))
    with pytest.raises(StoppedError) as stopped:
        await ours(by_token)
    assert stopped.value.reason.code is Code.GITHUB_LOGIN_REFUSED
    server.fail("GET", f"/repos/{EDGES}/hooks", error(410))
    with pytest.raises(StoppedError) as stopped:
        await ours(by_token)
    assert stopped.value.reason.code is Code.GITHUB_REFUSED


async def test_what_did_not_arrive_is_listed_and_asked_for(
    by_token: GitHub, server: GitHubServer
) -> None:
    server.hook(EDGES, OURS)
    server.send_webhooks_to("http://127.0.0.1:9/")
    await server.push(EDGES, {"a": "1"})
    found = await ours(by_token)
    assert isinstance(found, Hook)

    (failed,) = await found.failed_deliveries(LONG_AGO)
    await found.redeliver(failed.id)

    delivery = server.webhooks.all[0]
    assert failed.guid == delivery.guid
    await server.expect(
        "a second attempt", lambda: len(delivery.attempts) == 2 or None, lambda: [delivery]
    )


async def test_another_hooks_deliveries_are_not_ours(
    by_token: GitHub, server: GitHubServer
) -> None:
    server.hook(EDGES, "https://ci.example/hook")
    server.hook(EDGES, OURS, delivers=False)
    server.send_webhooks_to("http://127.0.0.1:9/")
    await server.push(EDGES, {"a": "1"})
    found = await ours(by_token)
    assert isinstance(found, Hook)
    assert await found.failed_deliveries(LONG_AGO) == ()
    attempt = server.webhooks.all[0].attempts[0]
    with pytest.raises(StoppedError) as stopped:
        await found.redeliver(attempt.id)
    assert stopped.value.reason.code is Code.GITHUB_REFUSED
