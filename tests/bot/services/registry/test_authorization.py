"""Logins and tokens."""

import threading

import pytest
from pydantic import SecretStr

from bot.domain.reasons import Code, StoppedError
from bot.services.logins import Login
from bot.services.registry import Registry
from bot.services.registry.authorization import challenges
from bot.services.registry.wire import Answer
from tests.bot.services.registry.server import DIGEST, LOGIN, Server, basic, error, opened


class TestToken:
    async def test_an_anonymous_token_is_enough_to_read(self, bearer_server: Server) -> None:
        async with opened() as ours:
            assert await ours.digest(bearer_server.repository, "old") == DIGEST

    async def test_an_anonymous_token_is_not_enough_to_write(self, bearer_server: Server) -> None:
        async with opened() as ours:
            with pytest.raises(StoppedError, match=r"push to .* without a login") as stopped:
                await ours.add_tag(bearer_server.repository, DIGEST, "new")
        assert stopped.value.reason.code is Code.REGISTRY_REFUSED

    async def test_a_login_gets_a_token_to_write(self, bearer_server: Server) -> None:
        async with opened(LOGIN) as ours:
            await ours.add_tag(bearer_server.repository, DIGEST, "new")
        assert bearer_server.tags["new"] == DIGEST

    async def test_the_password_goes_to_the_token_server_only(self, bearer_server: Server) -> None:
        async with opened(LOGIN) as ours:
            await ours.add_tag(bearer_server.repository, DIGEST, "new")
        sent = {header for _, _, header in bearer_server.asked("/v2/")}
        assert basic(LOGIN) not in sent

    async def test_an_identity_token_is_exchanged(self, bearer_server: Server) -> None:
        async with opened(Login("<token>", SecretStr("identity"))) as ours:
            await ours.add_tag(bearer_server.repository, DIGEST, "new")
        assert bearer_server.tags["new"] == DIGEST

    async def test_a_token_is_asked_for_once(self, bearer_server: Server) -> None:
        async with opened(LOGIN) as ours:
            for _ in range(3):
                await ours.digest(bearer_server.repository, "old")
        assert len(bearer_server.asked("/token")) == 1

    @pytest.mark.parametrize("lifetime", [0, 5])
    async def test_a_token_that_is_too_old_is_not_sent(
        self, bearer_server: Server, lifetime: int
    ) -> None:
        bearer_server.lifetime = lifetime
        async with opened(LOGIN) as ours:
            for _ in range(3):
                await ours.digest(bearer_server.repository, "old")
        assert len(bearer_server.asked("/token")) == 3

    async def test_a_token_that_the_registry_forgot_is_asked_for_again(
        self, bearer_server: Server
    ) -> None:
        async with opened(LOGIN) as ours:
            await ours.digest(bearer_server.repository, "old")
            bearer_server._given.clear()
            assert await ours.digest(bearer_server.repository, "old") == DIGEST

    async def test_a_wrong_password_is_refused_without_being_said(
        self, bearer_server: Server
    ) -> None:
        wrong = Login("ada", SecretStr("wrong-one"))
        async with opened(wrong) as ours:
            with pytest.raises(StoppedError, match="with the login") as stopped:
                await ours.digest(bearer_server.repository, "old")
        assert stopped.value.reason.code is Code.REGISTRY_REFUSED
        assert "you sent" in stopped.value.reason.fact
        assert "***" in stopped.value.reason.fact
        assert basic(wrong).removeprefix("Basic ") not in stopped.value.reason.fact

    async def test_no_login_goes_to_a_token_server_without_tls(self, bearer_server: Server) -> None:
        bearer_server.realm = "http://token.evil.example/"
        async with opened(LOGIN) as ours:
            with pytest.raises(StoppedError, match="without TLS") as stopped:
                await ours.digest(bearer_server.repository, "old")
        assert stopped.value.reason.code is Code.REGISTRY_REFUSED


async def test_the_event_loop_is_not_held_up_by_a_credential_helper(
    bearer_server: Server,
) -> None:
    threads: list[threading.Thread] = []

    def find_login(_host: str) -> Login:
        threads.append(threading.current_thread())
        return LOGIN

    registry = Registry(find_login)
    await registry.digest(bearer_server.repository, "old")
    await registry.close()

    assert threads
    assert threading.main_thread() not in threads


@pytest.mark.parametrize(
    ("header", "offered"),
    [
        ("", {}),
        ("Basic", {"basic": {}}),
        ('Basic realm="a, b"', {"basic": {"realm": "a, b"}}),
        (
            'Bearer realm="https://a/t",service="s",scope="repository:a:pull,push"',
            {"bearer": {"realm": "https://a/t", "service": "s", "scope": "repository:a:pull,push"}},
        ),
        ('Basic realm="a", BEARER Realm=b', {"basic": {"realm": "a"}, "bearer": {"realm": "b"}}),
    ],
)
def test_challenges_are_read_as_the_specification_writes_them(
    header: str, offered: dict[str, dict[str, str]]
) -> None:
    assert challenges(Answer(401, {"WWW-Authenticate": header}, b"")) == offered


async def test_two_ways_to_log_in_may_come_in_two_headers(server: Server) -> None:
    fault = error(401, "UNAUTHORIZED")
    fault.headers.add("WWW-Authenticate", "Negotiate")
    fault.headers.add("WWW-Authenticate", 'Basic realm="a"')
    server.faults = [fault]
    async with opened(LOGIN) as ours:
        assert await ours.digest(server.repository, "old") == DIGEST
    assert server.seen[-1][2] == basic(LOGIN)


async def test_a_401_that_asks_for_nothing_is_refused(server: Server) -> None:
    server.faults = [error(401, "UNAUTHORIZED")]
    async with opened(LOGIN) as ours:
        with pytest.raises(StoppedError) as stopped:
            await ours.digest(server.repository, "old")
    assert stopped.value.reason.code is Code.REGISTRY_REFUSED
