"""A stranger's pull request: deployed when somebody answers for it, and kept apart."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import docker
import pytest

from bot.domain.deployment import Outcome
from bot.serve import open_server
from bot.settings import load_settings
from tests.e2e.test_main_job import simple
from tests.e2e.world import World
from tests.real.git_server import Content
from tests.standins.github.server import GitHubServer
from tests.standins.github.state import PullRequest

pytestmark = pytest.mark.real

EDGES = "acme/edges"
PATIENCE = 60.0
QUICK = "verify: {window: 0s, timeout: 20s}"


class Conversation:
    """A repository on GitHub, the people on it, and the bot that listens."""

    def __init__(self, folder: Path, github: GitHubServer, world: World, base: str) -> None:
        self.github = github
        self.world = world
        self.base = base
        self.environ = world.environ | {
            "HOME": str(folder),
            "PACHOPS_WEB_PORT": "0",
            "PACHOPS_GITHUB_BASE_URL": github.url,
            "PACHOPS_GITHUB_APP_ID": str(github.app.id),
            "PACHOPS_GITHUB_PRIVATE_KEY": github.app.private_key.replace("\n", "\\n"),
            "PACHOPS_GITHUB_WEBHOOK_SECRETS": github.app.webhook_secret,
        }

    def files(self, *lines: str, rules: str = "") -> dict[str, Content]:
        """A whole repository; `rules` are staging's."""
        return {
            "Dockerfile": "\n".join([f"FROM {self.base}", "COPY run.sh /run.sh", *lines, ""]),
            "run.sh": "echo edges\n",
            "pipeline.json": self.world.spec(),
            ".pachops.yml": f"images: {{edges: {{repository: '{self.world.image()}', "
            f"tags: ['{{sha}}', '{{branch}}', latest]}}}}\n"
            f"pipelines: [pipeline.json]\nenvironments: {{staging: {{{rules}{QUICK}}}}}\n",
        }

    async def fork_pull_request(self, files: dict[str, Content]) -> PullRequest:
        """eve, whom nobody knows, changes something in her fork."""
        self.github.fork(EDGES, "eve")
        return await self.github.open_pull_request(EDGES, "eve:feature", files=files, by="eve")

    @asynccontextmanager
    async def listening(self, **settings: str) -> AsyncIterator[None]:
        """`pachops serve`, for as long as this lasts."""
        stop = asyncio.Event()
        async with (
            asyncio.timeout(PATIENCE),
            open_server(load_settings(self.environ | settings)) as server,
        ):
            running = asyncio.create_task(server.run(stop))
            await server.listening.wait()
            self.github.send_webhooks_to(f"{server.addresses[0]}/github/webhook")
            try:
                yield
            finally:
                stop.set()
                await running

    def tags(self) -> set[str]:
        """Which of the usual tags the image has."""
        image = self.world.image()
        return {tag for tag in ("latest", "main", "feature") if self.world.digest(image, tag)}


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[GitHubServer]:
    async with GitHubServer(tmp_path) as github:
        yield github


@pytest.fixture
def base(world: World) -> Iterator[str]:
    """The base image, where everybody can pull it."""
    name = world.image("base")
    with contextlib.closing(docker.APIClient(base_url=world.environ["DOCKER_HOST"])) as client:
        client.tag(world.base, name, "1")
        client.push(name, "1")
        yield f"{name}:1"
        client.remove_image(f"{name}:1")


@pytest.fixture
def conversation(tmp_path: Path, github: GitHubServer, world: World, base: str) -> Conversation:
    return Conversation(tmp_path, github, world, base)


async def test_a_fork_is_deployed_by_its_whole_sha_and_kept_apart(
    conversation: Conversation,
) -> None:
    github, world = conversation.github, conversation.world
    github.repository(EDGES, conversation.files(rules="forks: true, "))
    pull = await conversation.fork_pull_request(
        conversation.files("RUN echo has: $(ls /sys/class/net) >/net", rules="forks: true, ")
    )
    async with conversation.listening():
        await github.comment(pull, "/pachops deploy staging")
        await github.expect_comment(pull, f"/pachops deploy staging {pull.head_sha}")

        comment = await github.comment(pull, f"/pachops deploy staging {pull.head_sha}")
        await github.expect_reaction(comment, "eyes")
        await github.expect_comment(pull, "**Deployed**", patience=PATIENCE)
    version, image = world.running()
    assert (version, image.partition("@")[0]) == (1, f"{world.image()}:fork-{pull.head_sha}")
    assert conversation.tags() == set()


