"""A real browser without a screen, from Debian's packages, and the accessibility rules of axe."""

import base64
import functools
import io
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.real.engine import MissingPartError, require_program

AXE = "axe-core@4.14.1"
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
)
"""The browser is for our own pages only, and calls nobody."""
DESK = (1280, 900)
PHONE = (390, 844)


class Browser:
    """Chromium, driven; `with Browser.open() as browser`. Blocks: not for an event loop."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Self]:
        """Raises MissingPartError."""
        chromium = require_program("chromium", package="chromium")
        chromedriver = require_program("chromedriver", package="chromium-driver")
        options = webdriver.ChromeOptions()
        options.binary_location = str(chromium)
        for argument in ARGUMENTS:
            options.add_argument(argument)
        driver = webdriver.Chrome(options=options, service=Service(str(chromedriver)))
        try:
            driver.set_page_load_timeout(60)
            driver.set_script_timeout(60)
            yield cls(driver)
        finally:
            driver.quit()

    def fresh(self) -> None:
        """As somebody who has never been here, at a desk, in daylight, with JavaScript."""
        self.driver.get("about:blank")
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.size(*DESK)
        self.colours("light")
        self.scripts(allowed=True)
        self.driver.get_log("browser")  # type: ignore[no-untyped-call]  # selenium's own

    def size(self, width: int, height: int) -> None:
        """The window's, in CSS pixels."""
        metrics = {
            "width": width,
            "height": height,
            "deviceScaleFactor": 1,
            "mobile": width < 600,
        }
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def colours(self, scheme: str) -> None:
        """What the person prefers: `light` or `dark`."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    def scripts(self, *, allowed: bool) -> None:
        """Whether pages' own scripts are loaded. The driver needs JavaScript itself."""
        self.driver.execute_cdp_cmd("Network.enable", {})
        blocked = [] if allowed else ["*.js*"]
        self.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": blocked})

    def run(self, script: str, *arguments: object) -> Any:  # JSON
        """What a function's body returns in the page."""
        return self.driver.execute_script(script, *arguments)

    def complaints(self) -> list[str]:
        """What the browser had to say of the page: errors, and what its policy forbade."""
        return [str(each["message"]) for each in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]  # selenium's own

    def accessibility_faults(self) -> list[str]:
        """What axe finds against WCAG 2.1 A and AA and its own best practices."""
        # The page's own policy does not bind the driver.
        self.run(axe())
        found = self.driver.execute_async_script(
            "const done = arguments[0]; axe.run().then(done, (error) => done(String(error)))"
        )
        if isinstance(found, str):
            raise TypeError(found)
        return [
            f"{each['id']}: {each['help']}: {[node['html'][:120] for node in each['nodes'][:3]]}"
            for each in found["violations"]
        ]

    def picture(self, file: Path, *, height: int | None = None) -> None:
        """Keep what is seen as PNG; with a height, that much of the page from its top."""
        asked: dict[str, Any] = {"format": "png"}
        if height:
            width = self.run("return document.documentElement.clientWidth")
            asked["captureBeyondViewport"] = True
            asked["clip"] = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        taken = self.driver.execute_cdp_cmd("Page.captureScreenshot", asked)
        file.write_bytes(base64.b64decode(taken["data"]))


@functools.cache
def axe() -> str:
    """The script of axe-core, from npm.

    Raises MissingPartError.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise MissingPartError("npm is not installed, and axe-core comes from there.")
    with tempfile.TemporaryDirectory(prefix="pachops-axe-") as folder:
        command = (npm, "pack", "--silent", "--ignore-scripts", AXE)
        done = subprocess.run(  # noqa: S603 - a package of a fixed version
            command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
        if done.returncode != 0:
            msg = f"npm brings no {AXE}: {done.stderr.strip()[-300:]}"
            raise MissingPartError(msg)
        archive = Path(folder, done.stdout.split()[-1]).read_bytes()
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        script = files.extractfile("package/axe.min.js")
        if script is None:
            raise MissingPartError("axe-core has no axe.min.js.")
        return script.read().decode()
