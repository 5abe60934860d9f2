"""A bot to be killed: submits the deployments that a file lists, carries them out, and ends.

    python -m tests.faults.deployer ORDERS STEP_LOG

Settings come from the environment, as for every bot.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from bot.app import open_bot
from bot.domain.deployment import Actor, Commit, Deployment, Kind, Request, Trigger
from bot.domain.progress import Progress, StageFinished, StageStarted
from bot.journal import Listener
from bot.settings import load_settings
from tests.faults.steplog import Entry, Mark, StepLog


def deployment(order: dict[str, str]) -> Deployment:
    """What an entry of the file asks for."""
    # Of no branch: newer commits of one would take the place of those that wait.
    commit = Commit(order["sha"], order["sha"])
    actor = Actor("ada", "cli")
    request = Request(
        Kind.DEPLOY, order["repository"], order["environment"], commit, Trigger.CLI, actor
    )
    return Deployment(order["id"], request, created_at=1.0)


async def main(orders: list[dict[str, str]], log: StepLog) -> None:
    """Until nothing is left to do."""

    def listen(identity: str) -> Listener:
        def write(_at: float, event: Progress) -> None:
            if isinstance(event, StageStarted):
                log.write(Entry(Mark.BEGINS, "", identity, event.stage))
            elif isinstance(event, StageFinished):
                log.write(Entry(Mark.ENDS, "", identity, event.stage))

        return write

    async with open_bot(load_settings(os.environ), listen) as bot:
        await bot.engine.start()
        # Again after every kill: whoever was not told that it is on disk asks again.
        for order in orders:
            await bot.engine.submit(deployment(order))
        await bot.engine.idle()


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text()), StepLog(Path(sys.argv[2]))))
