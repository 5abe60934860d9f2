"""All checks of a commit asked for again: what failed is deployed again, and none stays queued."""

import pytest

from bot.domain.deployment import Deployment, Kind, Outcome, Trigger
from bot.domain.github import Permission
from bot.domain.reasons import MEANINGS, Code, Reason, StoppedError
from bot.services.github import CheckReport, RepositoryClient
from bot.store.deliveries import Delivery
from handlers.reports.github.check import Button, check_name
from tests.handlers.github.world import EDGES, World
from tests.standins.github.state import CheckRun

BROKEN = Reason(Code.BUILD_FAILED, "it does not build", MEANINGS[Code.BUILD_FAILED].next_step)


async def deployed(world: World, **outcomes: Outcome | None) -> dict[str, Deployment]:
    """A push to environments and how that ended, by environment; None: not yet."""
    world.declare("".join(f"  {each}: {{on: {{push: [main]}}}}\n" for each in outcomes))
    await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    made = {each.request.environment: each for each in await world.asked()}
    for environment, outcome in outcomes.items():
        if outcome is not None:
            reason = None if outcome is Outcome.SUCCEEDED else BROKEN
            await world.deployments.finish(made[environment].id, outcome, reason)
    return made


async def checked(world: World, deployment: Deployment) -> CheckRun:
    """Its check, as the reports leave it."""
    client = world.client.for_repository("acme", "edges")
    report = CheckReport("as it was", "as it was")
    name = check_name(deployment.request.environment)
    sha = deployment.request.commit.sha
    await client.create_check(sha, name, report, external_id=deployment.id)
    return await world.github.expect_check(sha, name=name)


async def test_what_failed_is_deployed_again(world: World) -> None:
    (failed,) = (await deployed(world, staging=Outcome.FAILED)).values()
    await world.github.rerun_all(EDGES, await checked(world, failed))
    await world.settled()
    _, again = await world.asked()
    assert again.request.trigger is Trigger.RERUN
    assert again.request.commit == failed.request.commit


async def test_each_is_deployed_again_once_also_where_the_first_attempt_is_interrupted(
    world: World,
) -> None:
    made = await deployed(world, dev=Outcome.FAILED, staging=Outcome.ROLLED_BACK)
    for each in made.values():
        check = await checked(world, each)
    interrupted = 0

    async def interrupt(delivery: Delivery) -> None:
        nonlocal interrupted
        if delivery.attempts > 1 or delivery.event != "check_suite":
            return
        interrupted += 1
        # By the next attempt what was asked for has failed too, and has checks of its own.
        for each in (await world.asked())[2:]:
            await checked(world, each)
            await world.deployments.finish(each.id, Outcome.FAILED, BROKEN)
        raise StoppedError(Code.DATABASE_IN_USE, "the disk was busy")

    world.interrupts = interrupt
    await world.github.rerun_all(EDGES, check)
    await world.settled()
    assert interrupted
    again = (await world.asked())[2:]
    assert sorted(each.request.environment for each in again) == ["dev", "staging"]


@pytest.mark.parametrize(
    ("outcome", "conclusion"),
    [(Outcome.SUCCEEDED, "success"), (Outcome.SUPERSEDED, "cancelled")],
)
async def test_what_is_well_stays_and_shows_what_it_did(
    world: World, outcome: Outcome, conclusion: str
) -> None:
    (deployment,) = (await deployed(world, staging=outcome)).values()
    check = await checked(world, deployment)
    await world.github.rerun_all(EDGES, check)
    await world.settled()
    await world.only()
    assert (check.status, check.conclusion) == ("completed", conclusion)
    assert check.summary == "as it was"


async def test_what_is_under_way_goes_on(world: World) -> None:
    (deployment,) = (await deployed(world, staging=None)).values()
    check = await checked(world, deployment)
    await world.github.rerun_all(EDGES, check)
    await world.settled()
    await world.only()
    assert check.status == "queued"


