"""Who is who, the Home, and what channels hear of."""

import json
import re
import time
from dataclasses import replace

import pytest

from bot.domain.deployment import Actor, Commit, Outcome
from bot.domain.github import Permission
from bot.domain.lock import Lock
from bot.store.identities import Proof, SlackUser
from bot.store.subscriptions import Subscription
from handlers.slack.desk import READABLE_SECONDS
from tests.handlers.github.world import EDGES
from tests.handlers.slack.world import World
from tests.standins.github.faults import Fault


def slack_user(world: World) -> SlackUser:
    return SlackUser(world.slack.app.team, world.ann.id)


async def test_a_code_from_slack_said_on_github_joins_the_two(world: World) -> None:
    await world.types(world.ann, "/pachops link")
    shown = await world.slack.expect_ephemeral(world.ann, "/pachops link ")
    found = re.search(r"/pachops link ([a-z0-9]{10})", shown.shown)
    assert found is not None
    pull = await world.github.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.github.comment(pull, f"/pachops link {found[1]}")
    identity = await world.identities.of_slack(slack_user(world))
    assert identity is not None
    assert (identity.login, identity.proof) == ("ada", Proof.CODE)
    assert "joined" in world.github.answers(pull)[0]


async def test_a_code_that_was_made_up_joins_nobody(world: World) -> None:
    pull = await world.github.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.github.comment(pull, "/pachops link abcdefghjk")
    assert "wrong, used or old" in world.github.answers(pull)[0]


async def test_whoever_was_joined_by_a_trick_undoes_it_on_github(world: World) -> None:
    await world.links(world.ann, "ada")
    pull = await world.github.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.github.comment(pull, "/pachops unlink")
    assert await world.identities.of_slack(slack_user(world)) is None


async def test_unlink_parts_them(world: World) -> None:
    await world.links(world.ann, "ada")
    await world.types(world.ann, "/pachops unlink")
    await world.slack.expect_ephemeral(world.ann, "not joined with a GitHub login any more")
    assert await world.identities.of_slack(slack_user(world)) is None


async def test_the_home_shows_what_runs_where(world: World) -> None:
    await world.links(world.ann, "ada")
    await world.types(world.ann, f"/pachops deploy staging --repo {EDGES}")
    deployment = await world.only()
    await world.deployments.finish(deployment.id, Outcome.SUCCEEDED)
    await world.types(world.ann, f"/pachops deploy production --repo {EDGES}")
    await world.slack.opens_home(world.ann)
    await world.settled()
    home = await world.slack.expect_home(world.ann, "acme/edges")
    text = world.slack.reads(home)
    assert "staging" in text
    assert "production" in text
    assert "Under way" in text


async def test_the_home_shows_nothing_of_what_the_person_cannot_read(world: World) -> None:
    await world.links(world.ann, "ada")
    await world.types(world.ann, f"/pachops deploy staging --repo {EDGES}")
    bob = world.slack.person("bob")
    await world.links(bob, "bob")
    world.github.github.allow("bob", EDGES, Permission.NONE)
    await world.slack.opens_home(bob)
    await world.settled()
    home = await world.slack.expect_home(bob)
    assert "acme/edges" not in world.slack.reads(home)


async def test_who_looks_often_costs_one_call_for_each_repository(world: World) -> None:
    await world.links(world.ann, "ada")
    await world.types(world.ann, f"/pachops deploy staging --repo {EDGES}")
    before = world.github.github.called("GET", "/permission")
    for _ in range(3):
        await world.slack.opens_home(world.ann)
        await world.settled()
    assert world.github.github.called("GET", "/permission") == before + 1


async def test_who_may_read_no_more_is_shown_nothing_before_long(world: World) -> None:
    await world.links(world.ann, "ada")
    await world.types(world.ann, f"/pachops deploy staging --repo {EDGES}")
    await world.slack.opens_home(world.ann)
    await world.settled()
    await world.slack.expect_home(world.ann, EDGES)
    world.github.github.allow("ada", EDGES, Permission.NONE)
    world.seconds += READABLE_SECONDS
    await world.slack.opens_home(world.ann)
    await world.settled()
    home = await world.slack.expect_home(world.ann)
    assert EDGES not in world.slack.reads(home)


