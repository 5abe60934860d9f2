"""How quickly `pachops serve` answers webhooks, alone and while it builds an image.

Everything is real but GitHub: the server in a process of its own, its SQLite on disk, the Docker
Engine. What is sent are comments with a command; each genuine one must be answered on its pull
request, once, and a forged one never.
"""

import asyncio
import json
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.domain.deployment import Stage
from bot.store.database import Database
from bot.store.deployments import Deployments
from tests.bot.command import running
from tests.real.outside import Outside
from tests.standins.github.clock import Clock
from tests.standins.github.server import GitHubServer
from tests.standins.github.state import PullRequest
from tests.standins.github.webhooks import Delivery, sign

COUNT = 1000
PER_SECOND = 100.0
REPOSITORIES = 10
REPEATED, REPEATS = 10, 3
"""Every tenth comes three times more."""
FORGED = 50
"""Every fiftieth."""
PATIENCE = 300.0
BUILT = "acme/built"
CONTEXT_FILES, FILE_BYTES = 20, 1_000_000
DOCKERFILE = """FROM {base}
WORKDIR /code
COPY . .
RUN while true; do sha256sum *.bin > /dev/null; done
"""
"""It goes on until it is cancelled."""
PROJECT = """images:
  built: {{repository: "{registry}/bench/built"}}
pipelines: [pipeline.json]
environments:
  staging: {{}}
"""


class WrongError(Exception):
    """Something was not answered as it must be."""


class RealClock(Clock):
    """Time as it is: with a second for each act, logins would end before the benchmark."""

    def tick(self) -> datetime:
        """Now."""
        return datetime.fromtimestamp(self.now(), UTC)


@dataclass(frozen=True)
class Answers:
    """Seconds that the answers took."""

    median: float
    p99: float
    longest: float


async def measure_webhooks(parts: Outside) -> tuple[Answers, Answers]:
    """The answers of a bot that does nothing else, and of one that builds meanwhile."""
    folder = parts.folder / "webhook"
    folder.mkdir()
    async with GitHubServer(folder) as github:
        github.world.clock = RealClock()
        pulls = [await _open(github, f"acme/edges-{each}") for each in range(REPOSITORIES)]
        built = await _open(github, BUILT, _build(parts))
        environ = _environment(parts, github, folder / "data")
        async with running(environ, "serve") as bot:
            url = await bot.listening() + "/github/webhook"
            reading = asyncio.create_task(bot.rest())
            try:
                alone = await _load(github, pulls, url)
                async with _building(github, built, url, environ):
                    meanwhile = await _load(github, pulls, url)
            except WrongError as wrong:
                message = "\n".join([str(wrong), *bot.lines[-10:]])
                raise WrongError(message) from wrong
            finally:
                bot.process.terminate()
                await reading
                await bot.process.wait()
    return alone, meanwhile


async def _open(
    github: GitHubServer, name: str, files: Mapping[str, str | bytes] | None = None
) -> PullRequest:
    github.repository(
        name, files or {".pachops.yml": "environments:\n  staging: {}\n"}, private=False
    )
    return await github.open_pull_request(name, "feature", files={"a": "1"})


async def _load(github: GitHubServer, pulls: list[PullRequest], url: str) -> Answers:
    """Send them all and wait until each genuine one was acted on; what their answers took."""
    made = []
    for number in range(COUNT):
        github.webhooks.url = ""
        await github.comment(pulls[number % REPOSITORIES], "/pachops help")
        made.append(github.webhooks.all[-1])
    forged = [each for number, each in enumerate(made) if number % FORGED == FORGED - 1]
    genuine = [each for number, each in enumerate(made) if number % FORGED != FORGED - 1]
    sent = [(each, "a guess" if each in forged else github.app.webhook_secret) for each in made]
    repeated = [pair for number, pair in enumerate(sent) if number % REPEATED == 0]
    answers = await _send(url, sent + repeated * REPEATS)
    statuses = Counter(int(each["status"]) for each in answers)
    expected = {401: len(forged), 202: len(genuine) + len(repeated) * REPEATS}
    if statuses != expected:
        message = f"the answers were {dict(statuses)}, not {expected}"
        raise WrongError(message)
    await _acted_once(github, pulls, genuine, forged)
    times = sorted(each["seconds"] for each in answers)
    return Answers(statistics.median(times), times[int(len(times) * 0.99)], times[-1])


