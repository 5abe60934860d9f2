"""Several pieces of work at the same time, of which the first failure is the failure of all."""

import asyncio
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Result = TypeVar("Result")
First = TypeVar("First")
Second = TypeVar("Second")


def _first(group: BaseExceptionGroup) -> BaseException:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


async def together(works: Iterable[Coroutine[object, object, Result]]) -> list[Result]:
    """Run all of them; the first failure cancels the others and is raised as it is."""
    with _alone():
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
    return [task.result() for task in tasks]


async def both(
    first: Coroutine[object, object, First], second: Coroutine[object, object, Second]
) -> tuple[First, Second]:
    """Run the two; the first failure cancels the other and is raised as it is."""
    with _alone():
        async with asyncio.TaskGroup() as group:
            tasks = group.create_task(first), group.create_task(second)
    return tasks[0].result(), tasks[1].result()


@contextmanager
def _alone() -> Iterator[None]:
    try:
        yield
    except BaseExceptionGroup as failed:
        raise _first(failed) from None
