import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest
from pydantic import SecretStr

from bot.domain.reasons import Code, Reason, StoppedError
from bot.services.pachyderm import AnswerLostError, Job, Pachyderm, PipelineUpdate
from tests.standins.pachd import Pachd

Spec = dict[str, Any]

EDGES: Spec = {
    "pipeline": {"project": {"name": "vision"}, "name": "edges"},
    "transform": {"image": "acme/edges:1", "cmd": ["python", "/edges.py"]},
    "input": {"pfs": {"repo": "images", "glob": "/*"}},
}
MONTAGE: Spec = EDGES | {
    "pipeline": {"project": {"name": "vision"}, "name": "montage"},
    "input": {"pfs": {"repo": "edges", "glob": "/"}},
}
LONG = 1_000.0
"""Seconds in which everything comes to its end."""


@pytest.fixture
async def pachd() -> AsyncIterator[Pachd]:
    async with Pachd() as pachd:
        pachd.put_files("images", ["a.png", "b.png"], project="vision")
        yield pachd


@pytest.fixture
async def pachyderm(pachd: Pachd) -> AsyncIterator[Pachyderm]:
    client = Pachyderm(pachd.address)
    yield client
    await client.close()


def to(spec: Spec, *, reprocess: bool = False) -> PipelineUpdate:
    name = spec["pipeline"]["name"]
    return PipelineUpdate("vision", name, json.dumps(spec), reprocess=reprocess)


async def unnoticed(_: str) -> None:
    """For updates whose transaction nobody needs to know."""


async def reason_of(call: Any) -> Reason:
    with pytest.raises(StoppedError) as caught:
        await call
    return caught.value.reason


# reading


async def test_the_version_is_read(pachyderm: Pachyderm) -> None:
    assert await pachyderm.version() == "2.12.2"


async def test_a_pachd_before_2_8_is_too_old() -> None:
    async with Pachd(version=(2, 7, 4)) as pachd:
        pachyderm = Pachyderm(pachd.address)
        reason = await reason_of(pachyderm.version())
        await pachyderm.close()
    assert (reason.code, "2.7.4" in reason.fact) == (Code.PACHD_TOO_OLD, True)


async def test_a_pipeline_that_is_not_there_is_none(pachyderm: Pachyderm) -> None:
    assert await pachyderm.inspect("vision", "edges") is None
    assert await pachyderm.inspect("nowhere", "edges") is None


async def test_a_pipeline_is_seen_as_it_is(pachd: Pachd, pachyderm: Pachyderm) -> None:
    pachd.update(EDGES)
    pachd.advance(LONG)
    live = await pachyderm.inspect("vision", "edges")
    assert live
    assert (live.project, live.name, live.version, live.state) == ("vision", "edges", 1, "running")
    assert (live.workers_requested, live.workers_available) == (1, 1)
    assert live.image == "acme/edges:1"
    assert json.loads(live.user_spec) == EDGES
    assert json.loads(live.effective_spec)["outputBranch"] == "master"
    assert not live.in_error
    assert not live.stopped
    assert not live.autoscaling


@pytest.mark.parametrize(
    ("state", "word", "in_error"),
    [
        ("FAILURE", "failure", True),
        ("CRASHING", "crashing", True),
        ("RESTARTING", "restarting", True),
        ("STANDBY", "standby", False),
        ("PAUSED", "paused", False),
    ],
)
async def test_the_states_have_words(
    pachd: Pachd, pachyderm: Pachyderm, state: str, word: str, *, in_error: bool
) -> None:
    pachd.update(EDGES)
    pachd.break_pipeline("edges", state, "because", project="vision")
    live = await pachyderm.inspect("vision", "edges")
    assert live
    assert (live.state, live.in_error, live.reason) == (word, in_error, "because")


async def test_the_effective_spec_has_the_defaults_and_changes_nothing(
    pachd: Pachd, pachyderm: Pachyderm
) -> None:
    effective = await pachyderm.effective(json.dumps(EDGES | {"datum_tries": "7"}))
    assert (effective["datumTries"], effective["outputBranch"]) == ("7", "master")
    assert not pachd.has_pipeline("edges", project="vision")


async def test_a_bad_field_is_refused_in_pachds_words(pachyderm: Pachyderm) -> None:
    reason = await reason_of(pachyderm.effective(json.dumps(EDGES | {"colour": "red"})))
    assert reason.code == Code.PACHD_REFUSED
    assert 'unknown field "colour"' in reason.fact
    assert reason.where == "vision/edges"


