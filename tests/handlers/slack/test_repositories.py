"""Which repository is meant, while GitHub does not say who can read what."""

from collections.abc import Callable

import pytest

from bot.domain.github import Permission
from bot.domain.reasons import GITHUB_PASSES, Code, StoppedError
from bot.services.github import RepositoryClient
from bot.store.subscriptions import Subscription
from tests.handlers.github.world import EDGES
from tests.handlers.slack.world import World

OTHER = "acme/other"
GoAway = Callable[..., None]


@pytest.fixture
async def world(world: World) -> World:
    """Two repositories that ann can read, of which another channel hears."""
    world.github.github.repository(OTHER, {"a": "1"})
    world.github.github.allow("ada", OTHER, Permission.READ)
    for name in (EDGES, OTHER):
        await world.subscriptions.add(Subscription("C0OTHER", name))
    return world


@pytest.fixture
def goes_away(monkeypatch: pytest.MonkeyPatch) -> GoAway:
    """GitHub is away for so many questions about a repository's readers."""
    permission = RepositoryClient.permission

    def go(times: int, name: str = "", code: Code = Code.GITHUB_UNREACHABLE) -> None:
        left = times

        async def may(client: RepositoryClient, login: str) -> Permission:
            nonlocal left
            if left and name in client.full_name:
                left -= 1
                raise StoppedError(code, f"reading the permission of ada in {client.full_name}")
            return await permission(client, login)

        monkeypatch.setattr(RepositoryClient, "permission", may)

    return go


@pytest.mark.parametrize("code", sorted(GITHUB_PASSES))
async def test_while_github_is_away_it_is_said_so_and_asked_again(
    world: World, goes_away: GoAway, code: Code
) -> None:
    await world.links(world.ann, "ada")
    goes_away(2, code=code)
    await world.types(world.ann, "/pachops status")
    later, which = world.slack.world.ephemerals
    assert "It is tried again for a few minutes" in later.shown
    assert f"--repo {EDGES}" in which.shown


async def test_where_github_stays_away_no_repository_is_named_or_denied(
    world: World, goes_away: GoAway
) -> None:
    await world.links(world.ann, "ada")
    goes_away(1000)
    await world.types(world.ann, "/pachops status")
    told = await world.slack.expect_ephemeral(world.ann, "not done")
    assert "GitHub does not answer" in told.shown
    assert "acme/" not in told.shown
    assert "is known here" not in told.shown


async def test_the_one_that_github_tells_of_is_not_taken_for_the_only_one(
    world: World, goes_away: GoAway
) -> None:
    await world.links(world.ann, "ada")
    goes_away(1, OTHER)
    await world.types(world.ann, "/pachops deploy staging")
    await world.slack.expect_ephemeral(world.ann, "known are: acme/edges, acme/other")
    assert await world.asked() == []


async def test_a_modal_says_that_github_is_away(world: World, goes_away: GoAway) -> None:
    await world.links(world.ann, "ada")
    goes_away(2)
    await world.types(world.ann, "/pachops")
    view = await world.slack.expect_view(world.ann, "GitHub does not answer")
    assert "acme/" not in world.slack.reads(view)
    assert "is known here" not in world.slack.reads(view)


async def test_a_modal_offers_what_github_tells_of_and_says_that_there_may_be_more(
    world: World, goes_away: GoAway
) -> None:
    await world.links(world.ann, "ada")
    goes_away(1, OTHER)
    await world.types(world.ann, "/pachops")
    view = await world.slack.expect_view(world.ann, "GitHub does not answer")
    assert OTHER not in world.slack.reads(view)
    await world.slack.chooses(world.ann, view, "repository", EDGES)
    await world.settled()
    await world.slack.expect_view(world.ann, "Environment")


@pytest.mark.parametrize("line", ["status", "deploy staging", "history"])
async def test_who_is_not_joined_with_a_login_is_told_how(world: World, line: str) -> None:
    await world.types(world.ann, f"/pachops {line}")
    told = await world.slack.expect_ephemeral(world.ann, "/pachops link")
    assert "acme/" not in told.shown
