import json
import re
import time
from dataclasses import replace

import pytest

from bot.domain.deployment import Commit, Deployment, Kind, State, Trigger
from bot.domain.github import Permission
from bot.domain.reasons import Code, StoppedError
from bot.domain.trust import Trust
from bot.services.github import RepositoryClient
from tests.handlers.github.world import EDGES, World
from tests.standins.github.faults import error
from tests.standins.github.state import PullRequest

STAGING = "  staging: {}\n"
TWO = "  staging: {}\n  production: {requires: [review]}\n"


async def opened(world: World, environments: str = STAGING) -> PullRequest:
    world.declare(environments)
    return await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})


async def deployed(world: World, pull: PullRequest) -> Deployment:
    await world.comment(pull, "/pachops deploy")
    return await world.only()


async def test_a_deploy_is_written_down_and_seen(world: World) -> None:
    pull = await opened(world)
    comment = await world.comment(pull, "/pachops deploy staging")
    deployment = await world.only()
    request = deployment.request
    assert (request.environment, request.commit.sha) == ("staging", pull.head_sha)
    assert (request.trigger, request.actor.name) == (Trigger.COMMENT, "ada")
    assert (request.commit.branch, request.commit.title) == ("feature", "A change")
    assert world.reactions(comment) == ["eyes"]
    assert world.answers(pull) == []


async def test_its_reports_know_where_it_was_asked_for(world: World) -> None:
    pull = await opened(world)
    comment = await world.comment(pull, "/pachops deploy")
    origin = await world.origin(await world.only())
    assert (origin.owner, origin.name) == ("acme", "edges")
    assert (origin.pull_request, origin.comment_id) == (pull.number, comment.id)
    assert origin.installation == world.github.installation(EDGES).id
    assert origin.head_sha == pull.head_sha


async def test_a_refusal_says_why_and_what_next(world: World) -> None:
    pull = await opened(world)
    world.github.allow("eve", EDGES, Permission.READ)
    comment = await world.comment(pull, "/pachops deploy", by="eve")
    (answer,) = world.answers(pull)
    assert "permission\\_missing" in answer or "permission_missing" in answer
    assert "Ask somebody with write permission" in answer
    assert world.reactions(comment) == []
    assert await world.asked() == []


@pytest.mark.parametrize("ref", ["deadbee", "dead"])
async def test_no_history_is_fetched_for_who_may_not_deploy(
    world: World, monkeypatch: pytest.MonkeyPatch, ref: str
) -> None:
    async def resolve(_repository: str, ref: str) -> Commit:
        pytest.fail(f"git is asked for {ref}")

    pull = await opened(world, "  staging: {branches: [main], requires: [checks, fresh]}\n")
    monkeypatch.setattr(world.deployer, "resolve", resolve)
    world.github.allow("eve", EDGES, Permission.READ)
    await world.comment(pull, f"/pachops deploy staging {ref}", by="eve")
    ((_, _, reasons),) = await world.decisions()
    assert "permission_missing" in reasons
    assert "fact_unknown" not in reasons
    assert "ref_unknown" not in reasons


async def test_every_reason_of_a_refusal_is_told_at_once(world: World) -> None:
    pull = await opened(world, TWO)
    world.github.allow("eve", EDGES, Permission.READ)
    await world.comment(pull, "/pachops deploy production", by="eve")
    (answer,) = world.answers(pull)
    assert "permission_missing" in answer
    assert "review_missing" in answer


async def test_of_a_line_that_is_too_long_no_more_is_kept_than_a_command_may_have(
    world: World,
) -> None:
    pull = await opened(world)
    body = "\n\n".join([f"/pachops deploy {'é' * 6400}"] * 10)
    await world.comment(pull, body, by="eve")
    (answer,) = world.answers(pull)
    assert "longer than 1000 characters" in answer
    rows = [row.body for row in await world.deployer.audit.read()]
    assert max(map(len, rows)) < 10_000
    lines = [json.loads(row)["facts"]["line"] for row in rows]
    assert {(len(line), line[-1]) for line in lines} == {(1001, "…")}
    told = [await world.deliveries.state(each.guid) for each in world.github.webhooks.all]
    assert max(len(each[1] or "") for each in told if each) < 11_000


