"""The acts, in order."""

import time
from types import ModuleType

from examples.demo import telling
from examples.demo.acts import bad_commit, production, pull_request, push, release, rollback
from examples.demo.world import World

ACTS: tuple[ModuleType, ...] = (push, pull_request, bad_commit, production, release, rollback)


async def play(world: World) -> None:
    """Play them; each checks what it says."""
    for number, each in enumerate(ACTS, start=1):
        began = time.monotonic()
        telling.act(number, each.TITLE)
        await each.play(world)
        telling.line(f"     ({telling.took(began)})")
