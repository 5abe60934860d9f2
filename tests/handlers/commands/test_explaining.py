"""`why` where several things were decided about one deployment, said on GitHub's stand-in."""

import json

import pytest

from bot.domain.deployment import Deployment
from bot.domain.github import Permission
from tests.handlers.github.world import EDGES, World
from tests.standins.github.state import PullRequest

LET_THROUGH = "It was let through: ada asked `deploy staging` on GitHub"


async def waiting(world: World) -> tuple[PullRequest, Deployment]:
    """A deployment that ada asked for and that waits for another's approval."""
    world.declare("  staging: {approvals: 2}\n  production: {}\n")
    world.github.allow("grace", EDGES, Permission.WRITE)
    world.github.allow("eve", EDGES, Permission.READ)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops deploy staging")
    deployment = await world.only()
    await world.waits_for_approval(deployment, 2)
    return pull, deployment


async def says(world: World, pull: PullRequest, command: str, by: str = "grace") -> str:
    await world.comment(pull, f"/pachops {command}", by=by)
    return world.answers(pull)[-1].replace("\\", "")


@pytest.mark.parametrize(
    ("command", "by"), [("approve", "grace"), ("approve", "eve"), ("cancel", "grace")]
)
async def test_what_let_it_through_is_no_later_vote_and_no_cancel(
    world: World, command: str, by: str
) -> None:
    pull, deployment = await waiting(world)
    await says(world, pull, command, by=by)
    answer = await says(world, pull, f"why {deployment.id}")
    assert LET_THROUGH in answer
    assert f"{by} asked" not in answer


@pytest.mark.parametrize(
    ("command", "code"),
    [("approve", "permission_missing"), ("approve 06h8k2m4", "deployment_unknown")],
)
async def test_a_vote_that_is_refused_is_explained_as_any_command(
    world: World, command: str, code: str
) -> None:
    pull, _ = await waiting(world)
    assert code in await says(world, pull, command, by="eve")
    answer = await says(world, pull, "why", by="ada")
    assert "eve asked `approve" in answer
    assert f"(`{code}`)" in answer


async def test_every_vote_is_decided_once_in_the_audit(world: World) -> None:
    pull, deployment = await waiting(world)
    await says(world, pull, "reject 06h8k2m4")
    await says(world, pull, "approve")
    rows = [json.loads(row.body) for row in await world.deployer.audit.read()]
    decided = [
        (each["facts"]["line"], each.get("reasons"), each["facts"]["pull_request"])
        for each in rows
        if each["action"] == "decision"
    ]
    assert decided == [
        ("deploy staging", None, pull.number),
        ("reject 06h8k2m4", ["deployment_unknown"], pull.number),
        (f"approve {deployment.id}", None, pull.number),
    ]


async def test_one_that_is_long_past_is_found_by_its_whole_id(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull, deployment = await waiting(world)
    await world.comment(pull, "/pachops deploy production")
    monkeypatch.setattr("handlers.commands.meaning._SEARCHED", 1)
    assert LET_THROUGH in await says(world, pull, f"why {deployment.id}")
