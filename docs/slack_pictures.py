"""Takes the pictures of Slack, in a Slack that others have written: `python -m docs.slack_pictures`.

It runs itself once more in a network of its own, which that Slack must have.
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.e2e import local_slack_flow as flow
from tests.real.browser import Browser
from tests.real.local_slack import alone, install_local_slack

PICTURES = Path(__file__).parent / "pictures"
AS_SLACK = """
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const text = texts.currentNode;
  text.data = text.data.replace(/<!date[^|]*[|]([^>]*)>/g, '$1').replace(/&gt;/g, '>');
}
"""
"""Slack writes dates and escaped characters out; local-slack shows them as they came."""
PATIENCE = 20.0
SHARPER = "sharpen --strength 2 /pfs/images /pfs/out"


async def take(program: Path, folder: Path) -> None:
    """A deployment that waits for approval, one that went well, and a release."""
    async with flow.opened("socket", folder, program) as world:
        await flow.links(world)
        slack, source = world.slack, world.github.world.repo(flow.EDGES).git
        await slack.types(f"subscribe {flow.EDGES} releases", channel=flow.NEWS)
        await slack.types(f"subscribe {flow.EDGES} production deployments")
        source.commit({"edges.json": flow.spec("cp -r /pfs/images /pfs/out")}, "First edges (#1)")
        await world.github.publish_release(flow.EDGES, "v1", notes="The first.")
        await flow.approves(world)
        await slack.sees("🎉", channel=flow.NEWS)
        source.commit({"edges.json": flow.spec(SHARPER)}, "Sharper edges (#2)")
        source.commit({"README.md": "Edges."}, "Say what it is for (#3)")
        await world.github.publish_release(flow.EDGES, "v2", notes=flow.NOTES)
        await slack.sees("*waits for approval*")
        with Browser.open() as browser:
            await asyncio.to_thread(
                _picture, browser, slack.url, "ml", "slack-approval", (900, 560)
            )
            await flow.approves(world)
            await slack.sees("*What changed* since `v1`", channel=flow.NEWS)
            await asyncio.to_thread(
                _picture, browser, slack.url, "news", "slack-release", (900, 640)
            )


def _picture(browser: Browser, url: str, channel: str, name: str, size: tuple[int, int]) -> None:
    driver = browser.driver
    browser.size(*size)
    driver.get(url)
    label = f"//*[normalize-space(text())='{channel}']"
    WebDriverWait(driver, PATIENCE).until(lambda it: it.find_elements(By.XPATH, label))
    driver.find_elements(By.XPATH, label)[0].click()
    driver.execute_script(AS_SLACK)
    driver.save_screenshot(str(PICTURES / f"{name}.png"))


def main() -> None:
    """Take them all."""
    if len(sys.argv) > 1:
        asyncio.run(take(Path(sys.argv[1]), Path(sys.argv[2])))
        return
    with tempfile.TemporaryDirectory(prefix="pachops-pictures-") as folder:
        again = [sys.executable, "-m", "docs.slack_pictures", str(install_local_slack()), folder]
        subprocess.run(alone(again), check=True)  # noqa: S603 - itself


if __name__ == "__main__":
    main()