async def _send(url: str, sent: list[tuple[Delivery, str]]) -> list[dict[str, float]]:
    """From a process of its own, so that nothing here delays it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.sender", url, str(PER_SECOND)),
        cwd=Path(__file__).parents[1],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    lines = "".join(json.dumps(_request(*each)) + "\n" for each in sent)
    async with asyncio.timeout(PATIENCE):
        output, _ = await process.communicate(lines.encode())
    return [json.loads(line) for line in output.splitlines()]


def _request(delivery: Delivery, secret: str) -> dict[str, object]:
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Delivery": delivery.guid,
        "X-GitHub-Event": delivery.event,
        "X-Hub-Signature-256": sign(secret, delivery.body),
    }
    return {"headers": headers, "body": delivery.body.decode()}


async def _acted_once(
    github: GitHubServer,
    pulls: list[PullRequest],
    genuine: list[Delivery],
    forged: list[Delivery],
) -> None:
    """Wait for the answers; each has its delivery's id in it."""
    wanted = Counter(each.guid for each in genuine)
    known = {each.guid for each in genuine + forged}

    def answered() -> Counter[str]:
        texts = (each.body for pull in pulls for each in github.own_comments(pull))
        found = (text.rpartition("pachops:answer:")[2].partition(":0 ")[0] for text in texts)
        return Counter(each for each in found if each in known)

    try:
        async with asyncio.timeout(PATIENCE):
            while len(answered()) < len(wanted):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.2)
    except TimeoutError:
        pass
    if (found := answered()) != wanted:
        message = (
            f"{len(wanted - found)} were not acted on, {len(found - wanted)} more often than once"
        )
        raise WrongError(message)


@asynccontextmanager
async def _building(
    github: GitHubServer, pull: PullRequest, url: str, environ: dict[str, str]
) -> AsyncIterator[None]:
    """The same bot builds an image all the time."""
    github.send_webhooks_to(url)
    await github.comment(pull, f"/pachops deploy staging {pull.head_sha}")
    database = await Database.open(f"sqlite:///{environ['PACHOPS_DATA_DIR']}/pachops.db")
    try:
        await _is_building(Deployments(database), PATIENCE)
        yield
        await _is_building(Deployments(database), 0)
        github.send_webhooks_to(url)
        await github.comment(pull, "/pachops cancel")
        async with asyncio.timeout(PATIENCE):
            while await Deployments(database).unfinished():  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.2)
    finally:
        await database.close()


async def _is_building(deployments: Deployments, seconds: float) -> None:
    """Wait until the image is being built; WrongError where it is not, or ended by itself."""
    deadline = time.monotonic() + seconds
    while True:
        for each in await deployments.list(limit=1):
            if each.stage is Stage.BUILD and each.outcome is None:
                return
            if each.outcome is not None:
                message = f"the build has ended: {each.reason}"
                raise WrongError(message)
        if time.monotonic() >= deadline:
            raise WrongError("no image is being built")
        await asyncio.sleep(0.2)


def _build(parts: Outside) -> dict[str, str | bytes]:
    spec = {
        "pipeline": {"name": "built"},
        "input": {"pfs": {"repo": "images", "glob": "/*"}},
        "transform": {"image": f"{parts.registry}/bench/built", "cmd": ["true"]},
    }
    files: dict[str, str | bytes] = {
        ".pachops.yml": PROJECT.format(registry=parts.registry),
        "Dockerfile": DOCKERFILE.format(base=parts.base_image),
        "pipeline.json": json.dumps(spec),
    }
    return files | {f"{each}.bin": os.urandom(FILE_BYTES) for each in range(CONTEXT_FILES)}


def _environment(parts: Outside, github: GitHubServer, data: Path) -> dict[str, str]:
    return parts.environment(data) | {
        "PACHOPS_WEB_PORT": "0",
        "PACHOPS_GITHUB_BASE_URL": github.url,
        "PACHOPS_GITHUB_APP_ID": str(github.app.id),
        "PACHOPS_GITHUB_PRIVATE_KEY": github.app.private_key.replace("\n", "\\n"),
        "PACHOPS_GITHUB_WEBHOOK_SECRETS": github.app.webhook_secret,
    }
