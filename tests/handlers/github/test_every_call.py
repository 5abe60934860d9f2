"""Whatever goes wrong with whichever call of a deployment: each thing is there once in the end."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.deployment import Outcome, Stage
from bot.domain.progress import StageStarted
from bot.domain.reasons import MEANINGS, Code, Reason
from bot.redact import Redactor
from bot.services.github import Clock
from bot.store.database import Database
from bot.store.progress import ProgressLog
from handlers.reports.github.reporter import GitHubReports
from tests.handlers.github.world import EDGES, World, opened
from tests.standins.github.faults import Fault, dropped, error, lost_answer, secondary_limit
from tests.standins.github.state import PullRequest

REPO = f"/repos/{EDGES}"
ASKING = [
    ("POST", "/graphql"),
    ("GET", f"{REPO}/activity"),
    ("POST", f"{REPO}/issues/comments/*/reactions"),
]
RUNNING = [
    ("POST", f"{REPO}/deployments"),
    ("POST", f"{REPO}/issues/*/comments"),
    ("POST", f"{REPO}/check-runs"),
]
ENDING = [
    ("POST", f"{REPO}/deployments/*/statuses"),
    ("PATCH", f"{REPO}/issues/comments/*"),
    ("PATCH", f"{REPO}/check-runs/*"),
    ("POST", f"{REPO}/issues/*/comments"),
]
CALLS = [(phase, *call) for phase, calls in enumerate((ASKING, RUNNING, ENDING)) for call in calls]
FAULTS = {
    "lost answer": lost_answer(),
    "dropped": dropped(),
    "500": error(500),
    "502 after it was done": error(502, after=True),
    "503": error(503, Retry_After="3"),
    "429": error(429, "Too Many Requests", Retry_After="9"),
    "secondary limit": secondary_limit(30),
}
BROKEN = Reason(
    Code.SPEC_INVALID, "it is not JSON", MEANINGS[Code.SPEC_INVALID].next_step, "a.json:7: input"
)


class Waits:
    """The client's time passes only while it waits, and then at once."""

    def __init__(self) -> None:
        self._now = 0.0

    async def sleep(self, seconds: float) -> None:
        self._now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self._now, self.sleep)


class Bot:
    """Asks, reports and ends, each when it is told to."""

    def __init__(self, world: World, database: Database) -> None:
        self.world = world
        self._progress = ProgressLog(database)
        self._now = time.time()
        self._reports = GitHubReports(
            database,
            Redactor([]),
            lambda origin: world.client.for_repository(
                origin.owner, origin.name, origin.installation
            ),
            clock=lambda: self._now,
        )

    async def deploys(self, pull: PullRequest, fault: tuple[int, str, str], what: Fault) -> None:
        """A comment's deployment, which fails; one call of one phase goes wrong."""
        phase, method, path = fault
        for number, act in enumerate((self._is_asked, self._runs, self._fails)):
            if number == phase:
                self.world.github.fail(method, path, what)
            await act(pull)

    async def _is_asked(self, pull: PullRequest) -> None:
        await self.world.comment(pull, "/pachops deploy staging")

    async def _runs(self, _pull: PullRequest) -> None:
        deployment = await self.world.only()
        await self._progress.append(deployment.id, [(self._now, StageStarted(Stage.BUILD))])
        await self._passes()

    async def _fails(self, _pull: PullRequest) -> None:
        deployment = await self.world.only()
        await self.world.deployments.finish(deployment.id, Outcome.FAILED, BROKEN)
        await self._passes()
        assert self._reports.is_idle

    async def _passes(self) -> None:
        for _ in range(4):
            await self._reports.look()
            self._now += 60.0


@pytest.fixture
async def world(tmp_path: Path, database: Database) -> AsyncIterator[World]:
    async with opened(tmp_path, database, Waits().clock) as world:
        yield world


@pytest.mark.parametrize("what", FAULTS)
@pytest.mark.parametrize("fault", CALLS, ids=lambda each: f"{each[0]} {each[1]} {each[2]}")
async def test_nothing_is_doubled_or_lost(
    world: World, database: Database, fault: tuple[int, str, str], what: str
) -> None:
    world.declare("  staging: {}\n")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.settled()
    await Bot(world, database).deploys(pull, fault, FAULTS[what])

    assert len(await world.asked()) == 1
    progress, mention = world.answers(pull)
    assert "failed" in progress
    assert mention.startswith("@ada: ")
    (deployment,) = world.github.deployments(EDGES)
    assert [each.state for each in deployment.statuses] == ["failure"]
    (check,) = world.github.checks(pull.head_sha)
    assert (check.conclusion, len(check.annotations)) == ("failure", 1)
    (comment,) = (each for each in world.github.comments(pull) if each.author.login == "ada")
    assert world.reactions(comment) == ["eyes"]
    assert world.github.pending_faults() == 0