async def test_a_spec_that_is_no_json_is_refused_without_a_place(pachyderm: Pachyderm) -> None:
    reason = await reason_of(pachyderm.effective("{"))
    assert (reason.code, reason.where) == (Code.PACHD_REFUSED, None)


async def test_a_template_is_rendered(pachyderm: Pachyderm) -> None:
    text = await pachyderm.render("function(n) {pipeline: {name: 'p' + n}}", {"n": "1"})
    assert json.loads(text) == {"pipeline": {"name": "p1"}}


async def test_a_broken_template_is_refused(pachyderm: Pachyderm) -> None:
    reason = await reason_of(pachyderm.render("function(", {}))
    assert reason.code == Code.PACHD_REFUSED


# jobs


async def test_jobs_are_those_of_one_version_newest_first(
    pachd: Pachd, pachyderm: Pachyderm
) -> None:
    pachd.update(EDGES)
    pachd.advance(LONG)
    pachd.put_files("images", ["c.png"], project="vision")
    pachd.advance(LONG)
    pachd.update(EDGES)
    first = await pachyderm.jobs("vision", "edges", version=1)
    second = await pachyderm.jobs("vision", "edges", version=2)
    assert [(job.state, job.data_processed, job.data_skipped) for job in first] == [
        ("success", 1, 2),
        ("success", 2, 0),
    ]
    assert [(job.state, job.finished) for job in second] == [("created", False)]


async def test_jobs_are_no_more_than_asked_for(pachd: Pachd, pachyderm: Pachyderm) -> None:
    pachd.update(EDGES)
    for name in "cde":
        pachd.put_files("images", [name], project="vision")
    newest = pachd.jobs("edges", project="vision")[-1]
    jobs = await pachyderm.jobs("vision", "edges", version=1, limit=2)
    assert len(jobs) == 2
    assert jobs[0].id == newest.id


async def test_a_killed_job_says_why(pachd: Pachd, pachyderm: Pachyderm) -> None:
    pachd.update(EDGES)
    pachd.update(EDGES)
    (job,) = await pachyderm.jobs("vision", "edges", version=1)
    assert (job.state, job.failed) == ("killed", True)
    assert "pipeline was updated" in job.reason


@pytest.mark.parametrize(
    ("state", "finished", "failed"),
    [("running", False, False), ("success", True, False), ("unrunnable", True, True)],
)
def test_a_job_knows_whether_it_ended(state: str, *, finished: bool, failed: bool) -> None:
    job = Job("1", state, 0, 0, 0, "")
    assert (job.finished, job.failed) == (finished, failed)


async def test_a_pipeline_has_processed_once_a_good_job_did(
    pachd: Pachd, pachyderm: Pachyderm
) -> None:
    assert not await pachyderm.has_processed("vision", "edges")
    pachd.update(EDGES)
    assert not await pachyderm.has_processed("vision", "edges")
    pachd.advance(LONG)
    pachd.update(EDGES)
    assert await pachyderm.has_processed("vision", "edges")


# the update


async def test_all_pipelines_are_updated_in_one_transaction(
    pachd: Pachd, pachyderm: Pachyderm
) -> None:
    await pachyderm.update([to(EDGES), to(MONTAGE)], started=unnoticed)
    edges, montage = (pachd.jobs(name, project="vision") for name in ("edges", "montage"))
    assert edges[0].id == montage[0].id
    assert pachd.transactions == ()


async def test_who_asks_is_told_the_transaction_before_anything_is_in_it(
    pachd: Pachd, pachyderm: Pachyderm
) -> None:
    seen: list[tuple[str, ...]] = []

    async def started(transaction: str) -> None:
        seen.append((transaction, *pachd.transactions, *pachd.faults.seen))

    await pachyderm.update([to(EDGES)], started=started)
    ((transaction, stored, *calls),) = seen
    assert transaction == stored
    assert calls == ["StartTransaction"]


async def test_reprocess_is_asked_for_each_pipeline(pachd: Pachd, pachyderm: Pachyderm) -> None:
    pachd.update(EDGES)
    pachd.advance(LONG)
    await pachyderm.update([to(EDGES, reprocess=True)], started=unnoticed)
    pachd.advance(LONG)
    (job,) = await pachyderm.jobs("vision", "edges", version=2)
    assert (job.data_processed, job.data_skipped) == (2, 0)


async def test_a_refused_pipeline_leaves_none_updated_and_no_transaction(
    pachd: Pachd, pachyderm: Pachyderm
) -> None:
    wrong = MONTAGE | {"input": {"pfs": {"repo": "missing", "glob": "/"}}}
    reason = await reason_of(pachyderm.update([to(EDGES), to(wrong)], started=unnoticed))
    assert (reason.code, reason.where) == (Code.PACHD_REFUSED, "vision/montage")
    assert "repo vision/missing not found" in reason.fact
    assert not pachd.has_pipeline("edges", project="vision")
    assert pachd.transactions == ()