async def test_a_trusted_deployment_takes_nothing_that_a_fork_built(
    conversation: Conversation,
) -> None:
    github, world = conversation.github, conversation.world
    files = conversation.files(
        "RUN cat /proc/sys/kernel/random/uuid >/id", rules="forks: true, branches: ['**'], "
    )
    github.repository(EDGES, files)
    pull = await conversation.fork_pull_request({"run.sh": "echo better\n"})
    async with conversation.listening():
        await github.comment(pull, f"/pachops deploy staging {pull.head_sha}")
        await github.expect_comment(pull, "**Deployed**", patience=PATIENCE)
        forks = world.digest(world.image(), f"fork-{pull.head_sha}")

        await github.move(EDGES, "taken-over", pull.head_sha)
        own = await github.open_pull_request(EDGES, "taken-over")
        await github.comment(own, "/pachops deploy staging")
        await github.expect_comment(own, "**Deployed**", patience=PATIENCE)
    assert world.digest(world.image(), f"fork-{pull.head_sha}") == forks
    assert world.digest(world.image(), pull.head_sha) not in {None, forks}


Change = Callable[[Conversation], dict[str, Content]]


def _dockerfile(*lines: str) -> Change:
    return lambda talk: {"Dockerfile": talk.files(*lines)["Dockerfile"]}


def _pushes_elsewhere(talk: Conversation) -> dict[str, Content]:
    text = str(talk.files(rules="forks: true, ")[".pachops.yml"])
    return {".pachops.yml": text.replace(talk.world.image(), talk.world.image("billing"))}


def _takes_over_a_pipeline(talk: Conversation) -> dict[str, Content]:
    return {"pipeline.json": talk.world.spec("billing")}


def _reads_secrets(talk: Conversation) -> dict[str, Content]:
    spec = json.loads(talk.world.spec())
    spec["transform"]["secrets"] = [{"name": "s", "key": "k", "env_var": "E"}]
    return {"pipeline.json": json.dumps(spec)}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_dockerfile("ADD http://169.254.169.254/latest /m"), "Dockerfile:3"),
        (_dockerfile("RUN --mount=type=secret,id=npm true"), "type secret"),
        (_pushes_elsewhere, "images.edges.repository"),
        (_takes_over_a_pipeline, "billing"),
        (_reads_secrets, "secrets"),
    ],
)
async def test_a_fork_that_wants_more_is_refused_and_nothing_is_touched(
    conversation: Conversation, change: Change, told: str
) -> None:
    github, world = conversation.github, conversation.world
    github.repository(EDGES, conversation.files(rules="forks: true, "))
    pull = await conversation.fork_pull_request(change(conversation))
    async with conversation.listening():
        await github.comment(pull, f"/pachops deploy staging {pull.head_sha}")
        said = await github.expect_comment(pull, "ask for what a fork", patience=PATIENCE)
    assert told in said.body
    assert not any(map(world.pachd.has_pipeline, ("edges", "billing")))
    assert world.digest(world.image(), f"fork-{pull.head_sha}") is None


async def test_the_operator_may_refuse_all_forks(conversation: Conversation) -> None:
    github = conversation.github
    github.repository(EDGES, conversation.files(rules="forks: true, "))
    pull = await conversation.fork_pull_request({"run.sh": "echo better\n"})
    async with conversation.listening(PACHOPS_ALLOW_FORKS="false"):
        await github.comment(pull, f"/pachops deploy staging {pull.head_sha}")
        await github.expect_comment(pull, "take no forks", patience=PATIENCE)


@pytest.mark.parametrize("dry_run", [False, True])
async def test_at_a_terminal_a_pull_request_is_no_name_for_a_commit(
    world: World, *, dry_run: bool
) -> None:
    world.commit(simple(world))
    theirs = simple(world) | {"run.sh": "echo theirs\n"}
    sha = world.repository.commit(theirs, branch="theirs")
    world.repository.git("update-ref", "refs/pull/7/head", sha)
    world.repository.git("update-ref", "-d", "refs/heads/theirs")
    world.address = f"file://{world.repository.path}"
    result = await world.deploy("pull/7/head", dry_run=dry_run)
    assert (result.finished.outcome, result.code) == (Outcome.REFUSED, "fork_not_allowed")
