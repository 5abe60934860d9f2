"""Conversations in Slack: what is typed, and what comes of it."""

import json
import time
from types import SimpleNamespace
from typing import Any

import pytest

from bot.domain.deployment import Kind, Trigger
from bot.domain.github import Permission, Repository
from bot.domain.reasons import Code, StoppedError
from bot.services.github import RepositoryClient
from bot.store.subscriptions import Subscription
from handlers.reports.slack.origin import ORIGIN, Origin
from tests.handlers.github.world import EDGES
from tests.handlers.slack.world import World
from tests.standins.slack.faults import broken


async def test_a_command_becomes_a_deployment_that_is_told_of_where_it_was_asked(
    world: World,
) -> None:
    await world.links(world.ann, "ada")
    await world.types(world.ann, f"/pachops deploy staging --repo {EDGES}")
    deployment = await world.only()
    request = deployment.request
    assert (request.trigger, request.actor.name, request.environment) == (
        Trigger.SLACK,
        "ada",
        "staging",
    )
    assert request.commit.branch == "main"
    noted = Origin.from_json(await world.deployments.load(deployment.id, ORIGIN))
    assert noted.asked is not None
    assert (noted.asked.channel, noted.asked.user) == (world.ml.id, world.ann.id)


async def test_a_channel_that_hears_of_one_repository_means_it(world: World) -> None:
    await world.links(world.ann, "ada")
    await world.subscriptions.add(Subscription(world.ml.id, EDGES))
    await world.types(world.ann, "/pachops deploy staging main")
    assert (await world.only()).request.environment == "staging"


async def test_without_a_repository_it_asks_which(world: World) -> None:
    await world.links(world.ann, "ada")
    await world.types(world.ann, "/pachops deploy staging")
    await world.slack.expect_ephemeral(world.ann, "--repo OWNER/NAME")
    assert await world.asked() == []


async def test_who_is_not_joined_with_a_login_is_told_how(world: World) -> None:
    await world.types(world.ann, f"/pachops deploy staging --repo {EDGES}")
    await world.slack.expect_ephemeral(world.ann, "/pachops link")
    assert await world.asked() == []


@pytest.mark.parametrize("line", ["deploy staging", "status", "plan staging", "history"])
async def test_who_is_not_joined_does_not_learn_which_repositories_there_are(
    world: World, line: str
) -> None:
    for name in (EDGES, "acme/none"):
        await world.types(world.ann, f"/pachops {line} --repo {name}")
    there, none = world.slack.world.ephemerals
    assert there.shown == none.shown.replace("acme/none", EDGES)


async def test_permission_is_that_of_the_login(world: World) -> None:
    await world.links(world.ann, "ada")
    world.github.github.allow("ada", EDGES, Permission.READ)
    await world.types(world.ann, f"/pachops deploy staging --repo {EDGES}")
    await world.slack.expect_ephemeral(world.ann, "needs write")
    assert await world.asked() == []


async def test_a_pull_request_is_deployed_by_its_number(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A push in the same second may have come after the command.
    later = SimpleNamespace(time=lambda: time.time() + 60)
    monkeypatch.setattr("bot.store.deliveries.time", later)
    await world.links(world.ann, "ada")
    pull = await world.github.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.types(world.ann, f"/pachops deploy staging #{pull.number} --repo {EDGES}")
    assert (await world.only()).request.commit.sha == pull.head_sha


async def test_a_branch_that_is_not_allowed_is_refused_to_who_asked_alone(world: World) -> None:
    await world.links(world.ann, "ada")
    await world.github.github.push(EDGES, {"a": "1"}, "wild")
    await world.types(world.ann, f"/pachops deploy staging wild --repo {EDGES}")
    await world.slack.expect_ephemeral(world.ann, "does not take wild")
    assert world.slack.own_messages(world.ml) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/pachops depoy staging", "Did you mean `/pachops deploy staging`?"),
        ("/pachops deploy staging --repo nonsense", "is not a repository"),
        ("/pachops deploy staging --repo", "--repo needs OWNER/NAME"),
        ("/pachops help", "/pachops deploy"),
        ("/pachops help rollback", "--steps"),
        ("/pachops deploy staging --repo acme/nowhere", "not"),
    ],
)
async def test_a_mistake_is_answered_in_private_with_what_to_type(
    world: World, line: str, said: str
) -> None:
    await world.links(world.ann, "ada")
    await world.types(world.ann, line)
    await world.slack.expect_ephemeral(world.ann, said)
    assert world.slack.own_messages(world.ml) == []


async def test_a_command_that_is_told_twice_is_done_once(world: World) -> None:
    await world.links(world.ann, "ada")
    await world.types(world.ann, f"/pachops deploy staging --repo {EDGES}")
    await world.slack.tells_last_again()
    await world.settled()
    assert len(await world.asked()) == 1


