"""Locks, rollbacks that hold, and why: said in comments on GitHub's stand-in."""

import json
import time
from dataclasses import replace
from functools import partial

import pytest

from bot.domain.deployment import Actor, Trigger
from bot.domain.github import Permission
from bot.domain.lock import Lock, NoticeKind
from bot.domain.reasons import Code, StoppedError
from bot.services.github import RepositoryClient
from bot.store.deployments import SKIPPED
from handlers.github.lock_notices import tell_on_pull_request
from handlers.lock_notices import LockNotices
from tests.handlers.github.world import EDGES, World
from tests.standins.github.state import PullRequest


async def opened(world: World, rules: str = "") -> PullRequest:
    world.declare(f"  staging: {{{rules}}}\n  production: {{}}\n")
    world.github.allow("grace", EDGES, Permission.WRITE)
    return await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})


async def says(world: World, pull: PullRequest, command: str, by: str = "ada") -> str:
    await world.comment(pull, f"/pachops {command}", by=by)
    return world.answers(pull)[-1].replace("\\", "")


async def locks(world: World) -> list[Lock]:
    return list(await world.deployer.locks.list(f"{world.github.url}/{EDGES}.git", time.time()))


async def notices(world: World) -> list[NoticeKind]:
    return [each.kind for each in await world.deployer.locks.due(time.time())]


async def test_a_lock_says_who_why_and_how_it_ends(world: World) -> None:
    pull = await opened(world)
    answer = await says(world, pull, "lock staging --for 2h we're trying another base")
    assert "staging is locked by ada" in answer
    assert "we're trying another base" in answer
    assert "`/pachops unlock staging` releases it" in answer
    (found,) = await locks(world)
    assert (found.environment, found.pull_request) == ("staging", pull.number)
    assert found.expires_at
    assert 7100 < found.expires_at - time.time() <= 7200


async def test_it_keeps_others_from_deploying_and_not_its_owner(world: World) -> None:
    pull = await opened(world)
    await says(world, pull, "lock staging")
    assert "locked" in await says(world, pull, "deploy staging", by="grace")
    await world.comment(pull, "/pachops deploy staging")
    assert (await world.only()).request.actor.name == "ada"


async def test_a_lock_of_all_keeps_others_from_every_environment(world: World) -> None:
    pull = await opened(world)
    assert "every environment is locked" in await says(world, pull, "lock --all the cluster moves")
    assert "the cluster moves" in await says(world, pull, "deploy production", by="grace")
    assert "is released" in await says(world, pull, "unlock --all")


async def test_another_does_not_get_it_and_is_told_how(world: World) -> None:
    pull = await opened(world)
    await says(world, pull, "lock staging an experiment")
    answer = await says(world, pull, "lock staging", by="grace")
    assert "an experiment" in answer
    assert "`/pachops lock staging --take-from ada`" in answer
    assert [each.owner.name for each in await locks(world)] == ["ada"]


async def test_it_is_taken_over_by_its_owners_name_and_the_owner_is_told(world: World) -> None:
    pull = await opened(world)
    await says(world, pull, "lock staging an experiment")
    answer = await says(world, pull, "lock staging --take-from ada", by="grace")
    assert "It was `ada`'s, who is told." in answer
    assert [each.owner.name for each in await locks(world)] == ["grace"]
    assert await notices(world) == [NoticeKind.TAKEN_OVER]


async def test_one_that_changed_hands_is_not_released(world: World) -> None:
    pull = await opened(world)
    world.github.allow("linus", EDGES, Permission.WRITE)
    await says(world, pull, "lock staging", by="grace")
    await says(world, pull, "lock staging --take-from grace", by="linus")
    assert "lock_changed" in await says(world, pull, "unlock staging --of grace")
    assert "(`locked`)" in await says(world, pull, "unlock staging")
    assert [each.owner.name for each in await locks(world)] == ["linus"]


@pytest.mark.parametrize(
    ("command", "method"),
    [("lock staging --take-from ada", "take_over"), ("unlock staging --of ada", "release")],
)
async def test_one_that_changes_hands_at_that_very_moment_stays_with_who_has_it(
    world: World, monkeypatch: pytest.MonkeyPatch, command: str, method: str
) -> None:
    pull = await opened(world)
    await says(world, pull, "lock staging")
    (there,), store = await locks(world), world.deployer.locks
    linus = replace(there, id="another", owner=Actor("linus", "github"))
    act, take_over = getattr(store, method), store.take_over

    async def beaten(*given: object, **more: object) -> object:
        await take_over(there.id, linus, time.time())
        return await act(*given, **more)

    monkeypatch.setattr(store, method, beaten)
    assert "(`lock_changed`)" in await says(world, pull, command, by="grace")
    assert [each.owner.name for each in await locks(world)] == ["linus"]