async def test_what_runs_is_in_progress_again(world: World) -> None:
    (deployment,) = (await deployed(world, staging=None)).values()
    await world.deployments.begin(deployment.id)
    check = await checked(world, deployment)
    await world.github.rerun_all(EDGES, check)
    await world.settled()
    await world.only()
    assert (check.status, check.conclusion) == ("in_progress", None)
    assert check.summary == "as it was"


async def test_what_asks_for_approval_asks_for_it_still(world: World) -> None:
    (deployment,) = (await deployed(world, staging=None)).values()
    await world.waits_for_approval(deployment)
    check = await checked(world, deployment)
    await world.github.rerun_all(EDGES, check)
    await world.settled()
    await world.only()
    assert (check.status, check.conclusion) == ("completed", "action_required")
    assert check.summary == "as it was"


async def test_what_ends_meanwhile_does_not_stay_in_progress(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (deployment,) = (await deployed(world, staging=None)).values()
    await world.deployments.begin(deployment.id)
    check = await checked(world, deployment)
    resume = RepositoryClient.resume_check

    async def late(client: RepositoryClient, number: int) -> None:
        # The reports have said the end, which is written over.
        await world.deployments.finish(deployment.id, Outcome.FAILED, BROKEN)
        await resume(client, number)

    monkeypatch.setattr(RepositoryClient, "resume_check", late)
    await world.github.rerun_all(EDGES, check)
    await world.settled()
    assert (check.status, check.conclusion) == ("completed", "failure")


async def test_whoever_may_not_deploy_deploys_nothing_and_no_check_stays_queued(
    world: World,
) -> None:
    made = await deployed(world, dev=Outcome.FAILED, staging=Outcome.FAILED)
    checks = [await checked(world, each) for each in made.values()]
    world.github.allow("eve", EDGES, Permission.READ)
    await world.github.rerun_all(EDGES, checks[0], by="eve")
    await world.settled()
    assert len(await world.asked()) == 2
    assert {(each.status, each.conclusion) for each in checks} == {("completed", "action_required")}
    assert all("Not deployed to" in (each.summary or "") for each in checks)


async def held(world: World) -> tuple[Deployment, CheckRun]:
    """One that failed and was rolled back by hand, and its check."""
    (failed,) = (await deployed(world, staging=Outcome.FAILED)).values()
    back = await world.was_rolled_back()
    await world.deployments.finish(back.id, Outcome.SUCCEEDED)
    return failed, await checked(world, failed)


async def test_what_a_rollback_holds_is_not_deployed_by_who_wants_all_checks_again(
    world: World,
) -> None:
    failed, check = await held(world)
    await world.github.rerun_all(EDGES, check)
    await world.settled()
    assert [each.request.kind for each in await world.asked()] == [Kind.DEPLOY, Kind.ROLLBACK]
    assert (check.status, check.conclusion) == ("completed", "failure")
    assert f"/pachops deploy staging {failed.request.commit.sha}" in (check.summary or "")


async def test_its_own_button_deploys_what_a_rollback_holds(world: World) -> None:
    failed, check = await held(world)
    await world.github.rerun_all(EDGES, check)
    await world.settled()
    await world.github.press(EDGES, check, Button.RERUN)
    await world.settled()
    again = (await world.asked())[-1].request
    assert (again.trigger, again.commit) == (Trigger.CHECK, failed.request.commit)


async def test_a_refusal_stays_whoever_asks_for_all_checks(world: World) -> None:
    world.declare("  staging: {on: {push: [main]}, deployers: {users: [grace]}}\n")
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    check = await world.github.expect_check(sha, conclusion="action_required")
    await world.github.rerun_all(EDGES, check, by="grace")
    await world.settled()
    assert await world.asked() == []
    assert (check.status, check.conclusion) == ("completed", "action_required")
    assert "Not deployed to **staging**" in (check.summary or "")


async def test_checks_of_others_are_theirs(world: World) -> None:
    (deployment,) = (await deployed(world, staging=Outcome.FAILED)).values()
    foreign = world.github.check(EDGES, deployment.request.commit.sha, "ci")
    foreign.external_id = deployment.id
    await world.github.rerun_all(EDGES, foreign)
    await world.settled()
    await world.only()
    assert foreign.status == "queued"
