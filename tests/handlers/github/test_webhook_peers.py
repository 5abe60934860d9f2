"""The mistakes that were read in other bots' webhooks, and GitHub's own: here each is a test.

Samson's and slashdeploy's were made with Slack's tokens; what they would be here is tested here.
"""

import base64
import hmac
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.domain.reasons import Code, StoppedError
from bot.settings import load_settings
from bot.store.deliveries import Deliveries
from handlers.github.events import WANTED
from handlers.github.webhook import Webhook
from handlers.web.app import web_app
from tests.handlers.github.caller import BODY, PREVIOUS, PUSH, SECRET, Caller, signed_with
from tests.handlers.github.world import World, served
from tests.standins.github.webhooks import sign


@pytest.mark.parametrize("secrets", [[], [""], ["good", ""]])
def test_atlantis_an_empty_secret_checks_nothing(
    secrets: Sequence[str], deliveries: Deliveries
) -> None:
    with pytest.raises(StoppedError) as stopped:
        Webhook([SecretStr(each) for each in secrets], WANTED, deliveries, lambda: None)
    assert stopped.value.reason.code is Code.BAD_SETTINGS


@pytest.mark.parametrize("written", ["", ",", " , ", "\n"])
def test_atlantis_a_secret_of_nothing_is_none(written: str, tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "PACHOPS_GITHUB_WEBHOOK_SECRETS": written}
    assert load_settings(environ).github.webhook_secrets == ()


async def test_atlantis_a_signature_with_an_empty_secret_is_wrong(caller: Caller) -> None:
    assert await caller.send(X_Hub_Signature_256=sign("", BODY)) == 401


async def test_shipit_sha1_is_not_enough(caller: Caller) -> None:
    sha1 = signed_with("sha1")
    assert await caller.send(X_Hub_Signature_256=None, X_Hub_Signature=sha1) == 401
    assert await caller.send(X_Hub_Signature_256=sha1) == 401


async def test_shipit_the_signature_is_logged(
    caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    given = [sign(SECRET, BODY), sign("a guess", BODY)]
    with caplog.at_level(logging.DEBUG):
        statuses = [await caller.send(X_Hub_Signature_256=each) for each in given]
    assert statuses == [202, 401]
    for each in given:
        assert each.removeprefix("sha256=") not in caplog.text


async def test_keel_webhook_routes_are_open(world: World) -> None:
    async with served(world.app) as url, aiohttp.ClientSession() as session:
        for method, path in _changing(world.app):
            async with session.request(method, url + path, data=BODY) as answer:
                assert answer.status == 401, f"{method} {path} is open"


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha224", "sha384", "sha512", "sha3_256"])
async def test_homu_the_sender_chooses_the_algorithm(caller: Caller, algorithm: str) -> None:
    given = signed_with(algorithm)
    assert await caller.send(X_Hub_Signature_256=given) == 401
    assert await caller.send(X_Hub_Signature_256=f"sha256={given.partition('=')[2]}") == 401


async def test_homu_the_time_of_a_comparison_tells_where_it_ends(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[Any, Any]] = []

    def compare(first: bytes, second: bytes) -> bool:
        compared.append((first, second))
        return compare_digest(first, second)

    compare_digest = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", compare)
    for secret in (SECRET, PREVIOUS, "a guess"):
        await caller.send(X_Hub_Signature_256=sign(secret, BODY))
    # Nothing else decides, and all secrets are tried whichever it is.
    assert len(compared) == 6
    assert all(isinstance(each, bytes) for pair in compared for each in pair)


async def test_kodiak_the_sha1_header_counts(caller: Caller) -> None:
    assert await caller.send(X_Hub_Signature=signed_with("sha1"), X_Hub_Signature_256=None) == 401
    wrong = sign("a guess", BODY)
    assert await caller.send(X_Hub_Signature=signed_with("sha1"), X_Hub_Signature_256=wrong) == 401


@pytest.mark.parametrize("signature", [None, "", " "])
async def test_samson_what_is_missing_is_not_checked(caller: Caller, signature: str | None) -> None:
    assert await caller.send(X_Hub_Signature_256=signature) == 401
    assert await caller.stored() == 0


async def test_slashdeploy_a_token_in_the_body_is_a_login(caller: Caller) -> None:
    body = json.dumps(PUSH | {"token": SECRET, "secret": SECRET}).encode()
    assert await caller.send(body, X_Hub_Signature_256=None) == 401
    caller.url += f"?token={SECRET}"
    assert await caller.send(body, X_Hub_Signature_256=None) == 401


async def test_slashdeploy_what_was_overheard_works_again(caller: Caller) -> None:
    assert [await caller.send(), await caller.send()] == [202, 202]
    assert (await caller.stored(), len(caller.woken)) == (1, 1)


async def test_prow_several_secrets_so_that_one_can_be_changed(caller: Caller) -> None:
    for number, secret in enumerate((SECRET, PREVIOUS)):
        body = BODY + b" " * number
        status = await caller.send(
            body, X_Hub_Signature_256=sign(secret, body), X_GitHub_Delivery=f"guid-{number}"
        )
        assert status == 202
    assert await caller.stored() == 2


async def test_prow_a_secret_that_was_changed_is_good_for_nothing(
    caller: Caller, deliveries: Deliveries
) -> None:
    webhook = Webhook([SecretStr(SECRET)], WANTED, deliveries, lambda: None)
    async with served(web_app(webhook.answer, deliveries.count_waiting)) as url:
        caller.url = f"{url}/github/webhook"
        assert await caller.send(X_Hub_Signature_256=sign(PREVIOUS, BODY)) == 401
        assert await caller.send() == 202


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"X_Hub_Signature_256": "sha256=0"},
        {"X_GitHub_Delivery": None},
        {"X_GitHub_Event": "star"},
        {"X_GitHub_Event": "Not a name"},
    ],
)
async def test_github_the_secret_in_a_header_is_kept_from_every_log(
    caller: Caller,
    changed: dict[str, str | None],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """For four months GitHub sent webhooks' secrets along, in X-Github-Encoded-Secret."""
    encoded = base64.b64encode(SECRET.encode()).decode()
    body = json.dumps(PUSH | {"note": "a-word-of-the-body"}).encode()
    headers = {"X_Github_Encoded_Secret": encoded, "X_Other": "a-word-of-the-headers"} | changed
    with caplog.at_level(logging.DEBUG):
        await caller.send(body, **headers)
    for hidden in (encoded, SECRET, "a-word-of-the-body", "a-word-of-the-headers"):
        assert hidden not in caplog.text
    stored = _on_disk(tmp_path)
    for hidden in (encoded, SECRET, "a-word-of-the-headers"):
        assert hidden.encode() not in stored


async def test_github_an_error_of_ours_shows_no_header_either(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("a mistake in pachops")

    monkeypatch.setattr(caller.deliveries, "take", fail)
    body = json.dumps(PUSH | {"note": "a-word-of-the-body"}).encode()
    with caplog.at_level(logging.DEBUG):
        status = await caller.send(body, X_Github_Encoded_Secret="a-word-of-the-headers")
    assert status == 500
    assert "a mistake in pachops" in caplog.text
    assert "a-word-of" not in caplog.text


def _changing(app: web.Application) -> list[tuple[str, str]]:
    """Method and path of every route that could change something."""
    found = [
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.method not in {"GET", "HEAD", "OPTIONS"} and route.resource
    ]
    assert found
    return found


def _on_disk(folder: Path) -> bytes:
    return b"".join(each.read_bytes() for each in folder.glob("pachops.db*"))
