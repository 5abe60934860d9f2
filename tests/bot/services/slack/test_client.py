"""The client against the stand-in: what it shows, what it repeats and what it says of trouble."""

from collections.abc import Awaitable, Callable

import pytest
from pydantic import SecretStr

from bot.domain.reasons import Code, Reason, StoppedError
from bot.services.slack import Message, Slack, SlackRefusedError, check_app_token
from tests.standins.slack.app import SCOPES
from tests.standins.slack.faults import (
    Fault,
    broken,
    dropped,
    garbled,
    limited,
    lost_answer,
    refused,
)
from tests.standins.slack.server import SlackServer
from tests.standins.slack.time import Time

HELLO = Message("hello", [{"type": "section", "text": {"type": "mrkdwn", "text": "*hello*"}}])
VIEW = {"type": "home", "blocks": HELLO.blocks}


async def reason_of(work: Awaitable[object]) -> Reason:
    with pytest.raises(StoppedError) as stopped:
        await work
    return stopped.value.reason


async def test_message_is_posted_and_edited(slack: SlackServer, client: Slack) -> None:
    channel = slack.channel("ml")
    posted = await client.post("#ml", HELLO, identity="d1")
    assert posted.channel == channel.id
    assert await client.update(posted, Message("bye", HELLO.blocks[:0]))
    (message,) = slack.own_messages(channel)
    assert message.history == ["*hello*", "bye"]


async def test_nothing_unfurls_and_no_name_becomes_a_mention(
    slack: SlackServer, client: Slack
) -> None:
    channel = slack.channel("ml")
    await client.post("#ml", HELLO, identity="d1")
    (message,) = slack.own_messages(channel)
    assert message.options == {
        "unfurl_links": "false",
        "unfurl_media": "false",
        "parse": "none",
        "link_names": "false",
    }


async def test_edit_of_a_deleted_message_says_so(slack: SlackServer, client: Slack) -> None:
    channel = slack.channel("ml")
    posted = await client.post("#ml", HELLO, identity="d1")
    slack.own_messages(channel)[0].deleted = True
    assert not await client.update(posted, HELLO)


@pytest.mark.parametrize("fault", [dropped(), lost_answer(), broken(), broken(after=True)])
async def test_message_is_there_once_whatever_is_lost(
    slack: SlackServer, client: Slack, fault: Fault
) -> None:
    channel = slack.channel("ml")
    slack.fail("chat.postMessage", fault)
    posted = await client.post("#ml", HELLO, identity="d1")
    (message,) = slack.own_messages(channel)
    assert message.ts == posted.ts


async def test_ephemeral_message_is_not_repeated(slack: SlackServer, client: Slack) -> None:
    ann = slack.person("ann")
    channel = slack.channel("ml", ann)
    slack.fail("chat.postEphemeral", lost_answer())
    reason = await reason_of(client.whisper(channel.id, ann.id, HELLO))
    assert reason.code is Code.SLACK_UNREACHABLE
    assert len(slack.world.ephemerals) == 1


async def test_limit_is_waited_out(slack: SlackServer, client: Slack, time: Time) -> None:
    slack.channel("ml")
    slack.fail("chat.postMessage", limited(7), times=2)
    await client.post("#ml", HELLO, identity="d1")
    assert sum(time.slept) >= 14


async def test_limit_of_a_channel_leaves_the_others(
    slack: SlackServer, client: Slack, time: Time
) -> None:
    slack.channel("ml")
    slack.channel("ops")
    slack.fail("chat.postMessage", limited(30), channel="#ml")
    assert client.reserve_post("#ml")
    reason = await reason_of(client.post("#ml", HELLO, identity="d1", reserved=True))
    await client.post("#ops", HELLO, identity="d1")
    assert reason.code is Code.SLACK_LIMITED
    assert time.slept == []


@pytest.mark.parametrize("fault", [broken(503), garbled(), dropped(), refused("internal_error")])
async def test_outage_ends_with_its_reason(slack: SlackServer, client: Slack, fault: Fault) -> None:
    slack.breaks(lambda: fault)
    reason = await reason_of(client.publish_home("U1", VIEW))
    assert reason.code is Code.SLACK_UNREACHABLE
    assert slack.called("views.publish") == 3
    assert slack.app.bot_token not in reason.fact


