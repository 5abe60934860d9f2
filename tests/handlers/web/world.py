"""A server of the pages with deployments in it, and how tests look at them."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from aiohttp import web
from pydantic import SecretStr

from bot.domain.deployment import Deployment, State
from bot.domain.github import Permission
from bot.domain.plan import Change
from bot.domain.plan_summary import PLAN, PlannedImage, PlannedPipeline, PlanSummary, plan_json
from bot.domain.progress import Finished, Progress
from bot.domain.reasons import Code, StoppedError
from bot.services.github import SignIn
from bot.store.database import Database
from bot.store.deployments import Deployments, insert
from bot.store.progress import ProgressLog
from bot.store.tables import DEPLOYMENT
from handlers.web.access import EVERYTHING, Links
from handlers.web.app import web_app
from handlers.web.seal import Seals
from handlers.web.site import Site
from tests.migrated import migrated
from tests.real.serving import serving

KEY = SecretStr("a key that is only for tests")
FAR = 4_000_000_000.0
"""Seconds since the epoch; no seal of a test ends before."""


def pipeline(
    name: str, *reads: str, change: Change = Change.UPDATE, differences: Sequence[str] = ()
) -> PlannedPipeline:
    return PlannedPipeline(
        project="vision",
        name=name,
        change=change,
        version=None if change is Change.CREATE else 3,
        image="edges",
        place=f"pipelines/{name}.json",
        differences=tuple(differences),
        reads=reads,
    )


PLAN_OF_VISION = PlanSummary(
    images=(
        PlannedImage("edges", "registry.acme.io/vision/edges:3f9c2a1", is_there=False),
        PlannedImage("base", "registry.acme.io/vision/base:3f9c2a1", is_there=True),
    ),
    pipelines=(
        pipeline("edges", "vision/images", differences=["image: 1f2e3d4 -> 3f9c2a1"]),
        pipeline("masks", "vision/edges", change=Change.NONE),
        pipeline("montage", "vision/images", "vision/edges", change=Change.CREATE),
        pipeline("report", "vision/montage", "vision/masks", differences=["parallelism: 1 -> 4"]),
    ),
)


@dataclass
class World:
    """The server and what is in it."""

    url: str
    database: Database
    seals: Seals
    links: Links
    stopping: asyncio.Event
    permissions: dict[tuple[str, str], Permission] = field(default_factory=dict)
    """By `owner/name` and login."""
    silent: bool = False
    """Whether GitHub does not answer."""
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def add(
        self,
        deployment: Deployment,
        events: Sequence[tuple[float, Progress]] = (),
        plan: PlanSummary | None = None,
    ) -> Deployment:
        """Store it as it is, with what it said."""
        deployments = Deployments(self.database)
        await self.database.write(lambda connection: insert(connection, deployment))
        if plan:
            await deployments.save(deployment.id, PLAN, plan_json(plan, str))
        if deployment.state is not State.WAITING:
            await deployments.begin(deployment.id)
        await self.say(deployment, events)
        end = next((event for _, event in events if isinstance(event, Finished)), None)
        if deployment.outcome:
            await deployments.finish(
                deployment.id,
                deployment.outcome,
                deployment.reason,
                end.images if end else deployment.images,
                end.pipelines if end else deployment.pipelines,
                end.notes if end else deployment.notes,
            )
        await self.database.write(partial(_set_times, deployment))
        return deployment

    async def say(self, deployment: Deployment, events: Sequence[tuple[float, Progress]]) -> None:
        """More of its progress."""
        await ProgressLog(self.database).append(deployment.id, events)

    def link(self, deployment: Deployment | None = None) -> str:
        """A good link."""
        return self.links.signed(deployment.id if deployment else EVERYTHING, until=FAR)

    async def permission(self, owner: str, name: str, login: str) -> Permission:
        """What GitHub would say."""
        self.asked.append((f"{owner}/{name}", login))
        if self.silent:
            raise StoppedError(Code.GITHUB_UNREACHABLE, "it answers 502")
        return self.permissions.get((f"{owner}/{name}", login), Permission.NONE)


@asynccontextmanager
async def world(
    tmp_path: Path,
    *,
    sign_in: SignIn | None = None,
    clock: Callable[[], float] | None = None,
    port: int | None = None,
) -> AsyncIterator[World]:
    """A server on a loopback port."""
    database = await Database.open(migrated(tmp_path / "pachops.db"))
    stopping = asyncio.Event()
    seals = Seals([KEY], clock=clock) if clock else Seals([KEY])
    made = World("", database, seals, Links(seals, "", days=14, login=False), stopping)
    port = port or free_port()
    made.url = f"http://127.0.0.1:{port}"
    made.links = Links(seals, made.url, days=14, login=sign_in is not None)
    site = Site(
        database,
        seals,
        made.links,
        stopping,
        sign_in=sign_in,
        readers=made.permission,
        github_url="https://github.com",
        look_seconds=0.02,
    )
    app = web_app(nothing_to_do, _alive, site=site)
    try:
        async with serving(app, port):
            try:
                yield made
            finally:
                stopping.set()
    finally:
        await database.close()


def other(deployment: Deployment, identity: str, **changes: object) -> Deployment:
    """The same with another id, and what else is to be different."""
    return replace(deployment, id=identity, **changes)  # type: ignore[arg-type]


def _set_times(deployment: Deployment, connection: sa.Connection) -> None:
    times = {"started_at": deployment.started_at, "finished_at": deployment.finished_at}
    known = {name: at for name, at in times.items() if at is not None}
    if known:
        change = sa.update(DEPLOYMENT).where(DEPLOYMENT.c.id == deployment.id)
        connection.execute(change.values(known))


async def nothing_to_do(_request: web.Request) -> web.StreamResponse:
    """For a webhook that nobody calls."""
    return web.Response(status=202)


async def _alive() -> None:
    return


def free_port() -> int:
    """A port that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