async def test_an_update_refused_at_its_end_leaves_no_transaction(
    pachd: Pachd, pachyderm: Pachyderm
) -> None:
    pachd.fail("FinishTransaction", grpc.StatusCode.UNKNOWN, "it has changed")
    reason = await reason_of(pachyderm.update([to(EDGES)], started=unnoticed))
    assert (reason.code, reason.fact) == (Code.PACHD_REFUSED, "it has changed")
    assert pachd.transactions == ()


async def test_an_error_of_who_asked_leaves_no_transaction(
    pachd: Pachd, pachyderm: Pachyderm
) -> None:
    async def started(_: str) -> None:
        text = "disk full"
        raise OSError(text)

    with pytest.raises(OSError, match="disk full"):
        await pachyderm.update([to(EDGES)], started=started)
    assert pachd.transactions == ()


@pytest.mark.parametrize("method", ["CreatePipelineV2", "FinishTransaction"])
async def test_a_cancelled_update_is_taken_back(
    pachd: Pachd, pachyderm: Pachyderm, method: str
) -> None:
    pachd.hold(method)
    update = asyncio.create_task(pachyderm.update([to(EDGES)], started=unnoticed))
    assert await asyncio.to_thread(pachd.faults.wait_for, method, 10)
    update.cancel()
    with pytest.raises(asyncio.CancelledError):
        await update
    assert pachd.transactions == ()
    assert not pachd.has_pipeline("edges", project="vision")


@pytest.mark.parametrize("method", ["StartTransaction", "CreatePipelineV2"])
async def test_what_changes_something_is_not_asked_twice(
    pachd: Pachd, pachyderm: Pachyderm, method: str
) -> None:
    pachd.fail(method)
    reason = await reason_of(pachyderm.update([to(EDGES)], started=unnoticed))
    assert reason.code == Code.PACHD_UNREACHABLE
    assert pachd.faults.seen.count(method) == 1


async def test_a_lost_answer_to_the_end_is_told_apart(pachd: Pachd, pachyderm: Pachyderm) -> None:
    pachd.fail("FinishTransaction", after=True)
    with pytest.raises(AnswerLostError) as caught:
        await pachyderm.update([to(EDGES)], started=unnoticed)
    assert caught.value.reason.code == Code.PACHD_UNREACHABLE
    assert "may have happened or not" in caught.value.reason.fact
    assert pachd.has_pipeline("edges", project="vision")


async def test_after_a_lost_question_the_update_can_no_longer_happen(
    pachd: Pachd, pachyderm: Pachyderm
) -> None:
    pachd.fail("FinishTransaction")
    with pytest.raises(AnswerLostError):
        await pachyderm.update([to(EDGES)], started=unnoticed)
    assert pachd.transactions == ()
    assert not pachd.has_pipeline("edges", project="vision")


async def test_a_transaction_that_was_left_is_discarded(pachd: Pachd, pachyderm: Pachyderm) -> None:
    left: list[str] = []

    async def started(transaction: str) -> None:
        left.append(transaction)
        pachd.fail("DeleteTransaction")
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await pachyderm.update([to(EDGES)], started=started)
    assert pachd.transactions == tuple(left)
    await pachyderm.discard(left[0])
    assert pachd.transactions == ()


async def test_discarding_what_is_gone_is_fine(pachyderm: Pachyderm) -> None:
    await pachyderm.discard("0" * 32)


# deleting


async def test_a_pipeline_is_deleted_and_again_without_harm(
    pachd: Pachd, pachyderm: Pachyderm
) -> None:
    pachd.update(EDGES)
    await pachyderm.delete("vision", "edges")
    await pachyderm.delete("vision", "edges")
    assert not pachd.has_pipeline("edges", project="vision")


async def test_a_pipeline_that_others_read_is_not_deleted(
    pachd: Pachd, pachyderm: Pachyderm
) -> None:
    pachd.update(EDGES)
    pachd.update(MONTAGE)
    reason = await reason_of(pachyderm.delete("vision", "edges"))
    assert (reason.code, reason.where) == (Code.PACHD_REFUSED, "vision/edges")


# when pachd does not answer, or says no


async def test_a_read_is_tried_again_when_pachd_is_away_for_a_moment(
    pachd: Pachd, pachyderm: Pachyderm
) -> None:
    pachd.fail("GetVersion", times=2)
    assert await pachyderm.version() == "2.12.2"


