"""Pushes: which deploy, and what shows where the rules cannot be read."""

from dataclasses import dataclass, replace

import pytest

from bot.domain.deployment import Trigger
from bot.domain.github import Permission
from bot.domain.reasons import Code, StoppedError
from bot.project import PROJECT_FILE
from bot.services.github import GitHub, RepositoryClient
from bot.store.deliveries import Delivery, DeliveryState
from handlers.reports.github.check import check_name
from handlers.reports.slack.origin import ORIGIN as SLACK
from handlers.reports.slack.origin import Origin as SlackOrigin
from tests.handlers.github.outage import Outage
from tests.handlers.github.world import EDGES, FOLLOWS_MAIN, World
from tests.standins.github import objects


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


@pytest.mark.parametrize("branch", ["main", "feature"])
async def test_a_push_with_broken_rules_is_a_decision_in_the_audit(
    world: World, branch: str
) -> None:
    world.github.repository(EDGES, {PROJECT_FILE: "environments: [\n"})
    await world.github.push(EDGES, {"a": "1"}, branch)
    await world.settled()
    assert await world.decisions() == [("ada", f"push to {branch}", ["project_invalid"])]


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


@pytest.mark.parametrize("files", [{".pachops.yaml": "a: 1\n"}, {f"{PROJECT_FILE}/a": "1"}])
async def test_where_the_default_branchs_file_is_none_a_push_shows_so_and_nothing_is_allowed(
    world: World, files: dict[str, str]
) -> None:
    world.github.repository(EDGES, files)
    sha = await world.github.push(EDGES, {"b": "1"})
    pull = await world.github.open_pull_request(EDGES, "feature", files={"c": "1"})
    await world.settled()
    check = await world.github.expect_check(sha, conclusion="failure")
    assert check.name == f"pachops: {PROJECT_FILE}"
    await world.comment(pull, "/pachops lock default")
    assert "project_invalid" in world.answers(pull)[-1]
