import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.deployment import (
    Actor,
    BuiltImage,
    Commit,
    Deployment,
    Kind,
    Outcome,
    Request,
    Stage,
    State,
    Trigger,
    UpdatedPipeline,
)
from bot.domain.progress import Finished
from bot.domain.reasons import Code, Reason, StoppedError
from bot.store.database import Database
from bot.store.deployments import CancelResult, Deployments, insert
from bot.store.progress import ProgressLog
from bot.store.tables import DEPLOYMENT
from bot.store.values import JSON

Add = Callable[..., Awaitable[Deployment]]

TEXT = st.text(max_size=20)
IMAGES = st.lists(st.builds(BuiltImage), max_size=3).map(tuple)
PIPELINES = st.lists(st.builds(UpdatedPipeline), max_size=3).map(tuple)
NOTES = st.lists(TEXT, max_size=3).map(tuple)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)


async def test_it_comes_back_as_it_was_stored(add: Add, deployments: Deployments) -> None:
    stored = await add()
    assert await deployments.get(stored.id) == stored


async def test_one_that_was_stored_without_its_trust_is_trusted(
    add: Add, database: Database, deployments: Deployments
) -> None:
    stored = await add()
    query = sa.select(DEPLOYMENT.c.request)
    text = await database.read(lambda connection: connection.execute(query).scalar_one())
    older = {key: value for key, value in json.loads(text).items() if key != "trust"}
    change = sa.update(DEPLOYMENT).values(request=json.dumps(older))
    await database.write(lambda connection: connection.execute(change))
    assert await deployments.get(stored.id) == stored


async def test_a_rollback_learns_its_commit_and_nothing_else_changes(
    add: Add, deployments: Deployments
) -> None:
    stored, other = await add("06gaaaaaaaaawxyz"), await add("06gbbbbbbbbb0000")
    commit = Commit("b" * 40, "main", "main", 'It\'s "good"', "ada")
    await deployments.goes_back_to(stored.id, commit)
    request = replace(stored.request, commit=commit)
    assert await deployments.get(stored.id) == replace(stored, request=request)
    assert await deployments.get(other.id) == other


async def test_one_that_nobody_knows_is_none(deployments: Deployments) -> None:
    assert await deployments.get("06gzzzzzzzzzzzzz") is None


@pytest.mark.parametrize("part", ["06ga", "wxyz", "06gaaaaaaaaawxyz", " WXYZ "])
async def test_a_part_that_only_one_id_has_finds_it(
    part: str, add: Add, deployments: Deployments
) -> None:
    await add("06gbbbbbbbbb0000")
    wanted = await add("06gaaaaaaaaawxyz")
    assert await deployments.get(part) == wanted


async def test_an_id_that_is_also_part_of_another_is_itself(
    add: Add, deployments: Deployments
) -> None:
    short = await add("06ga")
    await add("06gaaaaa")
    assert await deployments.get("06ga") == short


async def test_a_part_of_several_ids_is_refused_with_the_ids(
    add: Add, deployments: Deployments
) -> None:
    await add("06gaaaaa")
    await add("06gabbbb")
    with pytest.raises(StoppedError) as stopped:
        await deployments.get("06ga")
    assert stopped.value.reason.code is Code.DEPLOYMENT_UNKNOWN
    assert "06gaaaaa" in stopped.value.reason.fact
    assert "06gabbbb" in stopped.value.reason.fact


@pytest.mark.parametrize("part", ["", "%", "_"])
async def test_nothing_and_wildcards_find_nothing(
    part: str, add: Add, deployments: Deployments
) -> None:
    await add()
    assert await deployments.get(part) is None


async def test_the_newest_are_listed_first(add: Add, deployments: Deployments) -> None:
    ids = [(await add(f"{number:04}")).id for number in (3, 1, 2)]
    listed = await deployments.list(limit=2)
    assert [deployment.id for deployment in listed] == [ids[2], ids[1]]


async def test_a_list_is_narrowed_by_everything_that_is_asked(
    add: Add, deployments: Deployments
) -> None:
    wanted = await add(repository="r", environment="staging")
    await add(repository="r", environment="production")
    await add(repository="other", environment="staging")
    by_both = await deployments.list(repository="r", environment="staging")
    by_target = await deployments.list(target="r#staging")
    assert by_both == by_target == (wanted,)


