"""A repository gets another name on GitHub, and the bot goes on as before."""

import json
import time

import pytest

from bot.domain.approval import Verdict
from bot.domain.audit import Action
from bot.domain.deployment import Actor
from bot.domain.github import Permission, Repository
from bot.domain.lock import Lock
from bot.domain.reasons import Code, StoppedError
from handlers.commands.approving import cast_vote
from handlers.commands.errand import Errand, Person, Place, Source
from handlers.commands.second_look import SecondLook
from handlers.github.renamed import AccountEvent, RepositoryEvent
from tests.handlers.github.world import EDGES, World
from tests.standins.github.state import PullRequest
from tests.standins.github.webhooks import Delivery

CORNERS = "acme/corners"


async def opened(world: World) -> PullRequest:
    world.declare("  staging: {}\n  production: {}\n")
    world.github.allow("grace", EDGES, Permission.WRITE)
    return await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})


async def is_renamed(world: World) -> None:
    await world.github.rename(EDGES, "corners")
    await world.settled()


async def test_a_lock_is_one_of_the_new_name(world: World) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops lock staging --for 1h")
    await is_renamed(world)
    await world.comment(pull, "/pachops deploy staging", by="grace")
    assert "staging is locked by ada" in world.answers(pull)[-1]
    await world.comment(pull, "/pachops unlock staging")
    assert "is released" in world.answers(pull)[-1]


async def test_a_lock_is_one_of_the_name_with_another_case(world: World) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops lock staging --for 1h")
    await world.github.rename(EDGES, "Edges")
    await world.settled()
    await world.comment(pull, "/pachops deploy staging", by="grace")
    assert "staging is locked by ada" in world.answers(pull)[-1]


async def test_a_rollback_holds_under_the_new_name(world: World) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops deploy staging")
    rollback = await world.was_rolled_back()
    await is_renamed(world)
    await world.comment(pull, "/pachops status")
    assert f"{world.github.url}/{CORNERS}.git" in {
        each.request.repository for each in await world.asked()
    }
    assert "resume" in world.answers(pull)[-1]
    hold = await world.deployments.hold(f"{world.github.url}/{CORNERS}.git#staging")
    assert hold is not None
    assert hold.deployment == rollback.id


async def test_what_waits_for_approval_goes_on_and_is_approved_where_it_is_now(
    world: World,
) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops deploy staging")
    await world.waits_for_approval(await world.only())
    await is_renamed(world)
    assert await SecondLook(world.desk)(await world.only()) == ()
    await world.comment(pull, "/pachops approve", by="grace")
    assert "approved" in world.answers(pull)[-1].lower()


async def test_who_may_approve_where_the_name_was_freed_approves_nothing_else(
    world: World,
) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops deploy staging")
    await is_renamed(world)
    deployment = await world.only()
    await world.waits_for_approval(deployment)
    place = Place(Repository("acme", "edges", "main", f"{world.github.url}/{EDGES}.git"))
    errand = Errand(world.desk, place, Person("grace", "github"), Source("d", 1.0))
    with pytest.raises(StoppedError) as stopped:
        await cast_vote(errand, deployment, Verdict.APPROVE)
    assert stopped.value.reason.code is Code.DEPLOYMENT_UNKNOWN


async def test_what_waits_is_found_and_cancelled(world: World) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops deploy staging")
    await is_renamed(world)
    await world.comment(pull, "/pachops cancel")
    deployment = await world.only()
    assert deployment.cancel_requested_by == "ada"
    assert deployment.request.target == f"{world.github.url}/{CORNERS}.git#staging"


async def test_why_explains_what_was_decided_under_the_old_name(world: World) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops deploy staging")
    await is_renamed(world)
    await world.comment(pull, f"/pachops why {(await world.only()).id}")
    assert "ada asked `deploy staging` on GitHub" in world.answers(pull)[-1]


