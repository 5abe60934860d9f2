"""/pachops without words opens a modal that has only what the person may do."""

from bot.domain.github import Permission
from bot.store.subscriptions import Subscription
from tests.handlers.github.world import EDGES
from tests.handlers.slack.world import World
from tests.standins.slack.blocks import elements_of


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
        await world.subscriptions.add(Subscription("C0OTHER", f"acme/{number:03}-{'x' * 90}"))
    await world.types(world.ann, "/pachops")
    view = await world.slack.expect_view(world.ann)
    ((_, select),) = [each for each in elements_of(view.blocks) if "options" in each[1]]
    assert len(select["options"]) == 100
