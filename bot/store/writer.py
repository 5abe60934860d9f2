"""The one writer of a file: changes in the order given, those that wait together in one go."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

import sqlalchemy as sa

Change = Callable[[sa.Connection], Any]
MOST_TOGETHER = 200
"""Changes in a transaction: others wait for its end."""


@dataclass(frozen=True)
class _Job:
    change: Change
    done: "Future[Any]" = field(default_factory=Future)


class Writer:
    """Writes with one connection at a time, as SQLite does.

    SQLite makes all other writers sleep and ask again, each in its own time. Here they wait in
    line, and whatever has come while the disk was busy is put on it with one flush. A change may
    be run twice: where one of several fails, all are undone and each has a transaction of its own.

    `begin` opens a transaction, which is on disk when it is left.
    """

    def __init__(self, begin: Callable[[], AbstractContextManager[sa.Connection]]) -> None:
        self._begin = begin
        self._waiting: SimpleQueue[_Job] = SimpleQueue()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pachops-writer")

    def put(self, change: Change) -> "Future[Any]":
        """What the change answers, once it is on disk; its error, and nothing of it, otherwise."""
        job = _Job(change)
        self._waiting.put(job)
        self._thread.submit(self._write)
        return job.done

    def close(self) -> None:
        """Take no more; what waits is still written."""
        self._thread.shutdown(wait=False)

    def _write(self) -> None:
        """Write what waits; nothing where it was taken along before its turn."""
        jobs = self._take()
        if len(jobs) > 1 and self._try(jobs):
            return
        for job in jobs:
            self._alone(job)

    def _take(self) -> list[_Job]:
        """What waits and is still wanted."""
        jobs: list[_Job] = []
        while len(jobs) < MOST_TOGETHER:
            try:
                job = self._waiting.get_nowait()
            except Empty:
                break
            if job.done.set_running_or_notify_cancel():
                jobs.append(job)
        return jobs

    def _try(self, jobs: list[_Job]) -> bool:
        """Write them in one transaction; False where one of them cannot be written."""
        try:
            with self._begin() as connection:
                answers = []
                for job in jobs:
                    try:
                        answers.append(job.change(connection))
                    except Exception as error:
                        raise _ChangeError from error
        except _ChangeError:
            return False
        except Exception as error:  # noqa: BLE001 - it is theirs
            # None could be written: there is no use in asking for each.
            for job in jobs:
                job.done.set_exception(error)
            return True
        for job, answer in zip(jobs, answers, strict=True):
            job.done.set_result(answer)
        return True

    def _alone(self, job: _Job) -> None:
        try:
            with self._begin() as connection:
                answer = job.change(connection)
        except Exception as error:  # noqa: BLE001 - it is theirs
            job.done.set_exception(error)
        else:
            job.done.set_result(answer)


class _ChangeError(Exception):
    """One of several changes failed."""