async def test_nobody_listens(time: Time) -> None:
    client = Slack(SecretStr("xoxb-1"), base_url="http://127.0.0.1:9/api/", clock=time.clock)
    reason = await reason_of(client.login())
    await client.close()
    assert reason.code is Code.SLACK_UNREACHABLE


@pytest.mark.parametrize(
    ("name", "in_step"),
    [
        ("not_in_channel", "/invite"),
        ("token_revoked", "PACHOPS_SLACK_BOT_TOKEN"),
        ("is_archived", "archive"),
        ("restricted_action", "setup slack"),
    ],
)
async def test_refusal_has_slacks_name_and_a_next_step(
    slack: SlackServer, client: Slack, name: str, in_step: str
) -> None:
    slack.fail("chat.postMessage", refused(name))
    with pytest.raises(SlackRefusedError) as stopped:
        await client.post("#ml", HELLO, identity="d1")
    assert stopped.value.error == name
    assert in_step in stopped.value.reason.next_step
    assert slack.called("chat.postMessage") == 1


async def test_missing_scope_is_named(slack: SlackServer, client: Slack) -> None:
    slack.app.scopes = SCOPES - {"users:read"}
    reason = await reason_of(client.person("U1"))
    assert "users:read" in reason.fact
    assert "users:read" in reason.next_step


async def test_file_is_brought_and_shown_in_a_thread(slack: SlackServer, client: Slack) -> None:
    channel = slack.channel("ml")
    posted = await client.post("#ml", HELLO, identity="d1")
    file = await client.upload("build.log", b"line\n")
    await client.share(file, "Build", posted)
    shown = await slack.expect_file(channel, "build.log")
    assert (shown.content, shown.title) == (b"line\n", "Build")
    assert slack.own_messages(channel)[1].thread == posted.ts


async def test_bytes_that_are_lost_are_an_outage(slack: SlackServer, client: Slack) -> None:
    slack.fail("upload", dropped())
    assert (await reason_of(client.upload("a.log", b"x"))).code is Code.SLACK_UNREACHABLE


async def test_people(slack: SlackServer, client: Slack) -> None:
    ann = slack.person("ann")
    group = slack.group("ml", ann)
    found = await client.person(ann.id)
    assert found == await client.person_by_email("ANN@acme.io")
    assert found is not None
    assert (found.id, found.name, found.is_active) == (ann.id, "ann", True)
    assert await client.group_members(group.id) == (ann.id,)
    assert await client.person("U0") is None
    assert await client.person_by_email("nobody@acme.io") is None


async def test_modals_and_homes(slack: SlackServer, client: Slack) -> None:
    ann = slack.person("ann")
    modal = VIEW | {"type": "modal", "title": {"type": "plain_text", "text": "Deploy"}}
    identity = await client.open_view(slack.world.new_trigger(ann), modal)
    view = await slack.expect_view(ann, "hello")
    pushed = await client.push_view(slack.world.new_trigger(ann, view), modal)
    await client.update_view(identity, modal, unless_changed=view.hash)
    await client.publish_home(ann.id, VIEW)
    await slack.expect_home(ann, "hello")
    assert {identity, pushed} == slack.world.views.keys()


async def test_login_has_the_scopes(client: Slack) -> None:
    login = await client.login()
    assert (login.user, login.team_name, login.scopes) == ("U0BOT", "Acme", SCOPES)


async def test_app_token_is_checked(slack: SlackServer) -> None:
    await check_app_token(SecretStr(slack.app.app_token), base_url=slack.api_url)
    wrong = check_app_token(SecretStr(slack.app.bot_token), base_url=slack.api_url)
    assert (await reason_of(wrong)).code is Code.SLACK_REFUSED


@pytest.fixture
def fresh(slack: SlackServer, time: Time) -> Callable[[], Slack]:
    """A client that is made only now."""
    token = SecretStr(slack.app.bot_token)
    return lambda: Slack(token, base_url=slack.api_url, clock=time.clock)


async def test_slacks_own_variables_change_nothing(
    fresh: Callable[[], Slack], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BOT_TOKEN", "APP_TOKEN", "SIGNING_SECRET", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"SLACK_{name}", "xoxb-another")
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    client = fresh()
    assert (await client.login()).user == "U0BOT"
    await client.close()
