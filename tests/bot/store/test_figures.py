from collections.abc import Awaitable, Callable

from bot.domain.deployment import Deployment, Outcome, Stage
from bot.domain.progress import Ended, Log, StageFinished, StageStarted
from bot.store.database import Database
from bot.store.deployments import Deployments
from bot.store.figures import FigureStore, StageTime
from bot.store.progress import ProgressLog

Add = Callable[..., Awaitable[Deployment]]


async def test_the_queue_is_counted(database: Database, add: Add) -> None:
    await add()
    running = await add()
    await Deployments(database).begin(running.id)
    queue = await FigureStore(database).queue()
    assert (queue.waiting, queue.running, queue.oldest) == (1, 1, 12.5)


async def test_an_empty_queue_has_no_oldest(database: Database) -> None:
    assert (await FigureStore(database).queue()).oldest is None


async def test_what_ended_is_told_with_its_stages(
    database: Database, add: Add, progress: ProgressLog
) -> None:
    deployment = await add()
    await progress.append(
        deployment.id,
        [
            (1.0, StageStarted(Stage.BUILD)),
            (2.0, Log(Stage.BUILD, "edges", '{"event":"stage_finished"')),
            (3.0, StageFinished(Stage.BUILD, Ended.FAILED, 2.0)),
        ],
    )
    await Deployments(database).finish(deployment.id, Outcome.FAILED)
    figures = FigureStore(database)
    (tally,) = await figures.tallies(0.0)
    assert tally.stages == (StageTime("build", "failed", 2.0),)
    assert tally.outcome == "failed"
    assert await figures.tallies(tally.finished_at) == ()


async def test_what_dora_needs_is_found(
    database: Database, add: Add, progress: ProgressLog
) -> None:
    deployment = await add()
    deployments = Deployments(database)
    await progress.append(deployment.id, [(70.0, StageStarted(Stage.UPDATE))])
    await deployments.save(deployment.id, "committed_at", "1970-01-01T00:00:10+00:00")
    await deployments.save(deployment.id, "undone", ["01abc"])
    await deployments.finish(deployment.id, Outcome.SUCCEEDED)
    (ended,) = await FigureStore(database).ended(0.0)
    assert (ended.updated_at, ended.committed_at, ended.undone) == (70.0, 10.0, ("01abc",))
