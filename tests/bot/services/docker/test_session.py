import pytest
from grpclib.exceptions import GRPCError
from pydantic import SecretStr

from bot.domain.reasons import Code, StoppedError
from bot.services.docker.messages import (
    CredentialsRequest,
    CredentialsResponse,
    GetSecretRequest,
)
from bot.services.docker.session import Session
from bot.services.logins import Login


async def answer(session: Session, host: str) -> CredentialsResponse:
    return await session._credentials(bytes(CredentialsRequest(host=host)))


def session_with(logins: dict[str, Login]) -> Session:
    async def find(registry: str) -> Login | None:
        return logins.get(registry)

    return Session(find, {})


async def test_gives_the_login_of_the_registry_that_is_asked_for() -> None:
    session = session_with({"r.example.com": Login("ada", SecretStr("x"))})
    assert await answer(session, "r.example.com") == CredentialsResponse(username="ada", secret="x")
    assert await answer(session, "other.example.com") == CredentialsResponse()


async def test_knows_docker_hub_by_the_name_that_buildkit_uses() -> None:
    session = session_with({"docker.io": Login("ada", SecretStr("x"))})
    assert (await answer(session, "registry-1.docker.io")).username == "ada"


async def test_an_identity_token_has_no_user_name() -> None:
    session = session_with({"r.example.com": Login("<token>", SecretStr("t"))})
    assert await answer(session, "r.example.com") == CredentialsResponse(secret="t")


async def test_a_login_that_cannot_be_read_is_kept_for_the_report() -> None:
    async def broken(_registry: str) -> Login | None:
        raise StoppedError(Code.BAD_SETTINGS, "a credential helper failed")

    session = Session(broken, {})
    with pytest.raises(GRPCError):
        await answer(session, "r.example.com")
    assert session.problem is not None
    assert session.problem.reason.code is Code.BAD_SETTINGS


async def test_remembers_the_secrets_that_it_does_not_have() -> None:
    session = Session(session_with({})._find_login, {"token": SecretStr("x")})
    assert (await session._secret(bytes(GetSecretRequest(id="token")))).data == b"x"
    with pytest.raises(GRPCError):
        await session._secret(bytes(GetSecretRequest(id="other")))
    assert session.asked_in_vain == {"other"}
