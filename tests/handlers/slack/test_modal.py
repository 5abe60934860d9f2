"""/pachops without words opens a modal that has only what the person may do."""

import pytest

from bot.domain.github import Permission
from bot.store.subscriptions import Subscription
from tests.handlers.github.world import EDGES
from tests.handlers.slack.world import World
from tests.standins.slack.blocks import elements_of
from tests.standins.slack.faults import refused


async def test_a_modal_deploys(world: World) -> None:
    await world.links(world.ann, "ada")
    await world.subscriptions.add(Subscription(world.ml.id, EDGES))
    await world.types(world.ann, "/pachops")
    view = await world.slack.expect_view(world.ann, "Environment")
    await world.slack.submits(view, {"environment": "production", "ref": "main"})
    await world.settled()
    request = (await world.only()).request
    assert (request.environment, request.commit.branch) == ("production", "main")


async def test_a_repository_is_chosen_first_where_there_are_several(world: World) -> None:
    await world.links(world.ann, "ada")
    world.github.github.repository("acme/other", {"a": "1"})
    world.github.github.allow("ada", "acme/other", Permission.READ)
    await world.subscriptions.add(Subscription("C0OTHER", EDGES))
    await world.subscriptions.add(Subscription("C0OTHER", "acme/other"))
    await world.types(world.ann, "/pachops")
    view = await world.slack.expect_view(world.ann, "Repository")
    assert "environment" not in world.slack.buttons(view)
    await world.slack.chooses(world.ann, view, "repository", EDGES)
    await world.settled()
    view = await world.slack.expect_view(world.ann, "Environment")
    await world.slack.submits(view, {"environment": "staging"})
    await world.settled()
    assert (await world.only()).request.environment == "staging"


async def test_repositories_that_a_person_cannot_read_are_not_named(world: World) -> None:
    await world.links(world.ann, "ada")
    world.github.github.repository("acme/secret", {"a": "1"})
    world.github.github.allow("ada", "acme/secret", Permission.NONE)
    world.github.github.repository("acme/other", {"a": "1"})
    world.github.github.allow("ada", "acme/other", Permission.READ)
    for name in ("acme/secret", "acme/other", EDGES):
        await world.subscriptions.add(Subscription("C0OTHER", name))
    await world.types(world.ann, "/pachops")
    view = await world.slack.expect_view(world.ann, "Repository")
    ((_, select),) = [each for each in elements_of(view.blocks) if "options" in each[1]]
    assert [each["value"] for each in select["options"]] == [EDGES, "acme/other"]
    await world.types(world.ann, "/pachops deploy staging")
    told = await world.slack.expect_ephemeral(world.ann, "--repo acme/edges")
    assert "secret" not in told.shown


async def test_to_who_is_not_joined_with_a_login_only_what_the_channel_hears_of_is_named(
    world: World,
) -> None:
    for name in ("acme/secret", "acme/other"):
        await world.subscriptions.add(Subscription("C0OTHER", name))
    await world.types(world.ann, "/pachops")
    view = await world.slack.expect_view(world.ann, "/pachops link")
    assert "acme/" not in world.slack.reads(view)
    await world.types(world.ann, "/pachops deploy staging")
    await world.slack.expect_ephemeral(world.ann, "/pachops link")
    assert not any("acme/" in each.shown for each in world.slack.world.ephemerals)


async def test_a_modal_that_was_closed_meanwhile_is_no_trouble(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.links(world.ann, "ada")
    world.slack.fail("views.update", refused("not_found"))
    await world.types(world.ann, "/pachops")
    assert not [each for each in caplog.records if each.levelname == "ERROR"]


async def test_who_may_deploy_nothing_is_told_so(world: World) -> None:
    await world.links(world.ann, "ada")
    world.github.github.allow("ada", EDGES, Permission.READ)
    await world.subscriptions.add(Subscription(world.ml.id, EDGES))
    await world.types(world.ann, "/pachops")
    await world.slack.expect_view(world.ann, "You may deploy to no environment")


async def test_who_is_not_joined_with_a_login_is_told_how(world: World) -> None:
    await world.subscriptions.add(Subscription(world.ml.id, EDGES))
    await world.types(world.ann, "/pachops")
    await world.slack.expect_view(world.ann, "/pachops link")


async def test_without_any_repository_it_says_how_there_will_be_one(world: World) -> None:
    await world.types(world.ann, "/pachops")
    await world.slack.expect_view(world.ann, "No repository is known")


async def test_what_may_not_be_done_is_refused_when_it_is_sent_off_too(world: World) -> None:
    await world.links(world.ann, "ada")
    await world.subscriptions.add(Subscription(world.ml.id, EDGES))
    await world.types(world.ann, "/pachops")
    view = await world.slack.expect_view(world.ann, "Environment")
    world.github.github.allow("ada", EDGES, Permission.READ)
    await world.slack.submits(view, {"environment": "production"})
    await world.settled()
    await world.slack.expect_ephemeral(world.ann, "needs write")
    assert await world.asked() == []


async def test_more_repositories_than_a_select_takes_are_cut(world: World) -> None:
    for number in range(130):
        await world.subscriptions.add(Subscription(world.ml.id, f"acme/{number:03}-{'x' * 90}"))
    await world.types(world.ann, "/pachops")
    view = await world.slack.expect_view(world.ann)
    ((_, select),) = [each for each in elements_of(view.blocks) if "options" in each[1]]
    assert len(select["options"]) == 100