async def test_only_the_unfinished_are_listed_where_that_is_asked(
    add: Add, deployments: Deployments
) -> None:
    done, running, waiting = [await add() for _ in range(3)]
    await deployments.finish(done.id, Outcome.SUCCEEDED)
    await deployments.begin(running.id)
    listed = await deployments.list(unfinished=True)
    assert [deployment.id for deployment in listed] == [waiting.id, running.id]
    assert await deployments.unfinished() == (running.id, waiting.id)


async def test_a_start_is_the_first_start(add: Add, deployments: Deployments) -> None:
    stored = await add()
    assert await deployments.begin(stored.id)
    first = await deployments.get(stored.id)
    assert await deployments.begin(stored.id)
    assert await deployments.get(stored.id) == first
    assert first
    assert first.state is State.RUNNING
    assert first.started_at


async def test_the_stage_is_kept_after_the_end(add: Add, deployments: Deployments) -> None:
    stored = await add()
    await deployments.enter(stored.id, Stage.BUILD)
    await deployments.finish(stored.id, Outcome.FAILED)
    await deployments.enter(stored.id, Stage.PUSH)
    finished = await deployments.get(stored.id)
    assert finished
    assert finished.stage is Stage.BUILD


async def test_a_finished_one_does_not_begin(add: Add, deployments: Deployments) -> None:
    stored = await add()
    await deployments.finish(stored.id, Outcome.SUCCEEDED)
    assert not await deployments.begin(stored.id)


async def test_of_all_who_finish_it_one_wins(
    add: Add, deployments: Deployments, progress: ProgressLog
) -> None:
    stored = await add()
    outcomes = list(Outcome)
    won = await asyncio.gather(*(deployments.finish(stored.id, each) for each in outcomes))
    finished = await deployments.get(stored.id)
    assert finished
    assert won.count(True) == 1
    assert finished.outcome is outcomes[won.index(True)]
    assert len(await progress.read(stored.id)) == 1


async def test_the_end_is_in_the_progress_too(
    add: Add, deployments: Deployments, progress: ProgressLog
) -> None:
    stored = await add()
    reason = Reason(Code.BUILD_FAILED, "step 3 failed", "Correct it.", "Dockerfile:3")
    await deployments.finish(stored.id, Outcome.FAILED, reason, notes=("a note",))
    events = [event for _, _, event in await progress.read(stored.id)]
    sha = stored.request.commit.sha
    assert events == [Finished(Outcome.FAILED, stored.id, sha, (), (), reason, ("a note",))]


async def test_one_that_nobody_knows_is_not_finished(deployments: Deployments) -> None:
    assert not await deployments.finish("06gzzzzzzzzzzzzz", Outcome.FAILED)


async def test_cancelling_one_that_waits_finishes_it(add: Add, deployments: Deployments) -> None:
    stored = await add()
    assert await deployments.request_cancel(stored.id, "ada") is CancelResult.WAITING
    finished = await deployments.get(stored.id)
    assert finished
    assert (finished.state, finished.outcome) == (State.FINISHED, Outcome.CANCELLED)
    assert finished.reason
    assert finished.reason.code is Code.CANCELLED
    assert "ada" in finished.reason.fact


async def test_cancelling_one_that_runs_asks_it_to_stop(add: Add, deployments: Deployments) -> None:
    stored = await add()
    await deployments.begin(stored.id)
    assert await deployments.request_cancel(stored.id, "ada") is CancelResult.RUNNING
    assert await deployments.request_cancel(stored.id, "bob") is CancelResult.RUNNING
    running = await deployments.get(stored.id)
    assert running
    assert (running.state, running.cancel_requested_by) == (State.RUNNING, "ada")
    assert await deployments.cancel_requests([stored.id, "other"]) == {stored.id: "ada"}


async def test_cancelling_one_that_is_finished_changes_nothing(
    add: Add, deployments: Deployments
) -> None:
    stored = await add()
    await deployments.finish(stored.id, Outcome.SUCCEEDED)
    before = await deployments.get(stored.id)
    assert await deployments.request_cancel(stored.id, "ada") is CancelResult.FINISHED
    assert await deployments.get(stored.id) == before


async def test_cancelling_one_that_nobody_knows_says_so(deployments: Deployments) -> None:
    assert await deployments.request_cancel("06gzzzz", "ada") is CancelResult.UNKNOWN


