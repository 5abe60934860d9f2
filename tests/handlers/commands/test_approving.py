"""Approvals and rejections, said in comments on GitHub's stand-in."""

import pytest

from bot.domain.approval import Verdict
from bot.domain.deployment import Deployment, Outcome
from bot.domain.github import Permission
from bot.services.github import Action, CheckReport
from handlers.reports.github.check import check_name
from tests.handlers.github.world import EDGES, World
from tests.standins.github.state import PullRequest

NAMED = "approvals: {count: 1, who: {teams: [acme/leads]}}"


async def asked(
    world: World, rules: str = "approvals: 1", needed: int = 1
) -> tuple[PullRequest, Deployment, str]:
    """A deployment that ada asked for and that waits; the digest of what it would do."""
    world.declare(f"  staging: {{{rules}}}\n")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    for each in ("grace", "linus"):
        world.github.allow(each, EDGES, Permission.WRITE)
    await world.comment(pull, "/pachops deploy staging")
    deployment = await world.only()
    proposal = await world.waits_for_approval(deployment, needed)
    return pull, deployment, proposal.digest


async def says(world: World, pull: PullRequest, command: str, by: str = "grace") -> str:
    await world.comment(pull, f"/pachops {command}", by=by)
    return world.answers(pull)[-1].replace("\\", "")


async def votes(world: World, deployment: Deployment) -> dict[str, Verdict]:
    found = await world.deployer.approvals.get(deployment.id)
    assert found
    return {each.by.name: each.verdict for each in found.votes}


async def test_somebody_else_approves(world: World) -> None:
    pull, deployment, _ = await asked(world)
    answer = await says(world, pull, "approve")
    assert f"You have approved `{deployment.id}`. It has all approvals that it needs." in answer
    assert await votes(world, deployment) == {"grace": Verdict.APPROVE}


async def test_of_several_approvals_it_is_said_how_many_there_are(world: World) -> None:
    pull, deployment, _ = await asked(world, "approvals: 2", needed=2)
    answer = await says(world, pull, f"approve {deployment.id}")
    assert "It has 1 of 2 approvals." in answer


async def test_somebody_else_rejects(world: World) -> None:
    pull, deployment, _ = await asked(world)
    assert f"You have rejected `{deployment.id}`" in await says(world, pull, "reject")
    assert await votes(world, deployment) == {"grace": Verdict.REJECT}


async def test_the_first_vote_stands(world: World) -> None:
    pull, deployment, _ = await asked(world, "approvals: 2", needed=2)
    await says(world, pull, "approve")
    assert "You have voted" in await says(world, pull, "reject")
    assert await votes(world, deployment) == {"grace": Verdict.APPROVE}


async def test_who_asked_does_not_approve(world: World) -> None:
    pull, deployment, _ = await asked(world)
    assert "approver_asked" in await says(world, pull, "approve", by="ada")
    assert await votes(world, deployment) == {}


async def test_who_may_not_write_does_not_approve(world: World) -> None:
    pull, deployment, _ = await asked(world)
    world.github.allow("eve", EDGES, Permission.READ)
    assert "permission_missing" in await says(world, pull, "approve", by="eve")
    assert await votes(world, deployment) == {}


async def test_only_those_who_are_named_approve(world: World) -> None:
    world.github.team("acme/leads", "grace")
    pull, deployment, _ = await asked(world, NAMED)
    assert "not_an_approver" in await says(world, pull, "approve", by="linus")
    assert "You have approved" in await says(world, pull, "approve", by="grace")
    assert await votes(world, deployment) == {"grace": Verdict.APPROVE}


async def test_a_team_that_nobody_can_read_approves_nothing(world: World) -> None:
    pull, deployment, _ = await asked(world, NAMED)
    assert "team_unknown" in await says(world, pull, "approve")
    assert await votes(world, deployment) == {}


@pytest.mark.parametrize("of", ["sha", "digest"])
async def test_a_vote_says_what_was_looked_at(world: World, of: str) -> None:
    pull, deployment, digest = await asked(world)
    seen = digest if of == "digest" else pull.head_sha
    assert "You have approved" in await says(world, pull, f"approve --at {seen[:10]}")
    assert await votes(world, deployment) == {"grace": Verdict.APPROVE}


async def test_a_vote_for_something_else_does_not_count(world: World) -> None:
    pull, deployment, _ = await asked(world)
    answer = await says(world, pull, f"approve {deployment.id} {'0' * 12}")
    assert "approval_outdated" in answer
    assert await votes(world, deployment) == {}


async def test_one_that_has_ended_is_not_approved(world: World) -> None:
    pull, deployment, _ = await asked(world)
    await world.deployments.finish(deployment.id, Outcome.CANCELLED)
    assert "approval_not_open" in await says(world, pull, f"approve {deployment.id}")
    assert "approval_not_open" in await says(world, pull, "approve")


async def test_what_asks_for_no_approval_has_none(world: World) -> None:
    world.declare("  staging: {}\n")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops deploy staging")
    deployment = await world.only()
    world.github.allow("grace", EDGES, Permission.WRITE)
    assert "approval_not_open" in await says(world, pull, f"approve {deployment.id}")


async def test_rules_that_ask_for_more_by_now_count(world: World) -> None:
    pull, deployment, _ = await asked(world)
    rules = "environments:\n  staging: {approvals: 2}\n"
    await world.github.push(EDGES, {".pachops.yml": rules}, "main")
    assert "It has 1 of 2 approvals." in await says(world, pull, f"approve {deployment.id}")


async def test_another_repositorys_deployment_is_none_of_it(world: World) -> None:
    pull, _, _ = await asked(world)
    assert "deployment_unknown" in await says(world, pull, "approve 06h8k2m4")


async def presses(world: World, deployment: Deployment, identifier: str, by: str) -> None:
    sha, name = deployment.request.commit.sha, check_name(deployment.request.environment)
    report = CheckReport("waits", "waits", actions=(Action(identifier, identifier, identifier),))
    client = world.client.for_repository("acme", "edges")
    await client.create_check(sha, name, report, external_id=deployment.id)
    check = await world.github.expect_check(sha)
    await world.github.press(EDGES, check, identifier, by=by)
    await world.settled()


async def test_a_button_of_the_check_approves(world: World) -> None:
    _, deployment, digest = await asked(world)
    await presses(world, deployment, f"approve:{digest[:12]}", by="grace")
    assert await votes(world, deployment) == {"grace": Verdict.APPROVE}


async def test_a_button_below_another_plan_approves_nothing(world: World) -> None:
    pull, deployment, _ = await asked(world)
    await presses(world, deployment, "approve:000000000000", by="grace")
    assert await votes(world, deployment) == {}
    assert "approval_outdated" in world.answers(pull)[-1].replace("\\", "")


async def test_a_button_does_not_approve_for_who_asked(world: World) -> None:
    pull, deployment, _ = await asked(world)
    await presses(world, deployment, "reject", by="ada")
    assert await votes(world, deployment) == {}
    assert "approver_asked" in world.answers(pull)[-1].replace("\\", "")
