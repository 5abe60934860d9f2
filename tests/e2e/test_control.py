"""Approvals, locks, freezes, holds and the line, around a real update."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bot.account import user
from bot.app import Bot, open_bot
from bot.domain.approval import Cast, Verdict
from bot.domain.audit import parse_head
from bot.domain.deployment import (
    Actor,
    Commit,
    Deployment,
    Kind,
    Outcome,
    Request,
    Stage,
    Trigger,
    new_deployment_id,
)
from bot.domain.lock import Lock
from bot.domain.progress import (
    ApprovalNeeded,
    Progress,
    StageStarted,
    Supersedes,
    Voted,
    Warned,
)
from bot.domain.reasons import Code
from bot.services.pachyderm.connection import READ_TRIES
from bot.settings import load_settings
from bot.stages import roll_back
from bot.store.audit import Audit
from tests.e2e.test_main_job import simple
from tests.e2e.world import PATIENCE, Result, Screen, World

pytestmark = pytest.mark.real

VERIFY = "verify: {window: 0s, timeout: 20s}"


def commit(world: World, rules: str, word: str = "edges") -> str:
    project = f"environments: {{default: {{{VERIFY}, {rules}}}}}"
    return world.commit(simple(world) | {".pachops.yml": project, "run.sh": f"echo {word}\n"})


@asynccontextmanager
async def waiting(world: World) -> AsyncIterator[tuple[asyncio.Task[Result], Screen]]:
    """A deployment that waits for approval; its end is awaited."""
    reached = asyncio.Event()

    def see(event: Progress) -> None:
        if isinstance(event, ApprovalNeeded):
            reached.set()

    screen = Screen(on=see)
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        deploying = group.create_task(world.deploy(screen=screen))
        await reached.wait()
        yield deploying, screen


@asynccontextmanager
async def started(world: World) -> AsyncIterator[tuple[Bot, asyncio.Event]]:
    """A bot that runs what it is asked for; the event tells that one waits for approval."""
    asks = asyncio.Event()

    def see(_at: float, event: Progress) -> None:
        if isinstance(event, ApprovalNeeded):
            asks.set()

    settings = load_settings(world.environ)
    async with asyncio.timeout(PATIENCE), open_bot(settings, lambda _deployment: see) as bot:
        await bot.engine.start()
        yield bot, asks


async def actions(world: World) -> list[str]:
    async with world.database() as database:
        rows = await Audit(database).read()
        assert (await Audit(database).verify())[1] == ()
    return [json.loads(row.body)["action"] for row in rows]


# --- approvals


async def test_it_updates_once_another_person_has_approved(world: World) -> None:
    sha = commit(world, "approvals: 1")
    async with waiting(world) as (deploying, screen):
        assert not world.pachd.has_pipeline("edges")
        (needed,) = screen.of(ApprovalNeeded)
        assert (needed.sha, needed.needed, needed.reprocesses) == (sha, 1, False)
        assert needed.changes[-1] == "default/edges: create"
        assert await world.vote(Verdict.APPROVE) is Cast.COUNTED
    result = deploying.result()
    assert result.finished.outcome is Outcome.SUCCEEDED
    assert "Approved by grace." in result.finished.notes
    assert screen.of(Voted) == [Voted("grace", "github", approves=True)]
    assert world.running()[0] == 1
    assert await actions(world) == ["submitted", "approval_asked", "voted", "update", "finished"]


async def test_a_no_ends_it_and_changes_nothing(world: World) -> None:
    commit(world, "approvals: 2")
    async with waiting(world) as (deploying, _):
        await world.vote(Verdict.REJECT)
    finished = deploying.result().finished
    assert (finished.outcome, deploying.result().code) == (Outcome.REFUSED, "approval_rejected")
    assert finished.reason
    assert finished.reason.fact == "grace rejected it"
    assert not world.pachd.has_pipeline("edges")


async def test_it_can_be_cancelled_while_it_waits(world: World) -> None:
    commit(world, "approvals: 1")
    async with waiting(world) as (deploying, _):
        await world.request_cancel()
    assert deploying.result().finished.outcome is Outcome.CANCELLED
    assert not world.pachd.has_pipeline("edges")


async def test_a_vote_that_comes_while_no_bot_runs_counts(world: World) -> None:
    commit(world, "approvals: 1")
    await world.interrupted_at(lambda event: isinstance(event, ApprovalNeeded))
    assert await world.vote(Verdict.APPROVE) is Cast.COUNTED
    result = await world.resume()
    assert result.finished.outcome is Outcome.SUCCEEDED
    assert result.screen.of(StageStarted)[0].stage is Stage.APPROVE
    assert (await actions(world)).count("approval_asked") == 1


@pytest.mark.parametrize(
    ("stricter", "code"),
    [
        ("approvals: 1, deployers: {users: [linus]}", "not_a_deployer"),
        ("approvals: {count: 1, who: {users: [linus]}}", "approval_missing"),
        ("approvals: 2", "approval_missing"),
        ("approvals: {count: 1, who: {users: [linus], terminal: true}}", None),
    ],
)
async def test_rules_that_became_stricter_for_terminals_count_before_the_update(
    world: World, stricter: str, code: str | None
) -> None:
    world.address = f"file://{world.repository.path}"
    commit(world, "approvals: 1")
    async with waiting(world) as (deploying, _):
        commit(world, stricter)
        assert await world.vote(Verdict.APPROVE, surface="cli") is Cast.COUNTED
    assert deploying.result().code == code
    assert world.pachd.has_pipeline("edges") == (code is None)


async def test_without_a_change_nobody_is_asked(world: World) -> None:
    commit(world, "approvals: 1")
    async with waiting(world):
        await world.vote(Verdict.APPROVE)
    result = await world.deploy()
    assert result.finished.outcome is Outcome.SUCCEEDED
    assert result.screen.of(ApprovalNeeded) == []


async def test_a_workflow_that_nobody_could_answer_is_refused_before_anything(
    world: World,
) -> None:
    sha = commit(world, "approvals: 1")
    result = await world.deploy_for(Trigger.ACTION, sha)
    assert (result.finished.outcome, result.code) == (Outcome.REFUSED, "approval_impossible")
    assert not world.pachd.has_pipeline("edges")


async def test_the_operator_can_ask_for_approvals(world: World) -> None:
    commit(world, "drafts: false")
    settings = world.folder / "settings.yaml"
    settings.write_text("rules: [{approvals: {count: 1, deadline: 0.5s}}]\n")
    world.environ["PACHOPS_SETTINGS_FILE"] = str(settings)
    assert (await world.deploy()).code == "approval_expired"


# --- locks, freezes, force


async def test_what_another_has_locked_is_not_deployed_to(world: World) -> None:
    commit(world, "drafts: false")
    await world.lock()
    result = await world.deploy()
    assert (result.finished.outcome, result.code) == (Outcome.REFUSED, "locked")
    assert not world.pachd.has_pipeline("edges")


async def test_a_freeze_stops_it_before_the_update(world: World) -> None:
    commit(world, "not: Mon - Sun UTC")
    result = await world.deploy()
    assert (result.finished.outcome, result.code) == (Outcome.REFUSED, "environment_frozen")
    assert not world.pachd.has_pipeline("edges")


@pytest.mark.parametrize("scheme", ["", "file://"])
async def test_a_branch_does_not_do_away_with_a_freeze(world: World, scheme: str) -> None:
    frozen, free = "not: Mon - Sun UTC", "drafts: false"
    commit(world, frozen)
    project = f"environments: {{default: {{{VERIFY}, {free}}}}}"
    files = simple(world) | {".pachops.yml": project}
    world.repository.commit(files, branch="hurry")
    world.address = f"{scheme}{world.repository.path}"
    result = await world.deploy("hurry")
    assert (result.finished.outcome, result.code) == (Outcome.REFUSED, "environment_frozen")


@pytest.mark.parametrize("scheme", ["", "file://"])
async def test_a_branch_brings_no_environment_whose_rules_are_its_own(
    world: World, scheme: str
) -> None:
    world.commit({"README": "nothing yet"})
    project = f"environments: {{canary: {{{VERIFY}}}}}"
    world.repository.commit(simple(world) | {".pachops.yml": project}, branch="first")
    world.address = f"{scheme}{world.repository.path}"
    result = await world.deploy("first", "canary")
    assert (result.finished.outcome, result.code) == (Outcome.REFUSED, "environment_unknown")


async def test_what_stood_before_a_stop_is_looked_at_again_before_the_update(
    world: World,
) -> None:
    commit(world, "drafts: false")
    held = world.pachd.hold("StartTransaction")
    await world.interrupted_at(
        lambda event: isinstance(event, StageStarted) and event.stage is Stage.UPDATE
    )
    held.set()
    await world.lock()
    left = await world.leave_a_transaction()
    assert left in world.pachd.transactions
    result = await world.resume()
    assert (result.finished.outcome, result.code) == (Outcome.REFUSED, "locked")
    assert not world.pachd.has_pipeline("edges")
    assert left not in world.pachd.transactions


async def test_a_pachd_that_does_not_answer_after_a_stop_spares_no_look(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roll_back, "PAUSES", (0.0,))
    commit(world, "drafts: false")
    held = world.pachd.hold("StartTransaction")
    await world.interrupted_at(
        lambda event: isinstance(event, StageStarted) and event.stage is Stage.UPDATE
    )
    held.set()
    await world.lock()
    world.pachd.fail("InspectPipeline", times=READ_TRIES)
    result = await world.resume()
    assert (result.finished.outcome, result.code) == (Outcome.REFUSED, "locked")
    assert not world.pachd.has_pipeline("edges")


async def test_force_skips_lock_freeze_and_approvals_and_says_so(world: World) -> None:
    commit(world, "not: Mon - Sun UTC, approvals: 1, force: {permission: admin}")
    await world.lock()
    result = await world.deploy(force="the cluster is on fire")
    assert result.finished.outcome is Outcome.SUCCEEDED
    assert [each.text for each in result.screen.of(Warned)] == [
        f"Forced by {user()}: the cluster is on fire",
        "Skipped by force: default is frozen: Mon - Sun UTC",
        "Skipped by force: default is locked by grace: an experiment",
        "Skipped by force: default needs 1 approval by others",
    ]
    async with world.database() as database:
        rows = [json.loads(row.body) for row in await Audit(database).read()]
    submitted = next(each for each in rows if each["action"] == "submitted")
    assert submitted["facts"]["force"] == "the cluster is on fire"


# --- a rollback that holds


async def test_after_a_rollback_nothing_comes_back_by_itself(world: World) -> None:
    commit(world, "drafts: false", "one")
    await world.deploy()
    sha = commit(world, "drafts: false", "two")
    await world.deploy()
    assert (await world.roll_back()).finished.outcome is Outcome.SUCCEEDED
    before = world.running()
    held = await world.deploy_for(Trigger.PUSH, sha)
    assert (held.finished.outcome, held.code) == (Outcome.REFUSED, "held")
    assert world.running() == before
    assert (await world.deploy()).finished.outcome is Outcome.SUCCEEDED
    assert (await world.deploy_for(Trigger.PUSH, sha)).finished.outcome is Outcome.SUCCEEDED


# --- the line


async def test_a_newer_commit_takes_the_place_of_older_ones(world: World) -> None:
    shas = [commit(world, "approvals: 1", word) for word in ("one", "two", "three")]
    async with started(world) as (bot, asks):
        first, *waiting = pushed(world, shas[0], None), *(pushed(world, sha) for sha in shas)
        await bot.engine.submit(first)
        await asks.wait()
        for each in waiting:
            await bot.engine.submit(each)
        assert (await bot.queue.place(waiting[1])).before[-1].id == waiting[0].id
        await bot.engine.cancel(first.id, "ada")
        *older, newest = waiting
        ended = [await bot.engine.wait(each.id) for each in older]
        await bot.engine.cancel(newest.id, "ada")
        assert (await bot.engine.wait(newest.id)).outcome is Outcome.CANCELLED
        said = [event for _, _, event in await bot.progress.read(newest.id)]
    assert [each.outcome for each in ended] == [Outcome.SUPERSEDED] * 2
    assert all(each.reason and newest.id in each.reason.fact for each in ended)
    superseded = {event.deployment for event in said if isinstance(event, Supersedes)}
    assert superseded == {each.id for each in older}


async def test_one_that_waits_for_approval_gives_way_to_a_newer_one(world: World) -> None:
    old = commit(world, "approvals: 1", "one")
    new = commit(world, "approvals: 1", "two")
    async with started(world) as (bot, asks):
        older, newer = pushed(world, old), pushed(world, new)
        await bot.engine.submit(older)
        await asks.wait()
        await bot.engine.submit(newer)
        ended = await bot.engine.wait(older.id)
        await bot.engine.cancel(newer.id, "ada")
        await bot.engine.wait(newer.id)
    assert ended.outcome is Outcome.SUPERSEDED
    assert not world.pachd.has_pipeline("edges")


async def test_a_newer_one_that_may_not_go_on_takes_nobodys_place(world: World) -> None:
    shas = [commit(world, "approvals: 1", word) for word in ("one", "two", "three")]
    ada, bob = Actor("ada", "github"), Actor("bob", "github")
    async with started(world) as (bot, asks):
        first, hers, his = pushed(world, shas[0], None), *(pushed(world, each) for each in shas[1:])
        his = replace(his, request=replace(his.request, actor=bob))
        await bot.engine.submit(first)
        await asks.wait()
        for each in (hers, his):
            await bot.engine.submit(each)
        lock = Lock("1", world.address, "default", ada, "mine", time.time())
        await bot.locks.take(lock, time.time())
        asks.clear()
        await bot.engine.cancel(first.id, ada)
        await asks.wait()
        await bot.engine.cancel(hers.id, ada)
        ended = [await bot.engine.wait(each.id) for each in (hers, his)]
    assert [each.outcome for each in ended] == [Outcome.CANCELLED, Outcome.REFUSED]
    assert [each.reason.code for each in ended if each.reason] == [Code.CANCELLED, Code.LOCKED]


@pytest.mark.parametrize("urgent", ["a forced deployment", "a rollback"])
async def test_one_that_waits_for_approval_gives_way_to_what_is_urgent(
    world: World, urgent: str
) -> None:
    commit(world, "drafts: false", "one")
    assert (await world.deploy()).finished.outcome is Outcome.SUCCEEDED
    commit(world, "drafts: false", "two")
    assert (await world.deploy()).finished.outcome is Outcome.SUCCEEDED
    sha = commit(world, "approvals: 1", "three")
    async with started(world) as (bot, asks):
        waits = pushed(world, sha)
        await bot.engine.submit(waits)
        await asks.wait()
        if urgent == "a rollback":
            actor = Actor("ada", "github")
            asked = await bot.rollback_request(world.address, "default", 1, Trigger.CLI, actor)
        else:
            asked = replace(pushed(world, sha, "hotfix").request, force="fire")
        comes = Deployment(new_deployment_id(), asked)
        await bot.engine.submit(comes)
        gave_way = await bot.engine.wait(waits.id)
        ended = await bot.engine.wait(comes.id)
        said = [event for _, _, event in await bot.progress.read(comes.id)]
    assert gave_way.reason is not None
    assert (gave_way.outcome, gave_way.reason.code) == (Outcome.SUPERSEDED, Code.GAVE_WAY)
    assert ended.outcome is Outcome.SUCCEEDED
    assert [each.deployment for each in said if isinstance(each, Supersedes)] == [waits.id]


def pushed(world: World, sha: str, branch: str | None = "main") -> Deployment:
    request = Request(
        Kind.DEPLOY,
        world.address,
        "default",
        Commit(sha, branch or sha, branch=branch),
        Trigger.PUSH,
        Actor("ada", "github"),
    )
    return Deployment(new_deployment_id(), request)


async def test_the_log_keeps_what_an_audit_that_is_written_anew_is_found_by(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    commit(world, "drafts: false")
    with caplog.at_level(logging.INFO, "bot.app"):
        await world.deploy()
    (noted,) = [each.getMessage() for each in caplog.records if "audit head" in each.getMessage()]
    head = parse_head(noted.removeprefix("audit head "))
    async with world.database() as database:
        _, faults = await Audit(database).verify(head)
        other = replace(head, hash="0" * len(head.hash))
        _, of_other = await Audit(database).verify(other)
    assert faults == ()
    assert of_other


async def test_a_roll_back_is_in_the_audit_with_its_reason(
    world: World, good_images: set[str]
) -> None:
    commit(world, "drafts: false", "one")
    await world.deploy()
    good_images.add(world.running()[1])
    world.pachd.put_files("images", ["a.png"])
    project = "environments: {default: {verify: {window: 3s, timeout: 20s}}}"
    world.commit({"run.sh": "echo worse\n", ".pachops.yml": project})
    result = await world.deploy(reprocess=True)
    assert result.finished.outcome is Outcome.ROLLED_BACK
    async with world.database() as database:
        rows = [json.loads(row.body) for row in await Audit(database).read()]
    assert [each["action"] for each in rows][-3:] == ["update", "roll_back", "finished"]
    assert rows[-2]["reasons"] == rows[-1]["reasons"] == [result.code]
