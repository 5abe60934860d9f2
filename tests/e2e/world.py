"""A small language for tests of the whole: commit, deploy, look at what runs."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import docker
import psutil
from pachyderm_sdk import Client
from pachyderm_sdk.api import pfs, pps

from bot.app import open_bot
from bot.domain.approval import Cast, Verdict, Vote
from bot.domain.deployment import (
    Actor,
    Commit,
    Deployment,
    Kind,
    Outcome,
    Request,
    Trigger,
    new_deployment_id,
)
from bot.domain.lock import Lock
from bot.domain.progress import Finished, Log, PipelineSeen, Progress, Step, finished
from bot.domain.reasons import Reason, StoppedError
from bot.session import DeployOrder, RollbackOrder, Session
from bot.settings import load_settings
from bot.store.approvals import Approvals
from bot.store.database import Database
from bot.store.deployments import Deployments
from bot.store.locks import Locks
from tests.real.git_server import Content, Repository
from tests.real.registry import Registry
from tests.standins.pachd import Pachd

Event = TypeVar("Event")
PATIENCE = 60.0
_ACCEPT = {
    "Accept": "application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.oci.image.manifest.v1+json"
}


@dataclass
class Screen:
    """A reporter that remembers."""

    events: list[Progress] = field(default_factory=list)
    on: Callable[[Progress], None] = lambda _event: None

    def show(self, at: float, event: Progress) -> None:  # noqa: ARG002 - a reporter's
        self.events.append(event)
        self.on(event)

    def close(self) -> None:
        """Nothing to leave."""

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


@dataclass(frozen=True)
class Result:
    """How a command ended and what it said on the way."""

    finished: Finished
    screen: Screen

    @property
    def code(self) -> str | None:
        return self.finished.reason.code.value if self.finished.reason else None

    @property
    def log(self) -> list[str]:
        return [line.text for line in self.screen.of(Log)]

    @property
    def steps(self) -> list[Step]:
        return self.screen.of(Step)

    @property
    def seen(self) -> list[PipelineSeen]:
        return self.screen.of(PipelineSeen)


class World:
    """A repository, and all that its deployments need."""

    def __init__(
        self, folder: Path, engine: str, base: str, registry: Registry, pachd: Pachd
    ) -> None:
        self.folder = folder
        self.base = base
        self.registry = registry
        self.pachd = pachd
        self.repository = Repository(folder / "source")
        self.address = str(self.repository.path)
        self.environ = {
            "HOME": str(folder),
            "DOCKER_HOST": engine,
            "PACHOPS_DATA_DIR": str(folder / "data"),
            "PACHOPS_PACHD_ADDRESS": pachd.address,
        }

    def image(self, name: str = "edges") -> str:
        """A repository of images that is this world's alone."""
        return f"{self.registry.address}/{self.folder.name.lower()}/{name}"

    def dockerfile(self, *lines: str) -> str:
        return "\n".join([f"FROM {self.base}", *lines, ""])

    def spec(self, name: str = "edges", image: str | None = None, **extra: Any) -> str:
        """A spec that reads the repo `images`, or what `input` says."""
        transform = {"image": image or self.image(), "cmd": ["sh", "/run.sh"]}
        body = {"pipeline": {"name": name}, "transform": transform}
        return json.dumps(body | {"input": {"pfs": {"repo": "images", "glob": "/*"}}} | extra)

    def commit(self, files: Mapping[str, Content], message: str = "Change") -> str:
        return self.repository.commit(files, message)

    async def deploy(
        self,
        ref: str | None = None,
        to: str | None = None,
        *,
        only: tuple[str, ...] = (),
        reprocess: bool = False,
        dry_run: bool = False,
        force: str | None = None,
        screen: Screen | None = None,
    ) -> Result:
        order = DeployOrder(self.address, ref, to, only, reprocess, force)
        return await self._ask(
            lambda session: session.plan(order) if dry_run else session.deploy(order),
            screen or Screen(),
        )

    async def deploy_for(
        self, trigger: Trigger, sha: str, *, then: tuple[Reason, ...] = ()
    ) -> Result:
        """A deployment that no command line asked for; `then` is what the gate says later."""

        async def second_look(_deployment: Deployment) -> tuple[Reason, ...]:
            return then

        actor = Actor("ada", "github")
        commit = Commit(sha, sha)
        request = Request(Kind.DEPLOY, self.address, "default", commit, trigger, actor)
        async with asyncio.timeout(PATIENCE), open_bot(load_settings(self.environ)) as bot:
            bot.second_look = second_look
            await bot.engine.start()
            deployment = Deployment(new_deployment_id(), request)
            await bot.engine.submit(deployment)
            return Result(finished(await bot.engine.wait(deployment.id)), Screen())

    async def interrupted_at(self, when: Callable[[Progress], bool]) -> None:
        """Deploy, and stop the bot at that event as its machine would: nothing is settled."""
        reached = asyncio.Event()
        screen = Screen(on=lambda event: reached.set() if when(event) else None)
        deploying = asyncio.create_task(self.deploy(screen=screen))
        async with asyncio.timeout(PATIENCE):
            await reached.wait()
            deploying.cancel()
            await asyncio.wait({deploying})

    async def leave_a_transaction(self) -> str:
        """As a bot does that is killed, and not stopped, in an update; the transaction's id."""
        client = Client.from_pachd_address(self.pachd.address)
        left = client.transaction.start_transaction().id
        async with self.database() as database:
            deployments = Deployments(database)
            (killed,) = await deployments.list()
            await deployments.save(killed.id, "transaction", left)
        return str(left)

    async def resume(self) -> Result:
        """Another bot takes up what is left; the end of the first."""
        screen = Screen()
        async with asyncio.timeout(PATIENCE):
            await Session(load_settings(self.environ), screen).work()
        return Result(screen.of(Finished)[0], screen)

    async def roll_back(self, to: str = "default", steps: int = 1) -> Result:
        return await self._ask(
            lambda session: session.roll_back(RollbackOrder(to, steps)), Screen()
        )

    async def _ask(self, ask: Callable[[Session], Any], screen: Screen) -> Result:
        session = Session(load_settings(self.environ), screen)
        async with asyncio.timeout(PATIENCE):
            try:
                return Result(await ask(session), screen)
            except StoppedError as error:
                return Result(refused(error), screen)

    def running(self, name: str = "edges", project: str = "default") -> tuple[int, str]:
        """Version and image of a pipeline."""
        current = self.pachd.pipeline(name, project=project).current
        return current.number, json.loads(current.effective_spec)["transform"]["image"]

    async def until_processed(self, name: str = "edges") -> None:
        """Until a job of the pipeline has processed data."""
        async with asyncio.timeout(PATIENCE):
            while not any(job.processed for job in self.pachd.jobs(name)):  # noqa: ASYNC110 - its clock is real
                await asyncio.sleep(0.02)

    def tag_on_engine(self, image: str, repository: str, tag: str) -> None:
        """Somebody else on the same engine."""
        with closing(docker.APIClient(base_url=self.environ["DOCKER_HOST"])) as client:
            client.tag(image, repository, tag, force=True)

    def layers_of(self, digest: str) -> int:
        """How many layers an image in the registry has."""
        with closing(docker.APIClient(base_url=self.environ["DOCKER_HOST"])) as client:
            image = client.inspect_image(f"{self.image()}@{digest}")  # type: ignore[no-untyped-call]
        return len(image["RootFS"]["Layers"])

    def layers_of_base(self) -> int:
        """How many layers the base image has."""
        with closing(docker.APIClient(base_url=self.environ["DOCKER_HOST"])) as client:
            image = client.inspect_image(self.base)  # type: ignore[no-untyped-call]
        return len(image["RootFS"]["Layers"])

    def containers_that_run(self, command: str) -> list[psutil.Process]:
        """The processes of containers and build steps on the engine whose command line this is."""
        listed = psutil.process_iter(["cmdline"])
        return [each for each in listed if " ".join(each.info["cmdline"] or ()) == command]

    def left_over(self, command: str) -> list[psutil.Process]:
        """Those that still run two seconds later: a step has so long to go."""
        psutil.wait_procs(self.containers_that_run(command), timeout=2)
        return self.containers_that_run(command)

    def update_by_hand(self, name: str = "edges") -> None:
        """Somebody with pachctl."""
        self.pachd.update(json.loads(self.spec(name, image="busybox:theirs")))

    def stop_by_hand(self, name: str = "edges") -> None:
        """`pachctl stop pipeline`."""
        pipeline = pps.Pipeline(project=pfs.Project(name="default"), name=name)
        Client.from_pachd_address(self.pachd.address).pps.stop_pipeline(pipeline=pipeline)

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """The bot's database, as another process opens it."""
        database = await Database.open(load_settings(self.environ).database_url)
        try:
            yield database
        finally:
            await database.close()

    async def vote(self, verdict: Verdict, by: str = "grace", surface: str = "github") -> Cast:
        """Somebody votes on the newest deployment."""
        async with self.database() as database:
            newest = (await Deployments(database).list(limit=1))[0]
            vote = Vote(Actor(by, surface), verdict, time.time())
            return await Approvals(database).vote(newest.id, vote)

    async def lock(self, by: str = "grace") -> None:
        """Somebody locks the environment."""
        lock = Lock("1", self.address, "default", Actor(by, "github"), "an experiment", time.time())
        async with self.database() as database:
            await Locks(database).take(lock, time.time())

    async def request_cancel(self) -> None:
        """`pachops cancel` of the newest deployment, while no bot runs."""
        database = await Database.open(load_settings(self.environ).database_url)
        deployments = Deployments(database)
        newest = (await deployments.list(limit=1))[0]
        await deployments.request_cancel(newest.id, "ada")
        await database.close()

    def use_work_tree(self) -> Path:
        """A repository with files in it, as people have; the folder."""
        self.repository = Repository(self.folder / "work", bare=False)
        self.address = str(self.repository.path)
        return self.repository.path

    def digest(self, repository: str, tag: str) -> str | None:
        """What the registry has under a tag."""
        host, _, path = repository.partition("/")
        request = urllib.request.Request(
            f"http://{host}/v2/{path}/manifests/{tag}", method="HEAD", headers=_ACCEPT
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own registry
                return str(answer.headers["Docker-Content-Digest"])
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 404:
                return None
            raise


def refused(error: StoppedError) -> Finished:
    """What the command line makes of a reason that came before the deployment."""
    return Finished(Outcome.REFUSED, None, None, (), (), error.reason)
