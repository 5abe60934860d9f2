"""Pull requests that are opened, changed and closed."""

import json

import pytest

from bot.domain.deployment import State
from bot.domain.github import Permission, PullRequest
from bot.domain.reasons import Code, StoppedError
from bot.project import PROJECT_FILE
from bot.services.github import RepositoryClient
from bot.store.deliveries import DeliveryState
from handlers.reports.github.origin import ORIGIN
from tests.handlers.github.outage import Outage
from tests.handlers.github.world import EDGES, World

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


async def test_a_pull_request_beside_broken_rules_is_a_decision_that_why_explains(
    world: World,
) -> None:
    world.github.repository(EDGES, {PROJECT_FILE: "environments: [\n"})
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.settled()
    # The push of its branch was told of first.
    assert (await world.decisions())[-1] == ("ada", "pull request 1", ["project_invalid"])
    await world.comment(pull, "/pachops why")
    assert "`pull request 1` on GitHub" in world.answers(pull)[-1]


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
    assert deployment.cancel_requested_by == f"ada (by closing pull request #{pull.number})"


async def test_what_an_older_version_began_is_stopped_too(world: World) -> None:
    """It did not write down whether the commit was the pull request's own."""
    world.declare(ALWAYS)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.settled()
    deployment = await world.only()
    origin = await world.deployer.deployments.load(deployment.id, ORIGIN)
    del origin["is_of_pull_request"]
    await world.deployer.deployments.save(deployment.id, ORIGIN, origin)
    await world.github.close(pull)
    await world.settled()
    assert (await world.only()).state is State.FINISHED


@pytest.mark.parametrize(("merged", "how"), [(False, "closing"), (True, "merging")])
async def test_the_audit_names_who_closed_it(world: World, *, merged: bool, how: str) -> None:
    world.declare(ALWAYS)
    world.github.allow("grace", EDGES, Permission.WRITE)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops lock preview")
    await world.github.close(pull, by="grace", merged=merged)
    await world.settled()
    rows = [json.loads(row.body) for row in await world.deployer.audit.read()]
    done = [each for each in rows if each["action"] in {"unlocked", "cancel_requested"}]
    assert [each["actor"]["name"] for each in done] == ["grace"] * (1 if merged else 2)
    said = {each["facts"]["how"] for each in done}
    assert said == {f"by {how} pull request #{pull.number}"}


@pytest.mark.parametrize("by", ["rollback staging", "deploy staging main", "deploy staging {main}"])
async def test_closing_stops_nothing_that_is_not_of_the_pull_request(world: World, by: str) -> None:
    world.declare("  staging: {}\n")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    main = await world.github.push(EDGES, {"b": "1"})
    await world.comment(pull, f"/pachops {by.format(main=main)}")
    await world.github.close(pull)
    await world.settled()
    assert (await world.only()).state is State.WAITING


async def test_closing_a_forks_pull_request_stops_no_branch_of_the_same_name(world: World) -> None:
    world.declare("  staging: {}\n")
    world.github.fork(EDGES, "eve")
    pull = await world.github.open_pull_request(EDGES, "eve:main", files={"a": "1"}, by="eve")
    await world.comment(pull, "/pachops deploy staging main")
    await world.github.close(pull, by="eve")
    await world.settled()
    assert (await world.only()).state is State.WAITING


@pytest.mark.parametrize("ref", ["", "feature", "{older}"])
async def test_closing_stops_what_is_of_the_pull_request_however_it_was_asked_for(
    world: World, ref: str
) -> None:
    world.declare("  staging: {}\n")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    older = pull.head_sha
    await world.github.push(EDGES, {"a": "2"}, "feature")
    await world.comment(pull, f"/pachops deploy staging {ref.format(older=older)}")
    await world.github.close(pull)
    await world.settled()
    assert (await world.only()).state is State.FINISHED


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


async def test_a_closing_of_which_github_does_not_say_whether_it_is_a_merge_is_read_too(
    world: World,
) -> None:
    world.declare(ALWAYS)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.settled()
    world.github.webhooks.is_held = True
    await world.github.close(pull)
    told = world.github.webhooks.all[-1]
    payload = told.payload
    payload["pull_request"]["merged"] = None
    told.body = json.dumps(payload).encode()
    await world.github.webhooks.deliver(told)
    await world.settled()
    assert (await world.only()).state is State.FINISHED


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