async def test_commands_of_one_comment_go_in_order(world: World) -> None:
    pull = await opened(world, "  staging: {}\n  second: {}\n")
    await world.comment(pull, "/pachops deploy staging\n/pachops deploy second\n/pachops status")
    assert [each.request.environment for each in await world.asked()] == ["staging", "second"]
    (answer,) = world.answers(pull)
    assert "staging" in answer
    assert "second" in answer


async def test_only_a_pull_request_takes_commands(world: World) -> None:
    world.declare(STAGING)
    issue = await world.github.open_issue(EDGES)
    await world.github.comment(issue, "/pachops deploy")
    await world.settled()
    assert await world.asked() == []


async def test_an_edited_comment_is_no_command(world: World) -> None:
    pull = await opened(world)
    comment = await world.comment(pull, "Looks good")
    await world.github.edit(pull, comment, "/pachops deploy")
    await world.settled()
    assert await world.asked() == []


async def test_a_bot_gives_no_commands(world: World) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops deploy", by="dependabot[bot]")
    assert await world.asked() == []
    assert world.answers(pull) == []


async def test_quoted_commands_are_none(world: World) -> None:
    pull = await opened(world)
    await world.comment(pull, "> /pachops deploy\n\n```\n/pachops deploy\n```\n")
    assert await world.asked() == []


async def test_a_head_that_moved_after_the_comment_is_refused_with_its_sha(world: World) -> None:
    pull = await opened(world)
    world.github.webhooks.is_held = True
    await world.github.comment(pull, "/pachops deploy")
    told = world.github.webhooks.all[-1]
    moved = await world.github.push(EDGES, {"a": "2"}, "feature")
    await world.github.webhooks.deliver(told)
    await world.settled()
    (answer,) = world.answers(pull)
    assert "head_moved" in answer
    assert f"/pachops deploy staging {moved}" in answer
    assert await world.asked() == []


async def test_a_sha_that_is_written_out_may_be_an_older_commit(world: World) -> None:
    pull = await opened(world)
    first = pull.head_sha
    await world.github.push(EDGES, {"a": "2"}, "feature")
    await world.comment(pull, f"/pachops deploy staging {first}")
    assert (await world.only()).request.commit.sha == first


async def test_a_sha_of_elsewhere_is_refused(world: World) -> None:
    pull = await opened(world)
    stranger = await world.github.push(EDGES, {"b": "1"}, "other")
    await world.comment(pull, f"/pachops deploy staging {stranger}")
    assert "commit_elsewhere" in world.answers(pull)[0]
    assert await world.asked() == []


async def test_an_allowed_branch_is_deployed_by_its_name(world: World) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops deploy staging main")
    commit = (await world.only()).request.commit
    assert (commit.ref, commit.branch) == ("main", "main")
    assert commit.sha != pull.head_sha


async def test_a_fork_is_deployed_by_its_whole_sha_and_never_trusted(world: World) -> None:
    world.declare("  staging: {forks: true}\n")
    world.github.fork(EDGES, "eve")
    pull = await world.github.open_pull_request(EDGES, "eve:feature", files={"a": "1"}, by="eve")
    await world.comment(pull, "/pachops deploy staging")
    (answer,) = world.answers(pull)
    assert f"/pachops deploy staging {pull.head_sha}" in answer
    assert re.findall(r"\(`(\w+)`\)", answer) == ["fork_needs_sha"]
    assert await world.asked() == []
    await world.comment(pull, f"/pachops deploy staging {pull.head_sha}")
    request = (await world.only()).request
    assert (request.commit.sha, request.trust) == (pull.head_sha, Trust.UNTRUSTED)
    assert request.commit.branch is None