async def test_what_github_failed_to_answer_is_asked_for_the_next_time(world: World) -> None:
    await world.links(world.ann, "ada")
    await world.types(world.ann, f"/pachops deploy staging --repo {EDGES}")
    world.github.github.fail("GET", f"/repos/{EDGES}/collaborators/*", Fault(status=403))
    await world.slack.opens_home(world.ann)
    await world.settled()
    home = await world.slack.expect_home(world.ann)
    assert EDGES not in world.slack.reads(home)
    await world.slack.opens_home(world.ann)
    await world.settled()
    await world.slack.expect_home(world.ann, EDGES)


async def test_the_home_of_somebody_unknown_says_how_to_join(world: World) -> None:
    await world.slack.opens_home(world.ann)
    await world.settled()
    await world.slack.expect_home(world.ann, "/pachops link")


async def test_a_channel_subscribes_and_drops_it(world: World) -> None:
    await world.links(world.ann, "ada")
    await world.types(world.ann, f"/pachops subscribe {EDGES} production releases")
    await world.slack.expect_ephemeral(world.ann, "hears of")
    (made,) = await world.subscriptions.of_channel(world.ml.id)
    assert made == Subscription(world.ml.id, EDGES, ("production",), ("releases",), world.ann.id)
    await world.types(world.ann, "/pachops subscribe")
    await world.slack.expect_ephemeral(world.ann, "releases in production")
    await world.types(world.ann, f"/pachops unsubscribe {EDGES}")
    assert await world.subscriptions.of_channel(world.ml.id) == ()


async def test_an_environment_that_is_none_is_named_with_the_nearest(world: World) -> None:
    await world.links(world.ann, "ada")
    await world.types(world.ann, f"/pachops subscribe {EDGES} prodution")
    await world.slack.expect_ephemeral(world.ann, "Did you mean `production`?")


async def test_who_cannot_read_it_lets_no_channel_hear_of_it(world: World) -> None:
    await world.links(world.ann, "ada")
    world.github.github.allow("ada", EDGES, Permission.NONE)
    await world.types(world.ann, f"/pachops subscribe {EDGES}")
    await world.slack.expect_ephemeral(world.ann, "cannot read")
    assert await world.subscriptions.all() == ()


@pytest.mark.parametrize(
    ("confirmed", "shown", "joined"),
    [
        (True, "Ann@acme.io", True),
        (False, "ann@acme.io", False),
        (True, "other@acme.io", False),
        (True, "", False),
    ],
)
async def test_an_address_joins_where_both_sides_confirm_it(
    world: World, *, confirmed: bool, shown: str, joined: bool
) -> None:
    await world.subscriptions.add(Subscription(world.ml.id, EDGES))
    world.ann.confirmed = confirmed
    world.github.github.world.user("ada").email = shown
    await world.types(world.ann, "/pachops link ada")
    identity = await world.identities.of_slack(slack_user(world))
    assert (identity is not None) is joined
    await world.slack.expect_ephemeral(world.ann, "✅" if joined else "is not shown there")


async def test_another_workspaces_word_for_an_address_joins_nobody(world: World) -> None:
    await world.subscriptions.add(Subscription(world.ml.id, EDGES))
    world.ann.confirmed, world.ann.team = True, "T0OTHER"
    world.github.github.world.user("ada").email = "ann@acme.io"
    await world.types(world.ann, "/pachops link ada")
    await world.slack.expect_ephemeral(world.ann, "A comment proves it too")
    assert await world.identities.of_slack(slack_user(world)) is None


async def test_a_home_of_many_environments_and_locks_fits(world: World) -> None:
    await world.links(world.ann, "ada")
    await world.types(world.ann, f"/pachops deploy staging --repo {EDGES}")
    first = await world.only()
    now = time.time()
    for number in range(45):
        name = f"{'e' * 60}-{number} <!channel>"
        request = replace(first.request, environment=name, commit=Commit("a" * 40, "r" * 300))
        made = replace(first, id=f"d{number}", request=request)
        await world.deployer.submit(made, {})
        if number % 2:
            await world.deployments.finish(made.id, Outcome.SUCCEEDED)
        lock = Lock(f"l{number}", request.repository, name, Actor("eve", "cli"), "x" * 900, now)
        await world.deployer.locks.take(lock, now)
    await world.slack.opens_home(world.ann)
    await world.settled()
    home = await world.slack.expect_home(world.ann, "is locked by eve")
    text = world.slack.reads(home)
    assert "<!channel>" not in text
    assert len(json.dumps(home.blocks)) < 250_000