async def test_why_explains_the_last_refusal_under_the_old_name(world: World) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops deploy nowhere")
    await is_renamed(world)
    await world.comment(pull, "/pachops why", by="grace")
    assert "ada asked `deploy nowhere` on GitHub" in world.answers(pull)[-1]


async def test_why_explains_nothing_of_who_had_the_name_before(world: World) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops deploy nowhere")
    await is_renamed(world)
    other = await opened(world)
    await world.comment(other, "/pachops why")
    assert "deployment_unknown" in world.answers(other)[-1].replace("\\", "")


async def test_a_lock_under_the_new_name_stays(world: World) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops lock staging older")
    world.github.webhooks.is_held = True
    await world.github.rename(EDGES, "corners")
    told = world.github.webhooks.all[-1]
    world.github.webhooks.is_held = False
    place, grace = f"{world.github.url}/{CORNERS}.git", Actor("grace", "slack")
    newer = Lock("1", place, "staging", grace, "newer", time.time())
    await world.deployer.locks.take(newer, time.time())
    await world.github.webhooks.deliver(told)
    await world.settled()
    (lock,) = await world.deployer.locks.list(None, 0.0)
    assert (lock.repository, lock.reason) == (place, "newer")


async def test_it_is_in_the_audit_once_and_done_once(world: World) -> None:
    await opened(world)
    await is_renamed(world)
    # Another repository, which has the name that became free.
    world.declare("  staging: {}\n")
    other = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(other, "/pachops lock staging")
    (told,) = [each for each in world.github.webhooks.all if each.event == "repository"]
    await world.deliveries.failed(told.guid, "as if")
    await world.github.webhooks.deliver(told, again=True)
    await world.settled()
    rows = [json.loads(each.body) for each in await world.deployer.audit.read()]
    (renamed,) = [each for each in rows if each["action"] == Action.RENAMED]
    assert renamed["facts"]["before"].endswith("/acme/edges.git")
    (lock,) = await world.deployer.locks.list(None, 0.0)
    assert lock.repository == f"{world.github.url}/{EDGES}.git"


@pytest.mark.parametrize(
    ("changes", "before"),
    [
        ({"repository": {"name": {"from": "edges"}}}, "acme/edges"),
        ({"owner": {"from": {"user": {"login": "ada"}}}}, "ada/corners"),
        ({"owner": {"from": {"organization": {"login": "old", "id": 7}}}}, "old/corners"),
        ({}, "acme/corners"),
    ],
)
def test_its_name_before_is_read(changes: object, before: str) -> None:
    place = {
        "name": "corners",
        "owner": {"login": "acme"},
        "default_branch": "main",
        "clone_url": "https://github.com/acme/corners.git",
    }
    event = RepositoryEvent.model_validate(
        {"action": "x", "repository": place, "sender": {"login": "ada"}, "changes": changes}
    )
    assert event.before.full_name == before
    assert event.before.clone_url == f"https://github.com/{before}.git"


async def test_all_of_an_account_that_is_renamed_is_moved(world: World) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops deploy staging")
    await world.comment(pull, "/pachops lock production")
    await world.github.rename_owner("acme", "apex")
    await world.settled()
    place = f"{world.github.url}/apex/edges.git"
    assert (await world.only()).request.repository == place
    (lock,) = await world.deployer.locks.list(None, 0.0)
    assert lock.repository == place
    await world.comment(pull, "/pachops cancel")
    assert (await world.only()).cancel_requested_by == "ada"


async def test_what_awaits_checks_in_a_renamed_account_goes_on(world: World) -> None:
    world.declare("  staging:\n    on: {push: [main]}\n    requires: [{checks: [unit]}]\n")
    sha = await world.github.push(EDGES, {"a": "2"})
    await world.settled()
    await world.github.rename_owner("acme", "apex")
    await world.settled()
    await world.github.report_check("apex/edges", sha, "unit")
    await world.settled()
    assert (await world.only()).request.repository == f"{world.github.url}/apex/edges.git"


