"""A worker to be killed: submits the deployments that are asked for, runs them, and ends.

    python worker.py DATABASE_URL STEP_LOG COUNT TARGETS

Without COUNT and TARGETS it runs what others submit, until SIGTERM.

Each deployment has four steps, and each step needs the answer of the one before.
"""

import asyncio
import sys
from pathlib import Path

from bot.domain.deployment import Actor, Commit, Deployment, Kind, Outcome, Request, Trigger
from bot.engine.engine import Engine
from bot.engine.run import Run
from bot.signals import signals_set
from bot.store.database import Database
from bot.store.deployments import Deployments
from tests.faults.steplog import Entry, Mark, StepLog

STEPS = ("build", "push", "update", "verify")


def asked(count: int, targets: int) -> list[Deployment]:
    """The deployments, the same in every process."""
    return [
        Deployment(
            f"{number:016}",
            Request(
                Kind.DEPLOY,
                f"repository-{number % targets}",
                "staging",
                Commit(f"{number:040}", "main"),
                Trigger.CLI,
                Actor("ada", "cli"),
            ),
            created_at=1.0,
        )
        for number in range(count)
    ]


class Worker:
    """The workflow of every deployment."""

    def __init__(self, deployments: Deployments, log: StepLog) -> None:
        self._deployments = deployments
        self._log = log

    async def workflow(self, run: Run) -> None:
        """Count the steps up, one after the other, and finish with the count."""
        count = 0
        for name in STEPS:
            count = await self._step(run, name, count)
        await self._deployments.finish(
            run.deployment.id, Outcome.SUCCEEDED, notes=(f"{count} steps",)
        )

    async def _step(self, run: Run, name: str, before: int) -> int:
        def mark(mark: Mark) -> None:
            self._log.write(Entry(mark, run.deployment.request.target, run.deployment.id, name))

        async def work() -> int:
            mark(Mark.BEGINS)
            # Long enough to be killed in.
            await asyncio.sleep(0.01)
            mark(Mark.ENDS)
            return before + 1

        count: int = await run.step(name, work)
        mark(Mark.KEPT)
        return count


async def main(url: str, log: str, count: int, targets: int) -> None:
    """Until nothing is left to do."""
    database = await Database.open(url)
    worker = Worker(Deployments(database), StepLog(Path(log)))
    engine = Engine(database, worker.workflow, poll=0.05)
    await engine.start()
    # Again after every kill: whoever was not told that it is on disk asks again.
    for deployment in asked(count, targets):
        await engine.submit(deployment)
    await engine.idle()
    await engine.stop()
    await database.close()


async def stand(url: str, log: str) -> None:
    """Until it is told to stop."""
    stop = asyncio.Event()
    database = await Database.open(url)
    engine = Engine(database, Worker(Deployments(database), StepLog(Path(log))).workflow, poll=0.05)
    with signals_set(stop):
        await engine.start()
        await stop.wait()
        await engine.drain(10.0)
    await engine.stop()
    await database.close()


if __name__ == "__main__":
    if len(sys.argv) == 3:
        asyncio.run(stand(sys.argv[1], sys.argv[2]))
    else:
        asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
