import asyncio

import pytest

from bot.domain.reasons import Code, StoppedError
from bot.services.together import both, together


async def give(value: int) -> int:
    return value


async def fail() -> int:
    raise StoppedError(Code.BUILD_FAILED, "broken")


async def wait_for_ever(cancelled: list[bool]) -> int:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        cancelled.append(True)
        raise
    return 0


async def test_results_come_in_the_order_of_the_works() -> None:
    assert await together(give(number) for number in (3, 1, 2)) == [3, 1, 2]


async def test_a_failure_is_raised_as_it_is() -> None:
    with pytest.raises(StoppedError):
        await together([give(1), fail()])


async def test_a_failure_cancels_the_others() -> None:
    cancelled: list[bool] = []
    with pytest.raises(StoppedError):
        await together([wait_for_ever(cancelled), fail()])
    assert cancelled == [True]


async def test_both_give_both_results() -> None:
    assert await both(give(1), give(2)) == (1, 2)


async def test_cancelling_cancels_all() -> None:
    cancelled: list[bool] = []
    task = asyncio.create_task(together([wait_for_ever(cancelled), wait_for_ever(cancelled)]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cancelled == [True, True]