async def test_a_read_is_given_up_after_three_tries(pachd: Pachd, pachyderm: Pachyderm) -> None:
    pachd.fail("GetVersion", message="out for lunch", times=5)
    reason = await reason_of(pachyderm.version())
    assert reason.code == Code.PACHD_UNREACHABLE
    assert reason.fact == f"{pachyderm.address}: out for lunch"
    assert pachd.faults.seen.count("GetVersion") == 3


async def test_a_pachd_that_is_not_there_is_unreachable() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        pachyderm = Pachyderm(f"grpc://127.0.0.1:{bound.getsockname()[1]}")
        reason = await reason_of(pachyderm.inspect("vision", "edges"))
        await pachyderm.close()
    assert reason.code == Code.PACHD_UNREACHABLE
    assert pachyderm.address in reason.fact


@pytest.mark.parametrize("call", [Pachyderm.version, lambda it: it.has_processed("vision", "e")])
async def test_a_pachd_that_does_not_answer_in_time_is_unreachable(
    pachd: Pachd, call: Callable[[Pachyderm], Any]
) -> None:
    pachd.hold("GetVersion")
    pachd.hold("ListJob")
    pachyderm = Pachyderm(pachd.address, timeout=0.2)
    reason = await reason_of(call(pachyderm))
    await pachyderm.close()
    assert reason.code == Code.PACHD_UNREACHABLE
    assert "in time" in reason.fact


async def test_a_read_can_be_cancelled(pachd: Pachd, pachyderm: Pachyderm) -> None:
    pachd.hold("InspectPipeline")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await pachyderm.inspect("vision", "edges")


async def test_the_same_client_finds_a_pachd_that_came_back(
    pachd: Pachd, pachyderm: Pachyderm
) -> None:
    await pachyderm.version()
    pachd.stop()
    assert (await reason_of(pachyderm.version())).code == Code.PACHD_UNREACHABLE
    pachd.start()
    version = None
    async with asyncio.timeout(20):
        while version is None:
            with contextlib.suppress(StoppedError):
                version = await pachyderm.version()
    assert version == "2.12.2"


@pytest.mark.parametrize(
    ("token", "fact"), [(None, "a token is needed"), ("old", "not valid or has expired")]
)
async def test_a_missing_and_a_bad_token_are_told_apart(token: str | None, fact: str) -> None:
    async with Pachd(tokens={"good": "robot:bot"}) as pachd:
        pachyderm = Pachyderm(pachd.address, token=SecretStr(token) if token else None)
        reason = await reason_of(pachyderm.inspect("vision", "edges"))
        await pachyderm.close()
    assert reason.code == Code.PACHD_REFUSED
    assert fact in reason.fact
    assert "get-robot-token" in reason.next_step


async def test_a_good_token_is_sent_without_the_line_break_of_its_file() -> None:
    async with Pachd(tokens={"good": "robot:bot"}) as pachd:
        pachd.create_repo("images", project="vision")
        pachyderm = Pachyderm(pachd.address, token=SecretStr("good\n"))
        await pachyderm.update([to(EDGES)], started=unnoticed)
        await pachyderm.close()
        assert pachd.pipeline("edges", project="vision").current.created_by == "robot:bot"


@pytest.mark.parametrize("code", [grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNKNOWN])
async def test_a_missing_role_is_named_whatever_the_status(
    pachd: Pachd, pachyderm: Pachyderm, code: grpc.StatusCode
) -> None:
    text = "robot:bot is not authorized to perform this operation - needs permissions [X]"
    pachd.fail("StartTransaction", code, text)
    reason = await reason_of(pachyderm.update([to(EDGES)], started=unnoticed))
    assert (reason.code, reason.fact) == (Code.PACHD_REFUSED, text)
    assert "projectOwner" in reason.next_step


async def test_a_method_that_pachd_does_not_have_makes_it_too_old(
    pachd: Pachd, pachyderm: Pachyderm
) -> None:
    pachd.fail("CreatePipelineV2", grpc.StatusCode.UNIMPLEMENTED, "unknown method")
    reason = await reason_of(pachyderm.effective("{}"))
    assert reason.code == Code.PACHD_TOO_OLD


async def test_a_long_error_keeps_its_beginning_and_its_cause(
    pachd: Pachd, pachyderm: Pachyderm
) -> None:
    text = "could not merge {" + "x" * 5_000 + "}: the cause"
    pachd.fail("CreatePipelineV2", grpc.StatusCode.UNKNOWN, text)
    fact = (await reason_of(pachyderm.effective("{}"))).fact
    assert len(fact) < 700
    assert fact.startswith("could not merge")
    assert fact.endswith("the cause")
