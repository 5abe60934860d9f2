"""The Action's step against the command line: the same work, and the step's own start."""

import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.content import CONTEXT, Repository, make_repository
from benchmarks.row import MeasureError, Row
from tests.e2e.runner import Runner, recorded
from tests.real.outside import PACHOPS, Outside
from tests.standins.github.app import App
from tests.standins.github.auth import issue_token
from tests.standins.github.server import GitHubServer

RUNS = 4
"""Even: who goes first may be slower, and each does so as often as the other."""
NAME = "acme/vision"
MAIN = "refs/heads/main"
PERMISSIONS = {"contents": "read", "pull_requests": "write", "deployments": "write"}
RUN_TIMEOUT = 300.0
NOTES = f"""
Action: the step `Deploy` of action.yml, with a runner's environment, for a push; medians of {RUNS} runs. It
fetches the commit and shows the deployment on GitHub, where the baseline only fetches: that is
`pachops deploy` of such a commit, and the step's own start, until it refuses for want of an input."""


@dataclass
class Stage:
    """What both work on."""

    parts: Outside
    github: GitHubServer
    runner: Runner
    repository: Repository
    token: str

    async def push(self, number: int) -> str:
        """A commit whose image is not known yet."""
        files = {
            str(file.relative_to(self.repository.path)): file.read_bytes()
            for file in self.repository.path.rglob("*")
            if file.is_file() and ".git" not in file.parts
        }
        return await self.github.push(NAME, files | {f"{CONTEXT}/number": f"{number}\n"})

    async def action(self, number: int) -> float:
        """Seconds of the step."""
        sha = await self.push(number)
        self.runner.forget()
        began = time.perf_counter()
        ended = await self.runner.deploy(
            *("push", recorded("push", NAME, ref=MAIN, after=sha), sha, MAIN),
            pachd_address=self.parts.pachd,
            github_token=self.token,
        )
        seconds = time.perf_counter() - began
        if ended.status:
            msg = f"the Action ended with status {ended.status}: {ended.seen.text[-2000:]}"
            raise MeasureError(msg)
        return seconds

    async def start(self) -> float:
        """Seconds of a step that refuses at once."""
        sha = await self.push(0)
        self.runner.forget()
        began = time.perf_counter()
        event = recorded("push", NAME, ref=MAIN, after=sha)
        ended = await self.runner.deploy("push", event, sha, MAIN, github_token=self.token)
        seconds = time.perf_counter() - began
        if ended.outputs.get("reason") != "bad_input":
            msg = f"the Action did not refuse: {ended.seen.text[-2000:]}"
            raise MeasureError(msg)
        return seconds

    async def command(self, number: int) -> float:
        """Seconds of `pachops deploy`."""
        sha = await self.push(number)
        with tempfile.TemporaryDirectory(dir=self.parts.folder) as data:
            settings = {
                "PACHOPS_GITHUB_BASE_URL": self.github.url,
                "PACHOPS_GITHUB_TOKEN": self.token,
            }
            began = time.perf_counter()
            process = await asyncio.create_subprocess_exec(
                *(str(PACHOPS), "deploy", f"{self.github.url}/{NAME}.git", "--ref", sha),
                env=self.parts.environment(Path(data)) | settings,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            said, _ = await asyncio.wait_for(process.communicate(), RUN_TIMEOUT)
            seconds = time.perf_counter() - began
        if process.returncode:
            msg = f"pachops ended with status {process.returncode}: {said.decode()[-2000:]}"
            raise MeasureError(msg)
        return seconds


def action_row(parts: Outside, *, most: float) -> Row:
    """Measure it."""
    action, command, start = asyncio.run(_measure(parts))
    baseline = command + start
    ratio = action / baseline
    return Row(
        "Action",
        f"<= {most:.2f} x",
        f"{action:.2f} s",
        f"{baseline:.2f} s",
        ratio,
        ratio <= most,
    )


async def _measure(parts: Outside) -> tuple[float, float, float]:
    repository = make_repository(
        parts.folder / "action",
        registry=parts.registry,
        base_image=parts.base_image,
        megabytes=1,
        run="true",
    )
    actions, commands, starts = [], [], []
    async with GitHubServer(parts.folder / "action-github", App(slug="github-actions")) as github:
        github.repository(NAME, {".pachops.yml": (repository.path / ".pachops.yml").read_text()})
        token = issue_token(
            github.world, github.installation(NAME), {"permissions": PERMISSIONS}
        ).value
        needed = {"HOME": str(parts.folder / "home"), "DOCKER_HOST": parts.engine.host}
        runner = Runner(parts.folder / "runner", NAME, github.url, needed)
        stage = Stage(parts, github, runner, repository, token)
        await stage.command(-1)  # the pipeline is there for each that is measured
        for number in range(RUNS):
            first, second = (
                (stage.action, stage.command) if number % 2 else (stage.command, stage.action)
            )
            seconds = {first: await first(2 * number + 1), second: await second(2 * number + 2)}
            actions.append(seconds[stage.action])
            commands.append(seconds[stage.command])
            starts.append(await stage.start())
            print(
                f"the Action: {actions[-1]:.2f} s, the command line {commands[-1]:.2f} s,"
                f" the step's start {starts[-1]:.2f} s",
                flush=True,
            )
    return statistics.median(actions), statistics.median(commands), statistics.median(starts)