async def test_a_rollback_is_asked_for(world: World) -> None:
    await world.links(world.ann, "ada")
    await world.types(world.ann, f"/pachops rollback staging --repo {EDGES}")
    assert (await world.only()).request.kind is Kind.ROLLBACK


async def test_a_plan_is_shown_to_who_asked(world: World) -> None:
    await world.links(world.ann, "ada")
    await world.types(world.ann, f"/pachops plan staging --repo {EDGES}")
    await world.slack.expect_ephemeral(world.ann, "Nothing was changed")


async def test_status_is_for_those_who_can_read_the_repository(world: World) -> None:
    await world.types(world.ann, f"/pachops status --repo {EDGES}")
    await world.slack.expect_ephemeral(world.ann, "/pachops link")


async def test_status_is_for_everybody_in_a_channel_that_hears_of_it(world: World) -> None:
    await world.links(world.ann, "ada")
    await world.subscriptions.add(Subscription(world.ml.id, EDGES))
    await world.types(world.ann, "/pachops deploy staging")
    bob = world.slack.person("bob")
    world.ml.members.add(bob.id)
    await world.types(bob, "/pachops status")
    await world.slack.expect_ephemeral(bob, "staging")


async def test_a_mention_takes_the_same_words(world: World) -> None:
    await world.links(world.ann, "ada")
    await world.slack.mentions(world.ann, f"deploy staging --repo {EDGES}", world.ml)
    await world.settled()
    assert (await world.only()).request.environment == "staging"


async def test_a_direct_message_takes_the_same_words_and_is_answered_there(world: World) -> None:
    await world.slack.writes(world.ann, "help deploy")
    await world.settled()
    await world.slack.expect_message(world.slack.direct(world.ann), "--reprocess")


async def test_while_github_is_away_a_direct_message_is_told_so_and_answered_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.links(world.ann, "ada")
    of_slack, times = world.identities.of_slack, 0

    async def fails_once(*given: Any) -> Any:
        nonlocal times
        times += 1
        if times == 1:
            raise StoppedError(Code.GITHUB_UNREACHABLE, "no answer")
        return await of_slack(*given)

    monkeypatch.setattr(world.identities, "of_slack", fails_once)
    await world.slack.writes(world.ann, f"status --repo {EDGES}")
    await world.settled()
    later, answer = world.slack.own_messages(world.slack.direct(world.ann))
    assert "It is tried again for a few minutes" in later.shown
    assert "Nothing was deployed" in answer.shown


async def test_what_is_refused_before_rules_are_asked_is_in_the_audit_and_why_explains_it(
    world: World,
) -> None:
    await world.types(world.ann, f"/pachops deploy staging --repo {EDGES}")
    await world.links(world.ann, "ada")
    await world.types(world.ann, f"/pachops deplyo staging --repo {EDGES}")
    await world.types(world.ann, "/pachops help")
    assert await audited(world) == [
        ("command", world.ann.id, f"deploy staging --repo {EDGES}", None),
        ("decision", world.ann.id, f"deploy staging --repo {EDGES}", ["not_linked"]),
        ("command", "ada", f"deplyo staging --repo {EDGES}", None),
        ("decision", "ada", f"deplyo staging --repo {EDGES}", ["bad_command"]),
        ("command", "ada", "help", None),
    ]
    await world.types(world.ann, f"/pachops why --repo {EDGES}")
    await world.slack.expect_ephemeral(world.ann, "ada asked `deplyo staging")


async def audited(world: World) -> list[tuple[str, str, str, list[str] | None]]:
    rows = [json.loads(row.body) for row in await world.deployer.audit.read()]
    return [
        (each["action"], each["actor"]["name"], each["facts"]["line"], each.get("reasons"))
        for each in rows
    ]


async def test_where_github_stays_away_who_asked_is_told_in_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_client: RepositoryClient) -> Repository:
        raise StoppedError(Code.GITHUB_UNREACHABLE, "reading its name: 502")

    await world.links(world.ann, "ada")
    monkeypatch.setattr(RepositoryClient, "repository", away)
    await world.types(world.ann, f"/pachops deploy staging --repo {EDGES}")
    await world.slack.expect_ephemeral(world.ann, "It is tried again for a few minutes")
    await world.slack.expect_ephemeral(world.ann, "not done")


async def test_text_from_outside_calls_nobody(world: World) -> None:
    await world.links(world.ann, "ada")
    await world.types(world.ann, f"/pachops deploy <!channel> --repo {EDGES}")
    shown = await world.slack.expect_ephemeral(world.ann, "not done")
    assert "<!channel>" not in str(shown.blocks) + shown.text


async def test_slack_that_is_away_is_answered_later(world: World) -> None:
    await world.links(world.ann, "ada")
    world.slack.fail("chat.postEphemeral", broken(500), times=4)
    await world.types(world.ann, "/pachops help")
    await world.slack.expect_ephemeral(world.ann, "/pachops deploy")
