"""Takes the pictures of the pages: `python -m docs.pictures`."""

import asyncio
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from bot.domain.deployment import Commit, Deployment, Stage
from bot.domain.progress import Log, Progress, Warned
from tests.handlers.reports import example
from tests.handlers.web.world import PLAN_OF_VISION, World, world
from tests.real.browser import PHONE, Browser

PICTURES = Path(__file__).parent / "pictures"
WHEEL = "Collecting {name} (from -r requirements.txt)"
NAMES = ("numpy", "opencv-python-headless", "scikit-image", "imageio", "tifffile", "networkx")


async def main() -> None:
    """Take them all."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pachops-pictures-") as folder:
        async with world(Path(folder)) as site:
            await _fill(site)
            await asyncio.to_thread(_take, site)


async def _fill(site: World) -> None:
    now = time.time()
    for deployment, events, ago in (
        (example.GOOD, example.succeeded(), 5400.0),
        (example.BAD, example.failed(), 1900.0),
        (example.RUNNING, example.building(), 75.0),
        (example.WAITING, [], 20.0),
    ):
        moved = [(at - example.START + now - ago, each) for at, each in events if _is_shown(each)]
        await site.add(_renamed(deployment, now - ago), moved, PLAN_OF_VISION if events else None)
    lines = [Log(Stage.BUILD, "edges", WHEEL.format(name=name)) for name in NAMES * 4]
    await site.say(example.RUNNING, [(now, line) for line in lines])
    await site.say(example.BAD, [(now, line) for line in lines])


def _is_shown(event: Progress) -> bool:
    # Those with markup in them are for tests.
    return not isinstance(event, Log | Warned)


def _renamed(deployment: Deployment, at: float) -> Deployment:
    commit = Commit(example.SHA, "main", "main", "Sharper edges at night", "Ada Lovelace")
    request = replace(deployment.request, commit=commit)
    moved = at - deployment.created_at
    started, finished = (
        each + moved if each else None for each in (deployment.started_at, deployment.finished_at)
    )
    return replace(
        deployment, request=request, created_at=at, started_at=started, finished_at=finished
    )


def _take(site: World) -> None:
    with Browser.open() as browser:
        browser.fresh()
        browser.driver.get(site.link())
        browser.picture(PICTURES / "index.png", height=720)
        _shown(browser, site, example.RUNNING)
        browser.picture(PICTURES / "running.png", height=1400)
        browser.colours("dark")
        _shown(browser, site, example.RUNNING)
        browser.picture(PICTURES / "dark.png", height=1400)
        browser.colours("light")
        browser.size(*PHONE)
        _shown(browser, site, example.BAD)
        browser.picture(PICTURES / "phone.png", height=1100)


def _shown(browser: Browser, site: World, deployment: Deployment) -> None:
    browser.driver.get(f"{site.url}/deployments/{deployment.id}")


if __name__ == "__main__":
    asyncio.run(main())
