"""A worker of small deployments: four steps that wait for the outside, as builds mostly do.

    python -m benchmarks.small_worker DATABASE_URL LOG AT_A_TIME STEP_SECONDS

Deployments of targets that begin with `busy` never end. Each line of LOG is a word, an id and a
time in seconds since the epoch.
"""

import asyncio
import os
import sys
import time

from bot.domain.deployment import Outcome
from bot.engine.engine import Engine
from bot.engine.run import Run
from bot.signals import signals_set
from bot.store.database import Database
from bot.store.deployments import Deployments

STEPS = ("build", "push", "update", "verify")
BUSY = "busy"


async def main(url: str, log: str, at_a_time: int, step_seconds: float) -> None:
    """Until SIGTERM."""
    stop = asyncio.Event()
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(word: str, identity: str) -> None:
        os.write(file, f"{word} {identity} {time.time()}\n".encode())

    async def workflow(run: Run) -> None:
        identity = run.deployment.id
        note("begins", identity)
        if run.deployment.request.repository.startswith(BUSY):
            await run.step("build", asyncio.Event().wait)
        for name in STEPS:
            await run.step(name, lambda: asyncio.sleep(step_seconds))
        await deployments.finish(identity, Outcome.SUCCEEDED)
        note("ends", identity)

    database = await Database.open(url)
    deployments = Deployments(database)
    engine = Engine(database, workflow, max_running=at_a_time)
    with signals_set(stop):
        await engine.start()
        note("ready", "-")
        await stop.wait()
    await engine.stop()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