async def fork(world: World, environments: str) -> PullRequest:
    world.declare(environments)
    world.github.fork(EDGES, "eve")
    return await world.github.open_pull_request(EDGES, "eve:feature", files={"a": "1"}, by="eve")


async def test_no_fork_gets_past_the_gate_where_the_operator_takes_none(world: World) -> None:
    pull = await fork(world, "  staging: {forks: true}\n")
    world.takes_forks(allowed=False)
    comment = await world.comment(pull, f"/pachops deploy staging {pull.head_sha}")
    (answer,) = world.answers(pull)
    assert "fork_not_allowed" in answer
    assert "allow\\_forks" in answer
    assert await world.asked() == []
    assert world.reactions(comment) == []


async def test_a_forks_plan_is_made_as_of_something_that_is_not_trusted(world: World) -> None:
    pull = await fork(world, "  staging: {forks: true}\n")
    await world.comment(pull, "/pachops plan")
    assert f"a plan for staging at {pull.head_sha}" in world.answers(pull)[0]
    (request,) = world.deployer.planned
    assert (request.trust, request.commit.branch) == (Trust.UNTRUSTED, None)


@pytest.mark.parametrize(("rules", "operator"), [("{}", True), ("{forks: true}", False)])
async def test_a_forks_plan_needs_the_same_consent_as_its_deployment(
    world: World, rules: str, *, operator: bool
) -> None:
    pull = await fork(world, f"  staging: {rules}\n")
    world.takes_forks(allowed=operator)
    await world.comment(pull, "/pachops plan")
    assert "fork_not_allowed" in world.answers(pull)[0]
    assert world.deployer.planned == []


async def test_a_fork_cannot_plan_itself(world: World) -> None:
    pull = await fork(world, "  staging: {forks: true}\n")
    await world.comment(pull, "/pachops plan", by="eve")
    assert "permission_missing" in world.answers(pull)[0]
    assert world.deployer.planned == []


async def test_a_github_that_gives_git_no_token_is_asked_again_and_nothing_is_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = await opened(world)
    resolve, failures = world.deployer.resolve, [1, 1]

    async def unreachable_at_first(repository: str, ref: str) -> Commit:
        if failures:
            failures.pop()
            raise StoppedError(Code.GITHUB_UNREACHABLE, "it answers 502")
        return await resolve(repository, ref)

    monkeypatch.setattr(world.deployer, "resolve", unreachable_at_first)
    await world.comment(pull, "/pachops deploy staging main")
    assert (await world.only()).request.commit.branch == "main"
    assert world.answers(pull) == []


async def test_a_login_that_is_not_taken_for_a_while_loses_no_command(world: World) -> None:
    pull = await opened(world)
    # A clock that is off, a key that is being changed: it is no answer to who asked.
    world.github.fail("POST", "/graphql", error(401, "'Issued at' is in the future"), times=5)
    await world.comment(pull, "/pachops deploy staging")
    assert (await world.only()).request.commit.sha == pull.head_sha
    assert world.answers(pull) == []
    assert world.github.pending_faults() == 0


async def test_a_permission_that_cannot_be_looked_up_refuses_and_says_which_call(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_client: RepositoryClient, login: str) -> Permission:
        raise StoppedError(Code.GITHUB_UNREACHABLE, f"reading the permission of {login}: 502")

    pull = await opened(world)
    world.github.world.shows_collaborators = False
    monkeypatch.setattr(RepositoryClient, "permission", away)
    await world.comment(pull, "/pachops deploy staging")
    (answer,) = world.answers(pull)
    assert "github_unreachable" in answer.replace("\\", "")
    assert "the permission of ada" in answer
    assert await world.asked() == []
    await world.comment(pull, "/pachops why")
    assert "ada asked" in world.answers(pull)[-1]


async def test_a_branch_of_the_repository_is_trusted(world: World) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops deploy staging")
    assert (await world.only()).request.trust is Trust.TRUSTED


