"""Takes the picture of a pull request, from the demo: `python -m docs.github_pictures`."""

import asyncio
from pathlib import Path

from examples.demo.acts import pull_request, push
from examples.demo.world import REPOSITORY, World, opened
from tests.real.browser import Browser
from tests.real.github_emulator import install_emulate
from tests.real.local_slack import install_local_slack

PICTURES = Path(__file__).parent / "pictures"
WIDTH = 900


async def main() -> None:
    """Play the demo until a pull request is deployed."""
    with Browser.open() as browser:
        async with opened(install_local_slack(), install_emulate()) as world:
            await push.play(world)
            await pull_request.play(world)
            await asyncio.to_thread(_take, browser, world)


def _take(browser: Browser, world: World) -> None:
    browser.fresh()
    browser.size(WIDTH, 1000)
    browser.driver.get(f"{world.github.url}/{REPOSITORY}/pull/1")
    # The deployment alone; the plan before it is as long again.
    height = browser.run(
        "const [plan, answer] = document.querySelectorAll('article');"
        "plan.hidden = answer.hidden = true;"
        "return document.querySelector('section').offsetTop"
    )
    browser.picture(PICTURES / "pull-request.png", height=int(height))


if __name__ == "__main__":
    asyncio.run(main())
