"""Webhooks as they leave: signed, counted, late, doubled, out of order, forged."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.domain.github import Permission
from tests.standins.github.conftest import Ask
from tests.standins.github.server import GitHubServer
from tests.standins.github.webhooks import sign

SECRET = b"a webhook's secret"


class Receiver:
    """What arrived: event, guid, whether its signature is right, and its payload."""

    def __init__(self) -> None:
        self.status = 202
        self.got: list[tuple[str, str, bool, dict[str, object]]] = []

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        said = request.headers.get("X-Hub-Signature-256", "")
        right = "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()
        self.got.append(
            (
                request.headers["X-GitHub-Event"],
                request.headers["X-GitHub-Delivery"],
                said == right,
                json.loads(body),
            )
        )
        return web.Response(status=self.status)

    @property
    def events(self) -> list[str]:
        return [each[0] for each in self.got]


@pytest.fixture
async def bot(github: GitHubServer) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    application = web.Application(client_max_size=26 * 1024**2)
    application.router.add_post("/", receiver.take)
    async with TestServer(application) as server:
        github.send_webhooks_to(str(server.make_url("/")))
        yield receiver
        github.send_webhooks_to("")


async def test_what_people_do_arrives_signed_in_order(github: GitHubServer, bot: Receiver) -> None:
    pull = await github.open_pull_request("acme/edges", "feature", files={"a": "1"})
    await github.push("acme/edges", {"a": "2"}, "feature")
    comment = await github.comment(pull, "/pachops deploy")
    await github.edit(pull, comment, "never mind")
    await github.publish_release("acme/edges", "v1", notes="All new")
    await github.close(pull, merged=True)

    assert bot.events == [
        "push",
        "pull_request",
        "push",
        "pull_request",
        "issue_comment",
        "issue_comment",
        "release",  # released
        "release",  # published
        "push",
        "pull_request",
    ]
    assert all(right for _, _, right, _ in bot.got)
    assert [each[3].get("action") for each in bot.got if each[0] == "pull_request"] == [
        "opened",
        "synchronize",
        "closed",
    ]
    assert len({guid for _, guid, _, _ in bot.got}) == len(bot.got)


async def test_a_comment_says_that_it_is_on_a_pull_request_and_by_whom(
    github: GitHubServer, bot: Receiver
) -> None:
    github.allow("eve", "acme/edges", Permission.READ)
    pull = await github.open_pull_request("acme/edges", "feature", files={"a": "1"})

    await github.comment(pull, "/pachops deploy", by="eve")

    payload = github.webhooks.all[-1].payload
    assert payload["issue"]["pull_request"]["url"].endswith("/pulls/1")
    assert payload["sender"]["login"] == "eve"
    assert payload["installation"]["id"] == github.installation("acme/edges").id
    assert payload["repository"]["full_name"] == "acme/edges"
    assert bot.events[-1] == "issue_comment"


async def test_a_redelivery_has_the_same_guid(github: GitHubServer, bot: Receiver) -> None:
    await github.push("acme/edges", {"a": "1"})

    await github.webhooks.deliver(github.webhooks.all[0], again=True)

    assert bot.got[0] == bot.got[1]


async def test_held_webhooks_are_delivered_in_any_order(
    github: GitHubServer, bot: Receiver
) -> None:
    github.webhooks.is_held = True
    await github.push("acme/edges", {"a": "1"})
    issue = await github.open_issue("acme/edges")
    await github.comment(issue, "hello")
    assert not bot.got

    for each in reversed(github.webhooks.all):
        await github.webhooks.deliver(each)

    assert bot.events == ["issue_comment", "push"]


@pytest.mark.parametrize("signature", [None, "", "sha256=", "sha1=abc", "sha256=é"])
async def test_a_forged_webhook_leaves_no_trace(
    github: GitHubServer, bot: Receiver, signature: str | None
) -> None:
    github.webhooks.is_held = True
    await github.push("acme/edges", {"a": "1"})
    forged = github.webhooks.all[0]

    await github.webhooks.post(forged, signature=signature)

    assert [right for _, _, right, _ in bot.got] == [False]
    assert not forged.attempts


async def test_a_webhook_that_is_signed_with_another_secret_is_told_from_ours(
    github: GitHubServer, bot: Receiver
) -> None:
    github.webhooks.is_held = True
    await github.push("acme/edges", {"a": "1"})
    delivery = github.webhooks.all[0]

    await github.webhooks.post(delivery, signature=sign("wrong", delivery.body))
    await github.webhooks.post(delivery, signature=sign(SECRET.decode(), delivery.body))

    assert [right for _, _, right, _ in bot.got] == [False, True]


async def test_of_a_repository_without_the_app_nothing_is_told(
    github: GitHubServer, bot: Receiver
) -> None:
    github.repository("acme/other", installed=False)

    await github.push("acme/other", {"a": "1"})

    assert not bot.got


async def test_a_forks_push_is_told_by_the_pull_request_only(
    github: GitHubServer, bot: Receiver
) -> None:
    github.fork("acme/edges", "eve")

    await github.open_pull_request("acme/edges", "eve:main", files={"a": "evil"}, by="eve")

    assert bot.events == ["pull_request"]


async def test_a_button_sends_its_identifier(github: GitHubServer, bot: Receiver) -> None:
    pull = await github.open_pull_request("acme/edges", "feature", files={"a": "1"})
    check = github.check("acme/edges", pull.head_sha, "pachops", None, app="pachops")
    check.actions = [{"label": "Cancel", "description": "Stop it", "identifier": "cancel"}]

    await github.press("acme/edges", check, "cancel")

    payload = github.webhooks.all[-1].payload
    assert payload["action"] == "requested_action"
    assert payload["requested_action"] == {"identifier": "cancel"}
    assert bot.events[-1] == "check_run"
    with pytest.raises(AssertionError, match="no button"):
        await github.press("acme/edges", check, "deploy")


async def test_an_expectation_that_is_not_met_says_what_was_seen(github: GitHubServer) -> None:
    pull = await github.open_pull_request("acme/edges", "feature", files={"a": "1"})
    await github.comment(pull, "Nothing to see", by="eve")

    with pytest.raises(AssertionError, match=r"eve: 'Nothing to see'"):
        await github.expect_comment(pull, "Deployed", patience=0.01)
    with pytest.raises(AssertionError, match="nothing"):
        await github.expect_check(pull.head_sha, conclusion="success", patience=0.01)
    with pytest.raises(AssertionError, match="nothing"):
        await github.expect_deployment("acme/edges", "staging", patience=0.01)


async def test_the_app_is_told_of_its_own_comments_and_checks(
    github: GitHubServer, bot: Receiver, ask: Ask, token: str
) -> None:
    pull = await github.open_pull_request("acme/edges", "feature", files={"a": "1"})
    bot.got.clear()

    await ask("POST", "/repos/acme/edges/issues/1/comments", token, {"body": "Deploying"})
    fields = {"head_sha": pull.head_sha, "name": "pachops", "conclusion": "success"}
    await ask("POST", "/repos/acme/edges/check-runs", token, fields)
    await github.expect("two webhooks", lambda: len(bot.got) == 2 or None, lambda: bot.events)

    assert sorted(bot.events) == ["check_run", "issue_comment"]
    assert {each.payload["sender"]["type"] for each in github.webhooks.all[-2:]} == {"Bot"}