async def test_a_fork_cannot_deploy_itself(world: World) -> None:
    world.declare("  staging: {forks: true}\n")
    world.github.fork(EDGES, "eve")
    pull = await world.github.open_pull_request(EDGES, "eve:feature", files={"a": "1"}, by="eve")
    await world.comment(pull, f"/pachops deploy staging {pull.head_sha}", by="eve")
    assert "permission_missing" in world.answers(pull)[0]
    assert await world.asked() == []


async def test_a_near_miss_gets_the_command_that_was_meant(world: World) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops depoly staging")
    assert "`/pachops deploy staging`" in world.answers(pull)[0]


async def test_help_is_answered(world: World) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops help")
    assert "/pachops deploy [ENV] [REF|SHA]" in world.answers(pull)[0]


async def test_a_plan_is_shown_and_nothing_deployed(world: World) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops plan")
    assert f"a plan for staging at {pull.head_sha}" in world.answers(pull)[0]
    assert await world.asked() == []


async def test_a_rollback_is_a_deployment_of_its_own(world: World) -> None:
    pull = await opened(world)
    comment = await world.comment(pull, "/pachops rollback staging --steps 2")
    deployment = await world.only()
    assert (deployment.request.kind, deployment.request.steps) == (Kind.ROLLBACK, 2)
    assert world.reactions(comment) == ["eyes"]
    assert (await world.origin(deployment)).comment_id == comment.id


async def test_a_rollback_needs_permission(world: World) -> None:
    pull = await opened(world)
    world.github.allow("eve", EDGES, Permission.TRIAGE)
    await world.comment(pull, "/pachops rollback staging", by="eve")
    assert "permission_missing" in world.answers(pull)[0]
    assert await world.asked() == []


async def test_a_rollback_to_nothing_says_so(world: World) -> None:
    pull = await opened(world, "  empty: {}\n")
    await world.comment(pull, "/pachops rollback empty")
    assert "nothing_to_roll_back" in world.answers(pull)[0]


async def test_cancel_stops_what_the_pull_request_has_under_way(world: World) -> None:
    pull = await opened(world)
    deployment = await deployed(world, pull)
    await world.comment(pull, "/pachops cancel")
    assert (await world.only()).state is State.FINISHED
    assert f"`{deployment.id}` had not begun" in world.answers(pull)[0]


async def test_cancel_needs_permission(world: World) -> None:
    pull = await opened(world)
    deployment = await deployed(world, pull)
    world.github.allow("eve", EDGES, Permission.READ)
    await world.comment(pull, f"/pachops cancel {deployment.id[-6:]}", by="eve")
    assert (await world.only()).state is State.WAITING
    assert "permission_missing" in world.answers(pull)[0]


async def test_a_comment_that_comes_in_another_delivery_is_not_done_again(world: World) -> None:
    """As from a repository's webhook beside the App's, or from who has overheard one."""
    pull = await opened(world, "  staging: {}\n  production: {}\n")
    await world.comment(pull, "/pachops lock production busy\n/pachops deploy staging")
    (heard,) = (each for each in world.github.webhooks.all if b"production busy" in each.body)
    await world.comment(pull, "/pachops unlock production")
    said = world.answers(pull)
    await world.github.webhooks.deliver(replace(heard, guid="another"))
    await world.settled()
    assert await world.deployer.locks.list(None, time.time()) == ()
    assert len(await world.asked()) == 1
    assert world.answers(pull) == said


async def test_a_plan_that_comes_in_another_delivery_is_not_made_again(world: World) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops plan staging")
    (heard,) = (each for each in world.github.webhooks.all if b"/pachops plan staging" in each.body)
    said = world.answers(pull)
    await world.github.webhooks.deliver(replace(heard, guid="another"))
    await world.settled()
    assert world.answers(pull) == said


