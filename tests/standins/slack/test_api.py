"""The stand-in is strict where Slack is strict."""

from typing import Any

import aiohttp
import pytest

from tests.standins.slack.app import SCOPES
from tests.standins.slack.clock import Clock
from tests.standins.slack.conftest import Ask
from tests.standins.slack.faults import limited, lost_answer, refused
from tests.standins.slack.limits import Limits
from tests.standins.slack.server import SlackServer

TEXT = {"type": "plain_text", "text": "Cancel"}
BUTTON = {"type": "button", "action_id": "cancel", "text": TEXT, "value": "d1"}


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


async def test_message_is_posted_by_name_and_edited_by_id(slack: SlackServer, ask: Ask) -> None:
    channel = slack.channel("ml")
    posted = await ask("chat.postMessage", channel="#ml", text="one")
    assert posted["channel"] == channel.id
    by_name = await ask("chat.update", channel="#ml", ts=posted["ts"], text="two")
    assert by_name["error"] == "channel_not_found"
    await ask("chat.update", channel=channel.id, ts=posted["ts"], text="t", blocks=[section("two")])
    (message,) = slack.own_messages(channel)
    assert (message.history, message.edited) == (["one", "two"], False)


async def test_text_alone_takes_the_blocks_away_and_marks_it_edited(
    slack: SlackServer, ask: Ask
) -> None:
    channel = slack.channel("ml")
    posted = await ask("chat.postMessage", channel=channel.id, text="t", blocks=[section("one")])
    await ask("chat.update", channel=channel.id, ts=posted["ts"], text="two")
    (message,) = slack.own_messages(channel)
    assert (message.blocks, message.edited) == ([], True)


async def test_bot_must_be_in_the_channel(slack: SlackServer, ask: Ask) -> None:
    slack.channel("ml", with_bot=False)
    slack.channel("secret", with_bot=False, private=True)
    assert (await ask("chat.postMessage", channel="#ml", text="x"))["error"] == "not_in_channel"
    answer = await ask("chat.postMessage", channel="#secret", text="x")
    assert answer["error"] == "channel_not_found"


async def test_missing_scope_is_named(slack: SlackServer, ask: Ask) -> None:
    slack.app.scopes = SCOPES - {"users:read"}
    answer = await ask("users.info", user="U1")
    assert (answer["error"], answer["needed"]) == ("missing_scope", "users:read")
    assert "users:read" not in answer["provided"].split(",")


@pytest.mark.parametrize(
    ("token", "error"), [("xoxb-wrong", "invalid_auth"), ("xapp-1-the-apps-token", None)]
)
async def test_tokens_are_checked(
    slack: SlackServer, ask: Ask, token: str, error: str | None
) -> None:
    slack.channel("ml")
    answer = await ask("chat.postMessage", token=token, channel="#ml", text="x")
    assert answer["error"] == (error or "not_allowed_token_type")


async def test_same_client_id_is_the_same_message(slack: SlackServer, ask: Ask) -> None:
    channel = slack.channel("ml")
    first = await ask("chat.postMessage", channel="#ml", text="x", client_msg_id="one")
    second = await ask("chat.postMessage", channel="#ml", text="x", client_msg_id="one")
    assert first["ts"] == second["ts"]
    slack.own_messages(channel)[0].deleted = True
    third = await ask("chat.postMessage", channel="#ml", text="x", client_msg_id="one")
    assert third["error"] == "duplicate_message_not_found"


