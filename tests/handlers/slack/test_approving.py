"""Approvals: who approves sees what they approve, and is one of those who may."""

import time

import pytest

from bot.domain.approval import ApprovalRequest, PipelineChange, Proposal, Verdict
from bot.domain.deployment import Deployment, Stage
from bot.domain.github import Permission
from bot.services.slack import Message
from handlers.reports.slack.blocks import actions, button, section
from handlers.reports.slack.buttons import Button
from tests.handlers.github.world import EDGES
from tests.handlers.slack.clicking import joined
from tests.handlers.slack.world import World
from tests.standins.slack.faults import broken
from tests.standins.slack.state import Message as Shown
from tests.standins.slack.state import User

RULES = """
  production:
    approvals: 1
"""
GROUP_RULES = """
  production:
    approvals: {count: 1, who: {slack_groups: [ml-oncall]}}
"""


def proposal(deployment: Deployment, spec: str = "1") -> Proposal:
    change = PipelineChange(
        "vision", "edges", 3, ("transform.image: a -> b",), spec, reprocess=False, running_jobs=2
    )
    return Proposal(deployment.request.commit.sha, ("acme/edges@sha256:aa",), (change,))


async def asks(world: World, deployment: Deployment, spec: str = "1") -> None:
    """It waits for approval of this plan now."""
    await world.deployments.begin(deployment.id)
    await world.deployments.enter(deployment.id, Stage.APPROVE)
    now = time.time()
    asked_by = deployment.request.actor
    what = proposal(deployment, spec)
    request = ApprovalRequest(deployment.id, what, asked_by, 1, now, now + 3600)
    await world.deployer.approvals.ask(request)


@pytest.fixture
async def bob(world: World) -> User:
    return await joined(world, "bob", Permission.WRITE)


@pytest.fixture
async def deployment(world: World) -> Deployment:
    world.github.redeclare(RULES)
    await world.links(world.ann, "ada")
    await world.types(world.ann, f"/pachops deploy production --repo {EDGES}")
    deployment = await world.only()
    await asks(world, deployment)
    return deployment


async def shown(world: World, deployment: Deployment, spec: str = "1") -> Shown:
    """The message of the deployment, as a report has it."""
    what = proposal(deployment, spec)
    value = f"{deployment.id} {what.sha} {what.digest}"
    row = [button(each, each.value, value) for each in (Button.APPROVE, Button.REJECT)]
    message = Message("a deployment", [section("a deployment"), actions(row)])
    await world.client.post(world.ml.id, message, identity=f"{deployment.id} {spec}")
    return world.slack.own_messages(world.ml)[-1]


async def votes(world: World, deployment: Deployment) -> list[tuple[str, Verdict]]:
    asked = await world.deployer.approvals.get(deployment.id)
    return [(each.by.name, each.verdict) for each in asked.votes] if asked else []


@pytest.mark.parametrize("which", [Button.APPROVE, Button.REJECT])
async def test_somebody_else_decides(
    world: World, deployment: Deployment, bob: User, which: Button
) -> None:
    message = await shown(world, deployment)
    await world.slack.clicks(bob, message, which)
    await world.settled()
    assert await votes(world, deployment) == [("bob", Verdict(which.value))]
    assert world.looked_again == [deployment.id]
    asked = await world.deployer.approvals.get(deployment.id)
    assert asked is not None
    assert asked.votes[0].by.identity == "github:bob"


async def test_who_asked_does_not_approve(world: World, deployment: Deployment) -> None:
    message = await shown(world, deployment)
    await world.slack.clicks(world.ann, message, Button.APPROVE)
    await world.slack.expect_ephemeral(world.ann, "ada asked for deployment")
    assert await votes(world, deployment) == []


async def test_who_may_not_is_told_in_private(
    world: World, deployment: Deployment, bob: User
) -> None:
    world.github.github.allow("bob", EDGES, Permission.READ)
    message = await shown(world, deployment)
    await world.slack.clicks(bob, message, Button.APPROVE)
    await world.slack.expect_ephemeral(bob, "bob has read permission")
    assert await votes(world, deployment) == []


async def test_who_is_not_linked_does_not_approve(world: World, deployment: Deployment) -> None:
    cy = world.slack.person("cy")
    world.ml.members.add(cy.id)
    message = await shown(world, deployment)
    await world.slack.clicks(cy, message, Button.APPROVE)
    await world.slack.expect_ephemeral(cy, "/pachops link")
    assert await votes(world, deployment) == []


async def test_a_message_of_another_plan_approves_nothing(
    world: World, deployment: Deployment, bob: User
) -> None:
    message = await shown(world, deployment, "an older plan")
    await world.slack.clicks(bob, message, Button.APPROVE)
    await world.slack.expect_ephemeral(bob, "is not what the approval is for")
    assert await votes(world, deployment) == []