async def test_anothers_is_released_by_name_and_the_owner_is_told(world: World) -> None:
    pull = await opened(world)
    await says(world, pull, "lock staging", by="grace")
    assert "is released" in await says(world, pull, "unlock staging --of grace")
    assert await locks(world) == []
    assert await notices(world) == [NoticeKind.RELEASED]


async def test_what_is_not_locked_cannot_be_released(world: World) -> None:
    pull = await opened(world)
    assert "not_locked" in await says(world, pull, "unlock staging")


async def test_who_may_not_deploy_may_not_lock(world: World) -> None:
    pull = await opened(world)
    world.github.allow("eve", EDGES, Permission.READ)
    for command in ("lock staging", "lock --all", "unlock staging --of ada", "resume staging"):
        assert "permission_missing" in await says(world, pull, command, by="eve")
    assert await locks(world) == []


async def test_closing_or_merging_the_pull_request_releases_it(world: World) -> None:
    pull = await opened(world)
    await says(world, pull, "lock staging")
    await world.github.close(pull, merged=True)
    await world.settled()
    assert await locks(world) == []


async def test_on_a_pull_request_that_is_closed_it_is_not_bound_and_its_owner_is_told_there(
    world: World,
) -> None:
    pull = await opened(world)
    await world.github.close(pull)
    await world.settled()
    await says(world, pull, "lock staging")
    (found,) = await locks(world)
    assert (found.pull_request, found.asked_on) == (None, pull.number)
    await says(world, pull, "unlock staging --of ada", by="grace")
    await LockNotices(world.deployer.locks, [partial(tell_on_pull_request, world.desk)]).once()
    assert world.answers(pull)[-1].startswith("@ada Your lock of staging in acme/edges")


async def test_the_owner_releases_what_the_rules_have_no_more(world: World) -> None:
    pull = await opened(world)
    await says(world, pull, "lock production", by="grace")
    world.redeclare("  staging: {}\n")
    assert "(`locked`)" in await says(world, pull, "unlock production")
    assert "is released" in await says(world, pull, "unlock production", by="grace")
    assert await locks(world) == []
    assert "(`environment_unknown`)" in await says(world, pull, "unlock production", by="grace")


async def test_anothers_that_the_rules_have_no_more_is_for_those_who_may_act_on_all(
    world: World,
) -> None:
    pull = await opened(world)
    await says(world, pull, "lock production")
    world.redeclare("  staging: {}\n  test: {deployers: {users: [ada]}}\n")
    refused = await says(world, pull, "unlock production --of ada", by="grace")
    assert "(`not_a_deployer`)" in refused
    world.redeclare("  staging: {}\n")
    assert "is released" in await says(world, pull, "unlock production --of ada", by="grace")
    assert await notices(world) == [NoticeKind.RELEASED]


async def test_status_lists_locks(world: World) -> None:
    pull = await opened(world)
    await says(world, pull, "lock staging an experiment")
    assert "staging is locked by ada" in await says(world, pull, "status")


async def test_a_secret_in_a_reason_is_not_kept(world: World) -> None:
    pull = await opened(world)
    await says(world, pull, "lock staging the token hunter2hunter2 leaked")
    assert "hunter2hunter2" not in (await locks(world))[0].reason
    rows = await world.deployer.audit.read()
    assert not any("hunter2hunter2" in row.body for row in rows)


# --- a rollback that holds


async def test_a_hold_is_shown_and_released_by_command(world: World) -> None:
    pull = await opened(world, "on: {push: [main]}")
    await world.comment(pull, "/pachops deploy staging")
    await world.was_rolled_back()
    assert "`/pachops resume staging` ends that" in await says(world, pull, "status")
    assert "staging follows pushes and releases again" in await says(world, pull, "resume staging")
    assert "No rollback holds staging" in await says(world, pull, "resume staging")
    await world.github.push(EDGES, {"b": "1"}, "main")
    await world.settled()
    assert (await world.asked())[-1].request.trigger is Trigger.PUSH


# --- why


async def test_why_explains_the_last_refusal_on_the_pull_request(world: World) -> None:
    pull = await opened(world)
    world.github.allow("eve", EDGES, Permission.READ)
    await says(world, pull, "deploy staging", by="eve")
    answer = await says(world, pull, "why", by="grace")
    assert "eve asked `deploy staging` on GitHub" in answer
    assert "(`permission_missing`)" in answer
    assert "Next: Ask somebody with write permission." in answer
    assert "permission: read" in answer


async def test_why_explains_who_is_before_a_waiting_one(world: World) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops deploy staging")
    first = await world.only()
    await world.github.push(EDGES, {"a": "2"}, "feature")
    await world.settled()
    await world.comment(pull, "/pachops deploy staging")
    answer = await says(world, pull, "why")
    assert "waits for its turn" in answer
    assert "1 deployment is before it" in answer
    assert f"`{first.id}`" in answer
    assert "It was let through: ada asked `deploy staging` on GitHub" in answer


