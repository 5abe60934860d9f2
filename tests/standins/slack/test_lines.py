"""The stand-in tells an app what people do, over sockets and over HTTP, through slack-bolt."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from tests.standins.slack.server import SlackServer

TITLE = {"type": "plain_text", "text": "Deploy"}
MODAL = {
    "type": "modal",
    "callback_id": "deploy",
    "title": TITLE,
    "submit": TITLE,
    "blocks": [
        {
            "type": "input",
            "block_id": "ref",
            "label": TITLE,
            "element": {"type": "plain_text_input", "action_id": "ref", "initial_value": "main"},
        },
    ],
}
BUTTONS = [
    {
        "type": "actions",
        "elements": [{"type": "button", "action_id": "cancel", "text": TITLE, "value": "d1"}],
    }
]


def bolt(slack: SlackServer) -> tuple[AsyncApp, list[Any]]:
    """An app that notes what it heard."""
    client = AsyncWebClient(slack.app.bot_token, base_url=slack.api_url)
    app = AsyncApp(client=client, signing_secret=slack.app.signing_secret)
    heard: list[Any] = []

    @app.command("/pachops")
    async def command(ack: Any, body: Any, client: Any) -> None:
        if body["text"]:
            await ack(f"not {body['text']}")
            return
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @app.view("deploy")
    async def view(ack: Any, view: Any) -> None:
        heard.append(view["state"]["values"]["ref"]["ref"]["value"])
        await ack(response_action="errors", errors={"ref": "no such branch"})

    @app.action("cancel")
    async def action(ack: Any, body: Any, respond: Any) -> None:
        await ack()
        heard.append(body["actions"][0]["value"])
        await respond("too late", replace_original=False)

    @app.event("app_home_opened")
    async def home(event: Any, client: Any) -> None:
        blocks = [{"type": "section", "text": TITLE}]
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})

    @app.event("app_mention")
    async def mention(event: Any, request: Any) -> None:
        heard.append((event["text"], request.headers.get("x-slack-retry-num", ["0"])[0]))

    return app, heard


@asynccontextmanager
async def by_socket(slack: SlackServer, app: AsyncApp) -> AsyncIterator[None]:
    handler = AsyncSocketModeHandler(
        app, slack.app.app_token, web_client=AsyncWebClient(base_url=slack.api_url)
    )
    await handler.connect_async()  # type: ignore[no-untyped-call]
    try:
        await slack.expect_connection()
        yield
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]


@asynccontextmanager
async def by_http(slack: SlackServer, app: AsyncApp) -> AsyncIterator[None]:
    async def answer(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    server = web.Application()
    server.router.add_post("/slack", answer)
    runner = web.AppRunner(server, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.send_requests_to(f"http://127.0.0.1:{runner.addresses[0][1]}/slack")
    try:
        yield
    finally:
        await runner.cleanup()


@pytest.fixture(params=[by_socket, by_http])
async def heard(request: pytest.FixtureRequest, slack: SlackServer) -> AsyncIterator[list[Any]]:
    app, heard = bolt(slack)
    async with request.param(slack, app):
        yield heard


async def test_command_modal_and_its_errors(slack: SlackServer, heard: list[Any]) -> None:
    ann = slack.person("ann")
    channel = slack.channel("ml", ann)
    await slack.types(ann, "/pachops", channel)
    view = await slack.expect_view(ann, "Deploy")
    await slack.submits(view, {"ref": "feature"})
    assert heard == ["feature"]
    assert view.errors == {"ref": "no such branch"}


async def test_answer_to_a_command_is_seen_by_who_typed(
    slack: SlackServer, heard: list[Any]
) -> None:
    ann = slack.person("ann")
    await slack.types(ann, "/pachops deplyo", slack.channel("ml", ann))
    await slack.expect_ephemeral(ann, "not deplyo")
    assert heard == []


async def test_button_and_response_url(slack: SlackServer, heard: list[Any]) -> None:
    ann = slack.person("ann")
    channel = slack.channel("ml", ann)
    client = AsyncWebClient(slack.app.bot_token, base_url=slack.api_url)
    await client.chat_postMessage(channel=channel.id, text="t", blocks=BUTTONS)
    message = await slack.expect_message(channel, "Deploy")
    await slack.clicks(ann, message, "cancel")
    await slack.expect_ephemeral(ann, "too late")
    assert heard == ["d1"]


async def test_home(slack: SlackServer, heard: list[Any]) -> None:
    ann = slack.person("ann")
    await slack.opens_home(ann)
    await slack.expect_home(ann, "Deploy")
    assert heard == []


async def test_event_is_told_again_with_its_attempt(slack: SlackServer, heard: list[Any]) -> None:
    ann = slack.person("ann")
    await slack.mentions(ann, "status", slack.channel("ml", ann))
    await slack.tells_last_again()
    async with asyncio.timeout(20):
        while len(heard) < 2:  # noqa: ASYNC110 - bolt tells nobody
            await asyncio.sleep(0.01)
    assert [attempt for _, attempt in heard] == ["0", "1"]


async def test_without_a_connection_a_command_fails_visibly(slack: SlackServer) -> None:
    ann = slack.person("ann")
    ack = await slack.types(ann, "/pachops", slack.channel("ml", ann))
    assert not ack.is_ok
    await slack.expect_ephemeral(ann, "operation_timeout")


async def test_forged_request_is_refused_by_bolt(slack: SlackServer) -> None:
    app, _ = bolt(slack)
    async with by_http(slack, app):
        body = b"command=%2Fpachops"
        ack = await slack.lines.send_raw(body, slack.lines.signature(body, secret="another"))
        assert ack.status == 401
