import asyncio
from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa

from bot.domain.deployment import Deployment, Outcome, Stage
from bot.domain.progress import Finished, Log, Progress, StageStarted, Warned
from bot.domain.reasons import Code, StoppedError
from bot.store.database import Database
from bot.store.deployments import Deployments
from bot.store.progress import ProgressLog

Add = Callable[..., Awaitable[Deployment]]


def line(text: str) -> Log:
    return Log(Stage.BUILD, "edges", text)


async def events(progress: ProgressLog, deployment: Deployment) -> list[Progress]:
    return [event for _, _, event in await progress.read(deployment.id, limit=100_000)]


async def test_events_come_back_in_order_with_their_times(add: Add, progress: ProgressLog) -> None:
    deployment = await add()
    await progress.append(deployment.id, [(1.5, StageStarted(Stage.BUILD)), (1.25, line("one"))])
    await progress.append(deployment.id, [(2.0, line("two"))])
    assert list(await progress.read(deployment.id)) == [
        (1, 1.5, StageStarted(Stage.BUILD)),
        (2, 1.25, line("one")),
        (3, 2.0, line("two")),
    ]


async def test_a_reader_goes_on_where_it_was(add: Add, progress: ProgressLog) -> None:
    deployment = await add()
    await progress.append(deployment.id, [(0.0, line(str(number))) for number in range(10)])
    first = await progress.read(deployment.id, limit=4)
    rest = await progress.read(deployment.id, after=first[-1][0])
    texts = [event.text for _, _, event in (*first, *rest) if isinstance(event, Log)]
    assert texts == [str(number) for number in range(10)]


async def test_deployments_have_their_own_numbers(add: Add, progress: ProgressLog) -> None:
    one, other = await add(), await add()
    await progress.append(one.id, [(0.0, line("one"))])
    await progress.append(other.id, [(0.0, line("other"))])
    assert [seq for seq, _, _ in await progress.read(other.id)] == [1]


async def test_writers_at_once_lose_nothing(add: Add, progress: ProgressLog) -> None:
    deployment = await add()
    await asyncio.gather(
        *(
            progress.append(
                deployment.id, [(0.0, line(f"{writer}.{number}")) for number in range(5)]
            )
            for writer in range(10)
        )
    )
    read = await progress.read(deployment.id)
    assert [seq for seq, _, _ in read] == list(range(1, 51))


async def test_nothing_is_kept_of_a_deployment_that_nobody_knows(progress: ProgressLog) -> None:
    with pytest.raises(StoppedError) as stopped:
        await progress.append("06gzzzz", [(0.0, line("one"))])
    assert stopped.value.reason.code is Code.DEPLOYMENT_UNKNOWN
    assert list(await progress.read("06gzzzz")) == []


async def test_the_end_is_written_by_finishing_alone(
    add: Add, progress: ProgressLog, deployments: Deployments
) -> None:
    deployment = await add()
    end = Finished(Outcome.SUCCEEDED, deployment.id, deployment.request.commit.sha, (), (), None)
    await progress.append(deployment.id, [(0.0, end)])
    assert await events(progress, deployment) == []
    await deployments.finish(deployment.id, Outcome.SUCCEEDED)
    assert await events(progress, deployment) == [end]


async def test_the_end_stays_last_when_a_batch_comes_after_it(
    add: Add, progress: ProgressLog, deployments: Deployments
) -> None:
    deployment = await add()
    await progress.append(deployment.id, [(0.0, line("one"))])
    await deployments.finish(deployment.id, Outcome.SUCCEEDED)
    await progress.append(deployment.id, [(0.0, line("two")), (0.0, line("three"))])
    *lines, end = await events(progress, deployment)
    assert lines == [line("one"), line("two"), line("three")]
    assert isinstance(end, Finished)


@pytest.mark.parametrize("text", ["\x00\x1b[1m", "half a pair: \udc80", "\N{PILE OF POO}", ""])
async def test_output_of_every_kind_is_kept(text: str, add: Add, progress: ProgressLog) -> None:
    deployment = await add()
    await progress.append(deployment.id, [(0.0, line(text))])
    assert await events(progress, deployment) == [line(text.replace("\udc80", "?"))]


async def test_a_long_log_loses_its_middle_and_says_so_once(add: Add, database: Database) -> None:
    deployment = await add()
    progress = ProgressLog(database, log_limit=1000)
    for batch in range(100):
        lines = [(0.0, line(f"{batch:02}{number}".ljust(9))) for number in range(10)]
        await progress.append(deployment.id, lines)
    await progress.append(deployment.id, [(0.0, StageStarted(Stage.TEST))])

    read = await events(progress, deployment)
    texts = [event.text.strip() for event in read if isinstance(event, Log)]
    assert texts == sorted(texts)
    assert texts[:25] == [f"{number:03}" for number in range(25)]
    assert texts[-50:] == [f"{number:03}" for number in range(950, 1000)]
    assert sum(map(len, texts)) <= 1000
    assert sum(isinstance(event, Warned) for event in read) == 1
    assert StageStarted(Stage.TEST) in read


async def test_what_a_newer_version_said_does_not_hide_the_rest(
    add: Callable[..., Awaitable[Deployment]], progress: ProgressLog, database: Database
) -> None:
    deployment = await add()
    await progress.append(deployment.id, [(1.0, Warned("one")), (2.0, Warned("two"))])
    newer = sa.text('update progress set event = \'{"event": "moon"}\' where seq = 1')
    await database.write(lambda connection: connection.execute(newer))
    first, second = [event for _, _, event in await progress.read(deployment.id)]
    assert isinstance(first, Warned)
    assert second == Warned("two")