async def test_why_explains_what_waits_for_approval(world: World) -> None:
    pull = await opened(world, "approvals: 1")
    await world.comment(pull, "/pachops deploy staging")
    deployment = await world.only()
    asked = await world.waits_for_approval(deployment)
    answer = await says(world, pull, f"why {deployment.id}")
    assert "is in approve" in answer
    assert "It waits for 1 approval by others than ada" in answer
    assert f"`/pachops approve {deployment.id} {asked.digest[:12]}`" in answer


async def test_without_anything_there_is_nothing_to_explain(world: World) -> None:
    pull = await opened(world)
    assert Code.DEPLOYMENT_UNKNOWN in await says(world, pull, "why")


# --- the audit


async def test_every_command_and_decision_is_in_the_audit_once(world: World) -> None:
    pull = await opened(world)
    await says(world, pull, "lock staging")
    await says(world, pull, "deploy staging", by="grace")
    await says(world, pull, "deplyo staging", by="grace")
    await says(world, pull, "status", by="grace")
    rows = [json.loads(row.body) for row in await world.deployer.audit.read()]
    seen = [
        (each["action"], each["actor"]["name"], each["facts"]["line"], each.get("reasons"))
        for each in rows
        if each["action"] in {"command", "decision"}
    ]
    assert seen == [
        ("command", "ada", "lock staging", None),
        ("decision", "ada", "lock staging", None),
        ("command", "grace", "deploy staging", None),
        ("decision", "grace", "deploy staging", ["locked"]),
        ("command", "grace", "deplyo staging", None),
        ("decision", "grace", "deplyo staging", ["bad_command"]),
        ("command", "grace", "status", None),
    ]
    refused = next(each for each in rows if each.get("reasons") == ["locked"])
    assert refused["facts"]["on"]["locks"] == [
        {"owner": "ada", "environment": "staging", "reason": ""}
    ]
    assert (await world.deployer.audit.verify())[1] == ()


async def test_what_an_event_leads_to_is_in_the_audit_too(world: World) -> None:
    world.declare("  staging: {on: {push: [main]}, not: Mon - Sun UTC}\n")
    await world.github.push(EDGES, {"b": "1"}, "main")
    await world.settled()
    (row,) = [json.loads(each.body) for each in await world.deployer.audit.read()]
    assert (row["action"], row["environment"]) == ("decision", "staging")
    assert row["reasons"] == ["environment_frozen"]
    assert (row["actor"]["name"], row["facts"]["on"]["trigger"]) == ("ada", "push")


async def test_a_forced_one_keeps_what_was_skipped(world: World) -> None:
    pull = await opened(world, "not: Mon - Sun UTC, force: {users: [ada]}")
    await world.comment(pull, "/pachops deploy staging --force it burns")
    deployment = await world.only()
    assert await world.deployments.load(deployment.id, SKIPPED) == [
        "staging is frozen: Mon - Sun UTC"
    ]
    answer = await says(world, pull, "why")
    assert "Skipped by force: staging is frozen: Mon - Sun UTC" in answer


async def test_so_are_approvals_that_were_skipped(world: World) -> None:
    pull = await opened(world, "approvals: 2, force: {users: [ada]}")
    await world.comment(pull, "/pachops deploy staging --force it burns")
    skipped = await world.deployments.load((await world.only()).id, SKIPPED)
    assert skipped == ["staging needs 2 approvals by others"]
    answer = await says(world, pull, "why")
    assert "Skipped by force: staging needs 2 approvals by others" in answer


@pytest.mark.parametrize(
    ("before", "command", "answered"),
    [
        ("lock staging", "unlock staging", "is released"),
        ("lock staging", "lock staging --for 2h again", "It was yours before"),
        ("status", "lock staging", "(just now), until pull request 1"),
    ],
)
async def test_an_answer_that_could_not_be_posted_says_what_was_done_then(
    world: World, before: str, command: str, answered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    post, tries = RepositoryClient.create_comment, []

    async def post_at_last(client: RepositoryClient, number: int, body: str, *, marker: str) -> int:
        tries.append(body)
        if len(tries) == 1:
            raise StoppedError(Code.GITHUB_UNREACHABLE, "it answers 502")
        return await post(client, number, body, marker=marker)

    pull = await opened(world)
    await says(world, pull, before)
    monkeypatch.setattr(RepositoryClient, "create_comment", post_at_last)
    said = await says(world, pull, command)
    assert answered in said
    assert ("It was yours before" in said) is (command.endswith("again"))
    assert len(tries) == 2
