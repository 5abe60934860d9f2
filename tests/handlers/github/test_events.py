"""Pushes, pull requests, releases and buttons."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from bot.domain.deployment import Commit, Deployment, Kind, State, Trigger
from bot.domain.github import Permission, PullRequest
from bot.domain.reasons import Code, StoppedError
from bot.project import PROJECT_FILE
from bot.services.github import Action, CheckReport, GitHub, RepositoryClient
from bot.store.deliveries import Delivery, DeliveryState
from bot.store.values import JSON
from handlers.reports.github.check import Button, check_name
from handlers.reports.github.origin import ORIGIN
from handlers.reports.slack.origin import ORIGIN as SLACK
from handlers.reports.slack.origin import Origin as SlackOrigin
from tests.handlers.github.outage import Outage
from tests.handlers.github.world import EDGES, World
from tests.standins.github import objects
from tests.standins.github.state import CheckRun

FOLLOWS_MAIN = "  staging: {on: {push: [main]}}\n"


# --- push


async def test_a_push_deploys_where_its_branch_is_followed(world: World) -> None:
    world.declare(FOLLOWS_MAIN + "  production: {}\n")
    sha = await world.github.push(EDGES, {"a": "1"}, message="Sharper edges\n\nMuch.")
    await world.settled()
    request = (await world.only()).request
    assert (request.environment, request.trigger) == ("staging", Trigger.PUSH)
    assert (request.commit.sha, request.commit.branch) == (sha, "main")
    assert request.commit.title == "Sharper edges"


async def test_a_push_to_another_branch_deploys_nothing(world: World) -> None:
    world.declare(FOLLOWS_MAIN)
    await world.github.push(EDGES, {"a": "1"}, "feature")
    await world.settled()
    assert await world.asked() == []


async def test_a_push_that_is_refused_shows_so_on_its_commit(world: World) -> None:
    world.declare("  staging: {on: {push: [main]}, deployers: {users: [grace]}}\n")
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    check = await world.github.expect_check(sha, name=check_name("staging"))
    assert check.conclusion == "action_required"
    assert "not_a_deployer" in (check.summary or "")
    assert await world.asked() == []


async def test_a_repeated_push_deploys_once(world: World) -> None:
    world.declare(FOLLOWS_MAIN)
    await world.github.push(EDGES, {"a": "1"})
    for _ in range(3):
        await world.github.webhooks.deliver(world.github.webhooks.all[-1], again=True)
    await world.settled()
    await world.only()


async def test_an_older_push_that_comes_late_does_not_follow_a_newer_one(world: World) -> None:
    world.declare(FOLLOWS_MAIN)
    world.github.webhooks.is_held = True
    await world.github.push(EDGES, {"a": "1"})
    older = world.github.webhooks.all[-1]
    newest = await world.github.push(EDGES, {"a": "2"})
    newer = world.github.webhooks.all[-1]
    for told in (newer, older):
        await world.github.webhooks.deliver(told)
        await world.settled()
    assert (await world.only()).request.commit.sha == newest


async def test_a_push_to_a_branch_that_is_gone_deploys_nothing(world: World) -> None:
    world.declare("  staging: {on: {push: [feature]}}\n")
    world.github.webhooks.is_held = True
    await world.github.push(EDGES, {"a": "1"}, "feature")
    told = world.github.webhooks.all[-1]
    objects.move(world.github.world.repo(EDGES).git, "refs/heads/feature", None)
    await world.github.webhooks.deliver(told)
    await world.settled()
    assert await world.asked() == []


async def test_a_push_with_broken_rules_shows_so_on_its_commit_once(world: World) -> None:
    async def interrupt(delivery: Delivery) -> None:
        if delivery.attempts == 1:
            raise StoppedError(Code.DATABASE_IN_USE, "the disk was busy")

    world.declare(FOLLOWS_MAIN)
    world.interrupts = interrupt
    sha = await world.github.push(EDGES, {PROJECT_FILE: "environments:\n  staging: {onn: 1}\n"})
    await world.settled()
    (check,) = world.github.checks(sha)
    assert (check.name, check.conclusion) == (f"pachops: {PROJECT_FILE}", "failure")
    assert check.annotations[0]["start_line"] == 2
    assert await world.asked() == []


@pytest.mark.parametrize("code", [Code.GITHUB_REFUSED, Code.GITHUB_UNREACHABLE])
async def test_a_push_whose_rules_cannot_be_read_shows_so_on_its_commit(
    world: World, code: Code, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare(FOLLOWS_MAIN)
    Outage(monkeypatch, code)
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    (check,) = world.github.checks(sha)
    assert (check.name, check.conclusion) == (f"pachops: {PROJECT_FILE}", "failure")
    assert await world.asked() == []


async def test_a_release_with_broken_rules_shows_so_on_its_commit(world: World) -> None:
    world.declare("  production: {on: {release: published}}\n")
    world.github.webhooks.is_held = True
    broken = {PROJECT_FILE: "environments:\n  production: {onn: 1}\n"}
    sha = await world.github.push(EDGES, broken)
    world.github.webhooks.is_held = False
    await world.github.publish_release(EDGES, "v1")
    await world.settled()
    (check,) = world.github.checks(sha)
    assert check.conclusion == "failure"


@pytest.mark.parametrize("code", [Code.GITHUB_REFUSED, Code.GITHUB_UNREACHABLE])
async def test_a_push_to_another_branch_that_may_be_followed_shows_so_too(
    world: World, code: Code, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare("  staging: {on: {push: [main, staging]}}\n")
    outage = Outage(monkeypatch, code)
    sha = await world.github.push(EDGES, {"a": "1"}, "staging")
    await world.settled()
    (check,) = world.github.checks(sha)
    assert check.conclusion == "failure"
    outage.lasts = False
    await world.github.rerun(EDGES, check)
    await world.settled()
    assert (await world.only()).request.commit.branch == "staging"


@dataclass(frozen=True)
class WithToken:
    """A login that writes no checks."""

    client: GitHub
    is_app = False

    def for_repository(
        self, owner: str, name: str, installation: int | None = None
    ) -> RepositoryClient:
        return self.client.for_repository(owner, name, installation)


@pytest.mark.parametrize("code", [Code.GITHUB_REFUSED, Code.GITHUB_UNREACHABLE])
async def test_without_checks_a_push_whose_rules_cannot_be_read_is_a_delivery_that_failed(
    world: World, code: Code, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world.declare(FOLLOWS_MAIN)
    world.desk = replace(world.desk, github=WithToken(world.client))
    Outage(monkeypatch, code)
    await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    state = await world.deliveries.state(world.github.webhooks.all[-1].guid)
    assert state is not None
    assert state[0] is DeliveryState.FAILED
    assert [each.levelname for each in caplog.records if "given up" in each.message] == ["ERROR"]


async def test_without_checks_a_push_that_cannot_be_decided_is_a_delivery_that_failed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unread(_client: RepositoryClient, login: str) -> Permission:
        raise StoppedError(Code.GITHUB_UNREACHABLE, f"reading the permission of {login}: 502")

    world.declare("  staging: {on: {push: [main]}, deployers: {permission: admin}}\n")
    world.desk = replace(world.desk, github=WithToken(world.client))
    monkeypatch.setattr(RepositoryClient, "permission", unread)
    await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    state = await world.deliveries.state(world.github.webhooks.all[-1].guid)
    assert state is not None
    assert state[0] is DeliveryState.FAILED


async def test_a_push_elsewhere_is_no_place_for_the_default_branchs_rules(world: World) -> None:
    world.github.repository(EDGES, {PROJECT_FILE: "environments: [\n"})
    sha = await world.github.push(EDGES, {"a": "1"}, "feature")
    await world.settled()
    assert world.github.checks(sha) == []


# --- pull request

ALWAYS = "  preview: {on: {pull_request: always}}\n"


async def test_a_pull_request_deploys_where_that_is_followed(world: World) -> None:
    world.declare(ALWAYS)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.settled()
    deployment = await world.only()
    assert deployment.request.commit.sha == pull.head_sha
    assert (await world.origin(deployment)).pull_request == pull.number


async def test_a_pull_request_beside_broken_rules_is_no_delivery_that_failed(world: World) -> None:
    world.github.repository(EDGES, {PROJECT_FILE: "environments: [\n"})
    await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.settled()
    states = [await world.deliveries.state(each.guid) for each in world.github.webhooks.all]
    handled = [state for state in states if state is not None]
    assert {state for state, _ in handled} == {DeliveryState.DONE}
    assert all("project_invalid" in str(result) for _, result in handled)
    assert len(handled) == 2


@pytest.mark.parametrize("code", [Code.GITHUB_REFUSED, Code.GITHUB_UNREACHABLE])
async def test_a_pull_request_is_told_once_that_the_rules_cannot_be_read(
    world: World, code: Code, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare(ALWAYS)
    Outage(monkeypatch, code)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.settled()
    assert await world.asked() == []
    (answer,) = world.answers(pull)
    assert code in answer.replace("\\", "")


async def test_a_pull_request_that_github_does_not_give_is_told_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unread(_client: RepositoryClient, number: int) -> PullRequest:
        raise StoppedError(Code.GITHUB_UNREACHABLE, f"reading pull request {number}: 502")

    world.declare(ALWAYS)
    monkeypatch.setattr(RepositoryClient, "pull_request", unread)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.settled()
    (answer,) = world.answers(pull)
    assert "github_unreachable" in answer.replace("\\", "")
    assert await world.asked() == []


async def test_new_commits_of_a_pull_request_deploy_again(world: World) -> None:
    world.declare(ALWAYS)
    await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.settled()
    second = await world.github.push(EDGES, {"a": "2"}, "feature")
    await world.settled()
    assert [each.request.commit.sha for each in await world.asked()][1:] == [second]


async def test_a_pull_request_deploys_nothing_where_commands_are_wanted(world: World) -> None:
    world.declare("  staging: {}\n")
    await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.settled()
    assert await world.asked() == []


async def test_a_fork_is_told_once_that_it_is_not_deployed(world: World) -> None:
    world.declare(ALWAYS)
    world.github.fork(EDGES, "eve")
    pull = await world.github.open_pull_request(EDGES, "eve:fix", files={"a": "1"}, by="eve")
    await world.settled()
    await world.github.push("eve/edges", {"a": "2"}, "fix", by="eve")
    await world.settled()
    (answer,) = world.answers(pull)
    assert "fork_not_allowed" in answer
    assert await world.asked() == []


async def test_closing_stops_what_is_under_way(world: World) -> None:
    world.declare(ALWAYS)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.settled()
    await world.github.close(pull)
    await world.settled()
    deployment = await world.only()
    assert deployment.state is State.FINISHED
    assert deployment.cancel_requested_by == f"pull request #{pull.number}, which was closed"


@pytest.mark.parametrize("by", ["rollback staging", "deploy staging main"])
async def test_closing_stops_nothing_that_is_not_of_the_pull_request(world: World, by: str) -> None:
    world.declare("  staging: {}\n")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, f"/pachops {by}")
    await world.github.close(pull)
    await world.settled()
    assert (await world.only()).state is State.WAITING


async def test_a_closing_that_comes_after_the_reopening_stops_nothing(world: World) -> None:
    world.declare(ALWAYS)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.settled()
    world.github.webhooks.is_held = True
    await world.github.close(pull)
    told = world.github.webhooks.all[-1]
    pull.state = "open"
    await world.github.webhooks.deliver(told)
    await world.settled()
    assert (await world.only()).state is State.WAITING


@pytest.mark.parametrize("merged", [True, False])
async def test_an_opening_that_comes_after_the_closing_deploys_nothing_and_says_nothing(
    world: World, *, merged: bool
) -> None:
    world.declare(ALWAYS)
    world.github.webhooks.is_held = True
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    told = world.github.webhooks.all[-1]
    await world.github.close(pull, merged=merged)
    await world.github.webhooks.deliver(told)
    await world.settled()
    assert await world.asked() == []
    assert world.answers(pull) == []


async def test_merging_lets_what_is_under_way_go_on(world: World) -> None:
    world.declare(ALWAYS)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.settled()
    await world.github.close(pull, merged=True)
    await world.settled()
    assert (await world.only()).state is State.WAITING


# --- release


async def test_a_release_deploys_its_tag_and_keeps_its_notes(world: World) -> None:
    world.declare("  production: {on: {release: published}}\n  staging: {}\n")
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.github.publish_release(EDGES, "v1.0", notes="Sharper edges.")
    await world.settled()
    deployment = await world.only()
    request = deployment.request
    assert (request.environment, request.trigger) == ("production", Trigger.RELEASE)
    assert (request.commit.sha, request.release) == (sha, "v1.0")
    notes = await world.deployments.load(deployment.id, "release")
    assert (notes["tag"], notes["notes"]) == ("v1.0", "Sharper edges.")


async def test_a_pre_release_goes_where_every_release_goes_and_nowhere_else(world: World) -> None:
    world.declare(
        "  production: {on: {release: released}}\n  staging: {on: {release: published}}\n"
    )
    await world.github.push(EDGES, {"a": "1"})
    await world.github.publish_release(EDGES, "v2.0-rc1", prerelease=True)
    await world.settled()
    assert (await world.only()).request.environment == "staging"


async def test_a_release_goes_once_to_each_environment_that_follows(world: World) -> None:
    world.declare(
        "  production: {on: {release: released}}\n  staging: {on: {release: published}}\n"
    )
    await world.github.push(EDGES, {"a": "1"})
    await world.github.publish_release(EDGES, "v2.0")
    await world.settled()
    reached = [each.request.environment for each in await world.asked()]
    assert sorted(reached) == ["production", "staging"]


async def test_a_pre_release_that_becomes_a_release_follows_one_that_was_published_meanwhile(
    world: World,
) -> None:
    world.declare("  production: {on: {release: released}}\n")
    await world.github.push(EDGES, {"a": "1"})
    candidate = await world.github.publish_release(EDGES, "v2.0", prerelease=True)
    await world.github.push(EDGES, {"a": "2"})
    await world.github.publish_release(EDGES, "v1.9")
    await world.settled()
    await world.github.make_final(EDGES, candidate)
    await world.settled()
    assert [each.request.release for each in await world.asked()] == ["v1.9", "v2.0"]


async def test_a_release_from_a_branch_that_is_not_allowed_is_refused(world: World) -> None:
    world.declare("  production: {on: {release: published}}\n")
    sha = await world.github.push(EDGES, {"a": "1"}, "experiment")
    await world.github.publish_release(EDGES, "v1.0", target="experiment")
    await world.settled()
    assert await world.asked() == []
    check = await world.github.expect_check(sha)
    assert "commit_elsewhere" in (check.summary or "")


async def test_an_older_release_that_comes_late_does_not_follow_a_newer_one(world: World) -> None:
    world.declare("  production: {on: {release: published}}\n")
    world.github.webhooks.is_held = True
    await world.github.push(EDGES, {"a": "1"})
    await world.github.publish_release(EDGES, "v1.0")
    older = world.github.webhooks.all[-1]
    await world.github.push(EDGES, {"a": "2"})
    await world.github.publish_release(EDGES, "v1.1")
    for told in (world.github.webhooks.all[-1], older):
        await world.github.webhooks.deliver(told)
        await world.settled()
    assert (await world.only()).request.release == "v1.1"


async def test_an_older_release_comes_too_late_however_much_was_deployed_elsewhere_since(
    world: World,
) -> None:
    world.declare("  production: {on: {release: published}}\n  staging: {on: {push: [main]}}\n")
    world.github.webhooks.is_held = True
    await world.github.push(EDGES, {"a": "1"})
    await world.github.publish_release(EDGES, "v1.0")
    older = world.github.webhooks.all[-1]
    await world.github.publish_release(EDGES, "v1.1")
    await world.github.webhooks.deliver(world.github.webhooks.all[-1])
    await world.settled()
    released = await world.only()
    await world.was_deployed_to("staging", 60)
    await world.github.webhooks.deliver(older)
    await world.settled()
    asked = await world.deployments.list(environment="production")
    assert [each.id for each in asked] == [released.id]


async def test_a_release_whose_tag_was_moved_out_of_its_branch_is_refused(world: World) -> None:
    world.declare("  production: {on: {release: published}}\n")
    world.github.webhooks.is_held = True
    await world.github.publish_release(EDGES, "v1.0")
    told = world.github.webhooks.all[-1]
    evil = await world.github.push(EDGES, {"a": "evil"}, "evil")
    objects.move(world.github.world.repo(EDGES).git, "refs/tags/v1.0", evil)
    await world.github.webhooks.deliver(told)
    await world.settled()
    assert await world.asked() == []


AWAY = (Code.REPOSITORY_UNREADABLE, Code.DISK_FULL, Code.GITHUB_UNREACHABLE)


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.inbox.LONGEST_BREAK", 0.0)


def git_is_away(world: World, monkeypatch: pytest.MonkeyPatch, code: Code) -> None:
    async def resolve(repository: str, ref: str) -> Commit:
        raise StoppedError(code, f"git ls-remote {repository} {ref}")

    monkeypatch.setattr(world.deployer, "resolve", resolve)


@pytest.mark.parametrize("code", AWAY)
@pytest.mark.usefixtures("no_patience")
async def test_a_release_while_git_is_away_shows_so_on_its_commit(
    world: World, code: Code, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare("  production: {on: {release: published}}\n")
    await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    git_is_away(world, monkeypatch, code)
    release = await world.github.publish_release(EDGES, "v1.0/rc")
    await world.settled()
    sha = objects.resolve(world.github.world.repo(EDGES).git, release.tag)
    assert sha
    check = await world.github.expect_check(sha, name=check_name("production"))
    assert check.conclusion == "action_required"
    assert code in (check.summary or "").replace("\\", "")
    assert await world.asked() == []


@pytest.mark.usefixtures("no_patience")
async def test_a_release_whose_rules_cannot_be_read_either_shows_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare("  production: {on: {release: published}}\n")
    Outage(monkeypatch)
    git_is_away(world, monkeypatch, Code.REPOSITORY_UNREADABLE)
    await world.github.publish_release(EDGES, "v1.0")
    await world.settled()
    (check,) = world.github.world.repo(EDGES).checks.values()
    assert (check.name, check.conclusion) == (f"pachops: {PROJECT_FILE}", "failure")


@pytest.mark.parametrize("code", [Code.DISK_FULL, Code.GITHUB_UNREACHABLE])
@pytest.mark.usefixtures("no_patience")
async def test_a_push_that_cannot_be_written_down_shows_so_on_its_commit(
    world: World, code: Code, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def submit(_deployment: Deployment, _facts: Mapping[str, JSON]) -> None:
        raise StoppedError(code, "it cannot be written")

    world.declare(FOLLOWS_MAIN)
    monkeypatch.setattr(world.deployer, "submit", submit)
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    check = await world.github.expect_check(sha, name=check_name("staging"))
    assert check.conclusion == "action_required"
    assert code in (check.summary or "").replace("\\", "")


@pytest.mark.usefixtures("no_patience")
async def test_a_push_of_which_nobody_knows_whether_it_is_the_newest_shows_so_on_its_commit(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare(FOLLOWS_MAIN)
    git_is_away(world, monkeypatch, Code.GITHUB_UNREACHABLE)
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    check = await world.github.expect_check(sha, name=check_name("staging"))
    assert check.conclusion == "action_required"
    assert await world.asked() == []


# --- buttons

USUAL = (Button.RERUN, Button.CANCEL, Button.DEPLOY)


async def with_check(world: World) -> tuple[Deployment, CheckRun]:
    """A deployment of a push and its check."""
    world.declare(FOLLOWS_MAIN)
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    deployment = await world.only()
    client = world.client.for_repository("acme", "edges")
    buttons = tuple(Action(each.value, each.value, each.value) for each in USUAL)
    report = CheckReport("running", "running", actions=buttons)
    await client.create_check(sha, check_name("staging"), report, external_id=deployment.id)
    return deployment, await world.github.expect_check(sha)


async def test_the_buttons_deploy_the_same_commit_again(world: World) -> None:
    deployment, check = await with_check(world)
    await world.github.press(EDGES, check, Button.DEPLOY)
    await world.settled()
    await world.github.rerun(EDGES, check)
    await world.settled()
    again = (await world.asked())[1:]
    assert [each.request.trigger for each in again] == [Trigger.CHECK] * 2
    assert {each.request.commit for each in again} == {deployment.request.commit}


async def test_the_cancel_button_cancels(world: World) -> None:
    _, check = await with_check(world)
    await world.github.press(EDGES, check, Button.CANCEL)
    await world.settled()
    deployment = await world.only()
    assert (deployment.state, deployment.cancel_requested_by) == (State.FINISHED, "ada")


async def test_a_button_needs_the_permission_of_whoever_presses_it(world: World) -> None:
    _, check = await with_check(world)
    world.github.allow("eve", EDGES, Permission.READ)
    for button in USUAL:
        await world.github.press(EDGES, check, button, by="eve")
    await world.settled()
    assert (await world.only()).state is State.WAITING


@pytest.mark.parametrize("kind", [Kind.DEPLOY, Kind.ROLLBACK])
async def test_a_check_that_is_asked_for_again_in_vain_does_not_stay_queued(
    world: World, kind: Kind
) -> None:
    deployment, check = await with_check(world)
    who = "ada"
    if kind is Kind.ROLLBACK:
        await world.was_rolled_back()
        check.external_id = (await world.asked())[-1].id
        origin = await world.origin(deployment)
        await world.deployments.save(check.external_id, ORIGIN, origin.to_json())
    else:
        world.github.allow("eve", EDGES, Permission.READ)
        who = "eve"
    before = len(await world.asked())
    await world.github.rerun(EDGES, check, by=who)
    await world.settled()
    assert len(await world.asked()) == before
    assert (check.status, check.conclusion) == ("completed", "action_required")
    assert "Not deployed to **staging**" in (check.summary or "")


async def test_a_refusals_check_that_is_asked_for_again_is_not_queued_for_ever(
    world: World,
) -> None:
    world.declare("  staging: {on: {push: [main]}, deployers: {users: [grace]}}\n")
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    check = await world.github.expect_check(sha, conclusion="action_required")
    await world.github.rerun(EDGES, check)
    await world.settled()
    assert (check.status, check.conclusion) == ("completed", "action_required")
    assert "Not deployed to **staging**" in (check.summary or "")


async def test_what_was_refused_is_deployed_when_who_may_asks_for_its_check_again(
    world: World,
) -> None:
    world.declare("  staging: {on: {push: [main]}, deployers: {users: [grace]}}\n")
    world.github.allow("grace", EDGES, Permission.WRITE)
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    check = await world.github.expect_check(sha, conclusion="action_required")
    await world.github.rerun(EDGES, check, by="grace")
    await world.settled()
    request = (await world.only()).request
    assert (request.actor.name, request.trigger) == ("grace", Trigger.CHECK)
    assert (request.environment, request.commit.sha, request.commit.branch) == (
        "staging",
        sha,
        "main",
    )


async def test_a_release_that_was_refused_is_left_to_people(world: World) -> None:
    world.declare("  production: {on: {release: published}, deployers: {users: [grace]}}\n")
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.github.publish_release(EDGES, "v1.0")
    await world.settled()
    check = await world.github.expect_check(sha, conclusion="action_required")
    await world.github.rerun(EDGES, check)
    await world.settled()
    assert (check.status, check.conclusion) == ("completed", "action_required")
    assert f"/pachops deploy production {sha}" in (check.summary or "")


async def test_checks_of_others_have_no_buttons_for_us(world: World) -> None:
    deployment, _ = await with_check(world)
    foreign = world.github.check(EDGES, deployment.request.commit.sha, "ci")
    foreign.external_id = deployment.id
    await world.github.rerun(EDGES, foreign)
    await world.settled()
    await world.only()


# --- Slack


async def test_channels_of_the_environment_are_noted_as_the_rules_have_them(world: World) -> None:
    world.declare("  staging: {on: {push: [main]}, notify: ['#ml']}\n")
    await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    stored = await world.deployments.load((await world.only()).id, SLACK)
    assert SlackOrigin.from_json(stored) == SlackOrigin(channels=("#ml",))


async def test_without_channels_slack_is_not_told(world: World) -> None:
    world.declare(FOLLOWS_MAIN)
    await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    assert await world.deployments.load((await world.only()).id, SLACK) is None