async def test_a_fact_replaces_the_one_before(add: Add, deployments: Deployments) -> None:
    stored = await add()
    assert await deployments.load(stored.id, "transaction") is None
    await deployments.save(stored.id, "transaction", "first")
    await deployments.save(stored.id, "transaction", "second")
    await deployments.save(stored.id, "before", {"version": 3})
    assert await deployments.load(stored.id, "transaction") == "second"
    assert await deployments.load(stored.id, "before") == {"version": 3}


async def test_of_many_who_change_a_fact_at_once_each_sees_what_the_others_left(
    add: Add, deployments: Deployments
) -> None:
    identity = (await add()).id

    async def add_to_it(number: int) -> None:
        await deployments.change(identity, "numbers", lambda known: [*(known or []), number])

    await asyncio.gather(*map(add_to_it, range(10)))
    assert sorted(await deployments.load(identity, "numbers")) == list(range(10))


# No path, URL or name has a NUL, and PostgreSQL's columns take none.
PLACES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


# One database for many examples: opening one for each would be most of the test.
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    request=st.builds(Request, repository=PLACES, environment=PLACES),
    reason=st.none() | st.builds(Reason),
    images=IMAGES,
    pipelines=PIPELINES,
    notes=NOTES,
    fact=VALUES,
)
def test_everything_comes_back_as_it_was(
    url: str,
    request: Request,
    reason: Reason | None,
    images: tuple[BuiltImage, ...],
    pipelines: tuple[UpdatedPipeline, ...],
    notes: tuple[str, ...],
    fact: JSON,
) -> None:
    async def round_trip(database: Database) -> None:
        deployments = Deployments(database)
        identity = f"{len(await deployments.list(limit=10_000)):016}"
        await database.write(
            lambda connection: insert(connection, Deployment(identity, request, created_at=1.0))
        )
        await deployments.save(identity, "fact", fact)
        await deployments.finish(identity, Outcome.FAILED, reason, images, pipelines, notes)
        read = await deployments.get(identity)
        loaded = await deployments.load(identity, "fact")
        events = await ProgressLog(database).read(identity)

        assert read
        assert read.request == request
        assert (read.reason, read.images, read.pipelines, read.notes) == (
            reason,
            images,
            pipelines,
            notes,
        )
        assert loaded == fact
        sha = request.commit.sha
        assert events[0][2] == Finished(
            Outcome.FAILED, identity, sha, images, pipelines, reason, notes
        )

    async def opened() -> None:
        database = await Database.open(url)
        try:
            await round_trip(database)
        finally:
            await database.close()

    asyncio.run(opened())


async def test_a_rollback_holds_its_target_until_it_is_released(
    database: Database, deployments: Deployments
) -> None:
    target = "git@example.com:edges#staging"
    assert await deployments.hold(target) is None
    ann = Actor("ann", "github")
    commit = Commit("a" * 40, '"kind":"rollback"')
    for number, kind in enumerate((Kind.DEPLOY, Kind.ROLLBACK)):
        request = Request(kind, "git@example.com:edges", "staging", commit, Trigger.COMMENT, ann)
        made = Deployment(f"{number:04}", request, created_at=float(number))
        await database.write(partial(insert, deployment=made))
        held = await deployments.hold(target)
        assert (held is not None) == (kind is Kind.ROLLBACK)
    assert held
    assert (held.deployment, held.by) == ("0001", ann)
    assert await deployments.hold("git@example.com:edges#production") is None
    await deployments.release_hold("0001", ann)
    assert await deployments.hold(target) is None


async def test_what_was_noted_of_an_environment_is_found_behind_much_else(
    add: Add, deployments: Deployments
) -> None:
    for tag in ("v1", "v2", "v3"):
        await deployments.save((await add(environment="production")).id, "release", {"tag": tag})
        await deployments.save((await add()).id, "release", {"tag": "elsewhere"})
    for _ in range(60):
        await deployments.save((await add(environment="production")).id, "other", 1)
    address = "git@example.com:edges"
    found = await deployments.newest_noted(address, "production", "release", most=2)
    assert found == [{"tag": "v3"}, {"tag": "v2"}]
    assert await deployments.newest_noted(address, "empty", "release", most=2) == []