@pytest.mark.parametrize(
    "blocks",
    [
        [section("x")] * 51,
        [section("x" * 3001)],
        [section("")],
        [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
        [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
        [{"type": "actions", "elements": []}],
        [{"type": "actions", "elements": [BUTTON, BUTTON]}],
        [{"type": "actions", "elements": [BUTTON | {"value": "x" * 2001}]}],
        [{"type": "actions", "elements": [BUTTON | {"text": TEXT | {"text": "x" * 76}}]}],
        [{"type": "context", "elements": [TEXT] * 11}],
        [section("x") | {"block_id": "b"}, section("x") | {"block_id": "b"}],
        [{"type": "alert", "text": TEXT}],
        [{"type": "data_tabel"}],
        {"type": "divider"},
    ],
)
async def test_blocks_are_checked(slack: SlackServer, ask: Ask, blocks: Any) -> None:
    slack.channel("ml")
    answer = await ask("chat.postMessage", channel="#ml", text="x", blocks=blocks)
    assert answer["error"] == "invalid_blocks"
    assert answer["errors"]


async def test_reading_takes_no_json(slack: SlackServer, ask: Ask) -> None:
    ann = slack.person("ann")
    assert (await ask("users.info", user=ann.id))["error"] == "invalid_arguments"


async def test_trigger_opens_one_modal_within_three_seconds(slack: SlackServer, ask: Ask) -> None:
    ann = slack.person("ann")
    view = {"type": "modal", "title": TEXT, "blocks": [section("which?")]}
    trigger = slack.world.new_trigger(ann)
    assert (await ask("views.open", trigger_id=trigger, view=view))["ok"]
    again = await ask("views.open", trigger_id=trigger, view=view)
    assert again["error"] == "exchanged_trigger_id"
    late = slack.world.new_trigger(ann)
    slack.advance(4)
    answer = await ask("views.open", trigger_id=late, view=view)
    assert answer["error"] == "expired_trigger_id"


async def test_file_goes_to_a_thread_once(
    slack: SlackServer, ask: Ask, http: aiohttp.ClientSession
) -> None:
    channel = slack.channel("ml")
    posted = await ask("chat.postMessage", channel="#ml", text="x")
    headers = {"Authorization": f"Bearer {slack.app.bot_token}"}
    url = slack.api_url + "files.getUploadURLExternal"
    form = {"filename": "build.log", "length": "3"}
    async with http.post(url, data=form, headers=headers) as answer:
        place = await answer.json()
    async with http.post(place["upload_url"], data=b"log") as answer:
        assert answer.status == 200
    shown = {
        "files": [{"id": place["file_id"]}],
        "channel_id": channel.id,
        "thread_ts": posted["ts"],
    }
    assert (await ask("files.completeUploadExternal", **shown))["ok"]
    assert not (await ask("files.completeUploadExternal", **shown))["ok"]
    assert (await slack.expect_file(channel, "build.log")).content == b"log"


async def test_limits_are_kept_when_they_are_enforced(slack: SlackServer, ask: Ask) -> None:
    slack.channel("ml")
    slack.channel("ops")
    slack.enforce_limits()
    first, second = [await ask("chat.postMessage", channel="#ml", text="x") for _ in range(2)]
    assert (first["ok"], second["status"], second["headers"]["Retry-After"]) == (True, 429, "1")
    assert (await ask("chat.postMessage", channel="#ops", text="x"))["ok"]
    slack.advance(1)
    assert (await ask("chat.postMessage", channel="#ml", text="x"))["ok"]


def test_tier_is_so_many_calls_in_any_minute() -> None:
    limits, clock = Limits(), Clock(lambda: 0.0)
    limits.strict = True
    taken = [limits.check("chat.update", 3, "C1", clock.now()) for _ in range(51)]
    assert taken == [None] * 50 + [60]
    clock.advance(60)
    assert limits.check("chat.update", 3, "C2", clock.now()) is None


async def test_faults_are_taken_in_order(slack: SlackServer, ask: Ask) -> None:
    channel = slack.channel("ml")
    slack.fail("chat.postMessage", limited(7))
    slack.fail("chat.postMessage", refused("is_archived"))
    slack.fail("chat.postMessage", lost_answer())
    first = await ask("chat.postMessage", channel="#ml", text="x")
    second = await ask("chat.postMessage", channel="#ml", text="x")
    assert (first["status"], first["headers"]["Retry-After"]) == (429, "7")
    assert second["error"] == "is_archived"
    with pytest.raises(aiohttp.ClientError):
        await ask("chat.postMessage", channel="#ml", text="x")
    assert len(slack.own_messages(channel)) == 1