async def test_a_comment_has_one_answer_for_all_its_commands(world: World) -> None:
    """Whoever may write nothing here cannot use up how many comments we may write."""
    pull = await opened(world)
    await world.github.comment(pull, "\n".join(["/pachops help", "/pachops deploy"] * 6), by="eve")
    await world.settled()
    (answer,) = world.answers(pull)
    # What would be said again is said once.
    assert answer.count("permission_missing") == 1


async def test_deployments_of_other_repositories_are_unknown_here(world: World) -> None:
    pull = await opened(world)
    deployment = await deployed(world, pull)
    world.github.repository("acme/faces", {".pachops.yml": f"environments:\n{STAGING}"})
    other = await world.github.open_pull_request("acme/faces", "feature", files={"a": "1"})
    await world.comment(other, f"/pachops cancel {deployment.id}\n/pachops history")
    (answer,) = world.answers(other)
    refused, _, history = answer.partition("\n---\n")
    assert "deployment_unknown" in refused
    assert deployment.id not in history
    assert "Nothing was deployed" in history
    assert (await world.only()).state is State.WAITING


async def test_history_shows_what_was_deployed(world: World) -> None:
    pull = await opened(world)
    deployment = await deployed(world, pull)
    await world.comment(pull, "/pachops history")
    assert f"| `{deployment.id}` | staging |" in world.answers(pull)[0]


async def test_a_wrong_project_file_is_told(world: World) -> None:
    world.github.repository(EDGES, {".pachops.yml": "environmets: {}\n"})
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops deploy")
    assert any("project_invalid" in each for each in world.answers(pull))


async def test_what_people_write_is_harmless_in_answers(world: World) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops @acme/everybody<img>")
    (answer,) = world.answers(pull)
    outside_code = re.sub(r"(`+).*?\1", "", answer.partition("<!-- pachops:")[0])
    assert "everybody" in answer
    assert "@acme" not in outside_code
    assert "<img>" not in outside_code


# --- again and again


async def test_a_repeated_delivery_acts_once(world: World) -> None:
    pull = await opened(world)
    comment = await world.comment(pull, "/pachops deploy\n/pachops help")
    for _ in range(3):
        await world.github.webhooks.deliver(world.github.webhooks.all[-1], again=True)
    await world.settled()
    await world.only()
    assert len(world.answers(pull)) == 1
    assert world.reactions(comment) == ["eyes"]


async def test_a_handler_that_broke_off_is_finished_and_does_nothing_twice(world: World) -> None:
    pull = await opened(world)
    world.github.fail("POST", "/repos/*/comments/*/reactions", error(500), times=4)
    comment = await world.comment(pull, "/pachops help\n/pachops deploy")
    deployment = await world.only()
    assert set(world.deployer.submitted) == {deployment.id}
    assert len(world.answers(pull)) == 1
    assert world.reactions(comment) == ["eyes"]


async def test_a_deleted_comment_is_deployed_without_a_reaction(world: World) -> None:
    pull = await opened(world)
    world.github.webhooks.is_held = True
    comment = await world.github.comment(pull, "/pachops deploy")
    told = world.github.webhooks.all[-1]
    await world.github.delete(pull, comment)
    await world.github.webhooks.deliver(told)
    await world.settled()
    await world.only()


async def test_a_comments_deployment_takes_few_calls(world: World) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops help")
    before = len(world.github.calls)
    await world.comment(pull, "/pachops deploy")
    calls = [str(each) for each in world.github.calls[before:]]
    assert len(calls) <= 6, calls


async def test_a_secret_in_a_command_is_kept_nowhere(world: World) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops deploy hunter2hunter2")
    (delivery,) = (
        each
        for each in world.github.webhooks.all
        if each.event == "issue_comment" and "hunter2" in each.body.decode()
    )
    found = await world.deliveries.state(delivery.guid)
    assert found is not None
    assert "refused" in (found[1] or "")
    assert "hunter2" not in (found[1] or "")