async def test_a_button_that_says_no_plan_approves_nothing(
    world: World, deployment: Deployment, bob: User
) -> None:
    row = [button(Button.APPROVE, "Approve", deployment.id)]
    message = Message("a deployment", [section("a deployment"), actions(row)])
    await world.client.post(world.ml.id, message, identity="no plan")
    await world.slack.clicks(bob, world.slack.own_messages(world.ml)[-1], Button.APPROVE)
    await world.slack.expect_ephemeral(bob, "is not possible any more")
    assert await votes(world, deployment) == []


async def test_a_click_that_comes_twice_counts_once(
    world: World, deployment: Deployment, bob: User
) -> None:
    message = await shown(world, deployment)
    await world.slack.clicks(bob, message, Button.APPROVE)
    await world.slack.clicks(bob, message, Button.REJECT)
    await world.settled()
    await world.slack.expect_ephemeral(bob, "You have voted on")
    assert await votes(world, deployment) == [("bob", Verdict.APPROVE)]


async def test_a_click_after_it_was_decided_says_so(
    world: World, deployment: Deployment, bob: User
) -> None:
    message = await shown(world, deployment)
    await world.deployer.approvals.settle(deployment.id, time.time() + 7200)
    await world.slack.clicks(bob, message, Button.APPROVE)
    await world.slack.expect_ephemeral(bob, "is decided")


async def test_a_command_approves_what_waits(
    world: World, deployment: Deployment, bob: User
) -> None:
    await world.types(bob, f"/pachops approve --repo {EDGES}")
    await world.slack.expect_ephemeral(bob, "You have approved")
    assert await votes(world, deployment) == [("bob", Verdict.APPROVE)]


async def test_a_comment_approves_what_waits(
    world: World, deployment: Deployment, bob: User
) -> None:
    del bob
    github = world.github.github
    pull = await github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.github.comment(pull, f"/pachops approve {deployment.id}", by="ada")
    assert "ada asked for deployment" in world.github.answers(pull)[-1]
    await world.github.comment(pull, f"/pachops approve {deployment.id}", by="bob")
    assert "You have approved" in world.github.answers(pull)[-1]
    assert await votes(world, deployment) == [("bob", Verdict.APPROVE)]


async def test_the_home_shows_what_waits_for_the_person_alone(
    world: World, deployment: Deployment, bob: User
) -> None:
    await world.slack.opens_home(bob)
    home = await world.slack.expect_home(bob, "Waiting for your approval")
    assert "transform.image" in world.slack.reads(home)
    assert world.slack.buttons(home) == ["approve", "reject"]
    await world.slack.opens_home(world.ann)
    await world.settled()
    other = await world.slack.expect_home(world.ann, "Under way")
    assert "your approval" not in world.slack.reads(other)
    await world.slack.clicks(bob, home, Button.APPROVE)
    await world.settled()
    assert await votes(world, deployment) == [("bob", Verdict.APPROVE)]


class TestGroups:
    @pytest.fixture
    async def deployment(self, world: World) -> Deployment:
        world.github.redeclare(GROUP_RULES)
        await world.links(world.ann, "ada")
        await world.types(world.ann, f"/pachops deploy production --repo {EDGES}")
        deployment = await world.only()
        await asks(world, deployment)
        return deployment

    async def test_a_member_of_the_user_group_approves(
        self, world: World, deployment: Deployment, bob: User
    ) -> None:
        world.slack.group("ml-oncall", bob)
        message = await shown(world, deployment)
        await world.slack.clicks(bob, message, Button.APPROVE)
        await world.settled()
        assert await votes(world, deployment) == [("bob", Verdict.APPROVE)]

    async def test_nobody_else_does(self, world: World, deployment: Deployment, bob: User) -> None:
        world.slack.group("ml-oncall", world.ann)
        message = await shown(world, deployment)
        await world.slack.clicks(bob, message, Button.APPROVE)
        await world.slack.expect_ephemeral(bob, "bob is not an approver of production")
        assert await votes(world, deployment) == []

    async def test_a_group_that_cannot_be_read_is_no_yes(
        self, world: World, deployment: Deployment, bob: User
    ) -> None:
        world.slack.group("ml-oncall", bob)
        world.slack.fail("usergroups.users.list", broken(), times=9)
        message = await shown(world, deployment)
        await world.slack.clicks(bob, message, Button.APPROVE)
        await world.slack.expect_ephemeral(bob, "@ml-oncall in Slack")
        assert await votes(world, deployment) == []

    async def test_members_are_asked_for_once_a_minute(self, world: World, bob: User) -> None:
        group = world.slack.group("ml-oncall", bob)
        groups = world.desk.groups
        assert groups is not None
        assert await groups.is_member("ml-oncall", "bob") is True
        group.members.clear()
        assert await groups.is_member("ml-oncall", "bob") is True
        assert await groups.is_member(group.id.lower(), "bob") is True
        assert world.slack.called("usergroups.users.list") == 1
        world.seconds += 61
        assert await groups.is_member("ml-oncall", "bob") is False
