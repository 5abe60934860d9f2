"""What the client does when GitHub is slow, broken, full or unwilling."""

import asyncio

import pytest
from pydantic import SecretStr

from bot.domain.github import Permission
from bot.domain.reasons import Code, StoppedError
from bot.services.github import GitHub, RepositoryClient
from bot.services.github.access import THREADS
from bot.services.github.connection import AT_ONCE, LONGEST_WAIT, PAUSES
from tests.bot.services.github.conftest import Waits
from tests.standins.github.faults import (
    Fault,
    dropped,
    error,
    garbled,
    held,
    primary_limit,
    secondary_limit,
)
from tests.standins.github.server import GitHubServer
from tests.standins.github.state import PullRequest

PERMISSION = "*/collaborators/*"


@pytest.mark.parametrize(
    "fault", [error(500), error(502), error(503), error(504), dropped(), garbled(), garbled(b"{")]
)
async def test_a_question_that_was_not_answered_is_asked_again(
    edges: RepositoryClient, server: GitHubServer, waits: Waits, fault: Fault
) -> None:
    server.fail("GET", PERMISSION, fault, times=2)

    assert await edges.permission("ada") is Permission.WRITE
    assert waits.slept == [*PAUSES[:2]]


@pytest.mark.parametrize("fault", [error(502, "Bad Gateway"), dropped(), garbled(), garbled(b"[]")])
async def test_after_some_tries_github_is_unreachable(
    edges: RepositoryClient, server: GitHubServer, fault: Fault
) -> None:
    server.fail("GET", PERMISSION, fault, times=99)

    with pytest.raises(StoppedError) as stopped:
        await edges.permission("ada")

    assert stopped.value.reason.code is Code.GITHUB_UNREACHABLE
    assert "reading the permission of ada in acme/edges" in stopped.value.reason.fact
    assert server.called("GET", "/collaborators/") == len(PAUSES) + 1


async def test_a_host_where_nothing_listens_is_unreachable(
    server: GitHubServer, waits: Waits
) -> None:
    key = SecretStr(server.app.private_key)
    github = GitHub.as_app(1, key, base_url="http://127.0.0.1:9/api/v3", clock=waits.clock)

    with pytest.raises(StoppedError) as stopped:
        await github.for_repository("acme", "edges").permission("ada")
    await github.close()

    assert stopped.value.reason.code is Code.GITHUB_UNREACHABLE
    assert "refused" in stopped.value.reason.fact


async def test_a_call_that_is_never_answered_ends_by_time_out(
    server: GitHubServer, waits: Waits
) -> None:
    key = SecretStr(server.app.private_key)
    github = GitHub.as_app(
        server.app.id, key, base_url=server.api_url, clock=waits.clock, timeout=1
    )
    edges = github.for_repository("acme", "edges", server.installation("acme/edges").id)
    forever = asyncio.Event()
    server.fail("GET", PERMISSION, held(forever))

    assert await edges.permission("ada") is Permission.WRITE

    forever.set()
    await github.close()


async def test_a_broken_servers_retry_after_is_waited_for(
    edges: RepositoryClient, server: GitHubServer, waits: Waits
) -> None:
    server.fail("GET", PERMISSION, error(503, Retry_After="20"))

    await edges.permission("ada")

    assert waits.slept == [20.0]


@pytest.mark.parametrize(
    ("fault", "wait"),
    [
        (secondary_limit(7), 7.0),
        (secondary_limit(), 60.0),
        (error(429, "Too Many Requests", Retry_After="9"), 9.0),
        (error(429, "Too Many Requests"), 60.0),
        (error(403, "slow down", Retry_After="5"), 5.0),
        (primary_limit(120), 121.0),
    ],
)
async def test_a_limit_is_waited_out_by_githubs_clock(
    edges: RepositoryClient, server: GitHubServer, waits: Waits, fault: Fault, wait: float
) -> None:
    server.advance(200)
    server.fail("GET", PERMISSION, fault)

    assert await edges.permission("ada") is Permission.WRITE
    assert waits.slept == [pytest.approx(wait, abs=1.5)]