async def test_repositories_of_others_stay_where_an_account_is_renamed(world: World) -> None:
    await opened(world)
    other = "acmes/edges"
    world.github.repository(other, {".pachops.yml": "environments:\n  staging: {}\n"})
    pull = await world.github.open_pull_request(other, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops lock staging")
    await world.github.rename_owner("acme", "apex")
    await world.settled()
    (lock,) = await world.deployer.locks.list(None, 0.0)
    assert lock.repository == f"{world.github.url}/{other}.git"


def test_an_account_that_has_a_name_as_before_is_read() -> None:
    account = {"id": 7, "login": "apex", "html_url": "https://github.com/apex"}
    event = AccountEvent.model_validate(
        {"action": "renamed", "account": account, "changes": {"slug": {"from": "x"}}}
    )
    assert event.before == "apex"


async def asked_late(world: World, pull: PullRequest) -> Delivery:
    """A comment of which the bot does not hear yet."""
    world.github.webhooks.is_held = True
    await world.github.comment(pull, "/pachops deploy staging")
    world.github.webhooks.is_held = False
    told = world.github.webhooks.all[-1]
    await world.deliveries.note_missed(told.guid, time.time())
    return told


async def arrives(world: World, told: Delivery) -> None:
    await world.github.webhooks.deliver(told)
    await world.settled()


async def test_what_comes_late_under_an_old_name_acts_on_the_new_one(world: World) -> None:
    pull = await opened(world)
    told = await asked_late(world, pull)
    await is_renamed(world)
    await arrives(world, told)
    assert (await world.only()).request.repository == f"{world.github.url}/{CORNERS}.git"


async def test_what_comes_late_follows_every_name_since(world: World) -> None:
    pull = await opened(world)
    told = await asked_late(world, pull)
    await is_renamed(world)
    await world.github.rename_owner("acme", "apex")
    await world.settled()
    await world.github.rename("apex/corners", "lines")
    await world.settled()
    await arrives(world, told)
    assert (await world.only()).request.repository == f"{world.github.url}/apex/lines.git"


async def test_what_failed_and_comes_again_acts_on_the_new_name(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = await opened(world)

    async def breaks(*_args: object) -> None:
        raise StoppedError(Code.GITHUB_REFUSED, "it is gone")

    with monkeypatch.context() as patch:
        patch.setattr("handlers.github.comment.errand_for", breaks)
        await world.comment(pull, "/pachops deploy staging")
    failed = world.github.webhooks.all[-1]
    await is_renamed(world)
    await arrives(world, failed)
    assert (await world.only()).request.repository == f"{world.github.url}/{CORNERS}.git"


async def test_what_is_told_in_time_acts_on_the_name_that_it_has(world: World) -> None:
    """Of its second name nobody has told us that it is the old one again."""
    pull = await opened(world)
    await is_renamed(world)
    world.github.webhooks.is_held = True
    await world.github.rename(CORNERS, "edges")
    world.github.webhooks.is_held = False
    await world.comment(pull, "/pachops deploy staging")
    assert (await world.only()).request.repository == f"{world.github.url}/{EDGES}.git"


async def test_what_comes_late_in_other_capitals_moves_nothing_back(world: World) -> None:
    pull = await opened(world)
    told = await asked_late(world, pull)
    await world.github.rename(EDGES, "Edges")
    await world.settled()
    await arrives(world, told)
    assert (await world.only()).request.repository == f"{world.github.url}/acme/Edges.git"


async def test_a_name_that_it_has_again_is_its_own(world: World) -> None:
    pull = await opened(world)
    told = await asked_late(world, pull)
    await is_renamed(world)
    await world.github.rename(CORNERS, "edges")
    await world.settled()
    await arrives(world, told)
    assert (await world.only()).request.repository == f"{world.github.url}/{EDGES}.git"


async def test_another_repository_under_the_old_name_is_another(world: World) -> None:
    await opened(world)
    await is_renamed(world)
    world.declare("  staging: {}\n")
    other = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(other, "/pachops deploy staging")
    assert (await world.only()).request.repository == f"{world.github.url}/{EDGES}.git"