async def test_a_limit_of_graphql_is_a_limit_too(
    edges: RepositoryClient, server: GitHubServer, waits: Waits, pull: PullRequest
) -> None:
    body = b'{"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}'
    server.fail("POST", "/graphql", Fault(200, body=body))

    assert (await edges.pull_request(pull.number)).number == pull.number
    assert waits.slept == [60.0]


async def test_a_limit_without_end_is_told(edges: RepositoryClient, server: GitHubServer) -> None:
    server.fail("GET", PERMISSION, primary_limit(int(LONGEST_WAIT) + 3600))

    with pytest.raises(StoppedError) as stopped:
        await edges.permission("ada")

    assert stopped.value.reason.code is Code.GITHUB_LIMITED
    assert "UTC" in stopped.value.reason.next_step


async def test_a_limit_that_comes_back_again_and_again_is_told(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    server.fail("GET", PERMISSION, primary_limit(1800), times=99)

    with pytest.raises(StoppedError) as stopped:
        await edges.permission("ada")

    assert stopped.value.reason.code is Code.GITHUB_LIMITED
    assert server.called("GET", "/collaborators/") <= 4


async def test_a_limit_of_one_installation_does_not_hold_up_another(
    github: GitHub, edges: RepositoryClient, server: GitHubServer, waits: Waits
) -> None:
    server.repository("umbrella/hive")
    hive = github.for_repository("umbrella", "hive", server.installation("umbrella/hive").id)
    server.fail("GET", "/repos/acme/edges/collaborators/*", secondary_limit(60), times=20)
    waits.gate.clear()
    waiting = [asyncio.create_task(edges.permission("ada")) for _ in range(20)]
    await server.expect_call("GET", "/repos/acme/edges/collaborators", times=1)

    assert await hive.permission("ada") is Permission.WRITE
    assert not any(each.done() for each in waiting)

    waits.gate.set()
    assert await asyncio.gather(*waiting) == [Permission.WRITE] * 20


async def test_calls_that_hang_leave_threads_for_another_installation(
    github: GitHub, edges: RepositoryClient, server: GitHubServer
) -> None:
    server.repository("umbrella/hive")
    hive = github.for_repository("umbrella", "hive", server.installation("umbrella/hive").id)
    forever = asyncio.Event()
    server.fail("GET", "/repos/acme/edges/collaborators/*", held(forever), times=20)
    hanging = [asyncio.create_task(edges.permission("ada")) for _ in range(20)]
    await server.expect_call("GET", "/repos/acme/edges/collaborators", times=AT_ONCE)

    assert await hive.permission("ada") is Permission.WRITE
    assert server.called("GET", "/repos/acme/edges/collaborators") == AT_ONCE < THREADS

    forever.set()
    await asyncio.gather(*hanging)


async def test_who_comes_while_a_limit_lasts_does_not_ask(
    edges: RepositoryClient, server: GitHubServer, waits: Waits
) -> None:
    server.team("acme/ml", "ada")
    server.fail("GET", PERMISSION, secondary_limit(60))
    waits.gate.clear()
    first = asyncio.create_task(edges.permission("ada"))
    await waits.until(1)
    second = asyncio.create_task(edges.is_team_member("acme/ml", "ada"))
    await waits.until(2)

    assert server.called("GET", "/teams/") == 0

    waits.gate.set()
    await asyncio.gather(first, second)


@pytest.mark.parametrize(
    ("fault", "step"),
    [
        (error(403, "Resource not accessible by integration"), "Install the App"),
        (error(404, "Not Found"), "Install the App"),
        (error(422, "Validation Failed"), "Correct what GitHub names"),
        (error(451, "Unavailable due to a DMCA takedown"), "Correct what GitHub names"),
    ],
)
async def test_a_refusal_says_what_to_do_and_is_not_repeated(
    edges: RepositoryClient, server: GitHubServer, waits: Waits, fault: Fault, step: str
) -> None:
    server.fail("GET", "/repos/acme/edges", fault, times=9)

    with pytest.raises(StoppedError) as stopped:
        await edges.repository()

    assert stopped.value.reason.code is Code.GITHUB_REFUSED
    assert fault.message in stopped.value.reason.fact
    assert step in stopped.value.reason.next_step
    assert not waits.slept


@pytest.mark.parametrize(
    ("fault", "is_away"),
    [
        (error(502), True),
        (error(401, "Bad credentials"), True),
        (error(404, "Not Found"), False),
        (None, False),
    ],
)
async def test_it_is_away_where_nothing_is_answered(
    github: GitHub, server: GitHubServer, fault: Fault | None, *, is_away: bool
) -> None:
    if fault is not None:
        server.fail("GET", "/app", fault, times=9)
    assert await github.is_away() is is_away


async def test_a_login_that_is_not_taken_has_a_reason_of_its_own(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    server.fail("GET", "/repos/acme/edges", error(401, "Bad credentials"), times=9)

    with pytest.raises(StoppedError) as stopped:
        await edges.repository()

    assert stopped.value.reason.code is Code.GITHUB_LOGIN_REFUSED
    assert "private key" in stopped.value.reason.next_step


async def test_a_repository_that_the_app_is_not_installed_on_is_refused(
    github: GitHub, server: GitHubServer
) -> None:
    server.repository("acme/other", installed=False)
    other = github.for_repository("acme", "other", server.installation("acme/edges").id)

    with pytest.raises(StoppedError) as stopped:
        await other.repository()

    assert stopped.value.reason.code is Code.GITHUB_REFUSED
    assert "acme/other" in stopped.value.reason.fact


async def test_a_redirection_elsewhere_is_refused(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    server.fail("GET", "/repos/acme/edges", error(301, Location="https://evil.example/"))

    with pytest.raises(StoppedError) as stopped:
        await edges.repository()

    assert stopped.value.reason.code is Code.GITHUB_REFUSED


async def test_a_comment_on_a_repository_that_has_moved_is_refused_not_lost(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    elsewhere = error(307, "Moved Permanently", Location="/repositories/1/issues/1/comments")
    server.fail("POST", "*/comments", elsewhere)

    with pytest.raises(StoppedError) as stopped:
        await edges.create_comment(pull.number, "Deploying", marker="<!-- m -->")

    assert stopped.value.reason.code is Code.GITHUB_REFUSED


async def test_no_token_is_in_any_message(by_token: GitHub, server: GitHubServer) -> None:
    token = next(iter(server.world.tokens))
    server.fail("GET", "/repos/acme/edges", error(422, f"what is {token}?"))

    with pytest.raises(StoppedError) as stopped:
        await by_token.for_repository("acme", "edges").repository()

    assert token not in str(stopped.value)


async def test_cancelling_a_call_that_hangs_ends_it_at_once(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    forever = asyncio.Event()
    server.fail("GET", PERMISSION, held(forever))
    call = asyncio.create_task(edges.permission("ada"))
    await server.expect_call("GET", "/collaborators/")

    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    assert await edges.permission("ada") is Permission.WRITE
    forever.set()


async def test_waiting_for_a_limit_can_be_cancelled(
    edges: RepositoryClient, server: GitHubServer, waits: Waits
) -> None:
    server.fail("GET", PERMISSION, secondary_limit(60))
    waits.gate.clear()
    call = asyncio.create_task(edges.permission("ada"))
    await waits.until(1)

    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call


async def test_many_calls_at_once_get_each_its_own_answer(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    roles = [Permission(number % 6) for number in range(60)]
    for number, role in enumerate(roles):
        server.allow(f"user{number}", "acme/edges", role)

    found = await asyncio.gather(*(edges.permission(f"user{n}") for n in range(60)))

    assert found == roles
