"""From a comment to a pipeline that runs, and back to the pull request: `serve` on real parts."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.domain.deployment import Outcome
from bot.serve import open_server
from bot.settings import load_settings
from tests.e2e.world import World
from tests.standins.github.faults import Seen, error, held
from tests.standins.github.server import GitHubServer
from tests.standins.github.state import PullRequest

pytestmark = pytest.mark.real

EDGES = "acme/edges"
PATIENCE = 60.0
MOST_CALLS = 12
COSTS = {
    # The gate, when the comment comes: pull request, rules and permission; when the head moved.
    "POST /graphql": 1 + 1,
    "GET activity": 1,
    # The second is the gate's second look before the update. Then, to begin with: eyes,
    # deployment, in progress, comment, check.
    "POST reactions": 1 + 1,
    "POST deployments": 1,
    "POST statuses": 1 + 1,
    "POST comments": 1,
    "POST check-runs": 1,
    # And at the end: the status and the reaction above, and these.
    "PATCH comments": 1,
    "PATCH check-runs": 1,
}
"""Each call of a comment's deployment, from its acceptance to the last report."""
RULES = """
images: {{edges: {{repository: '{image}'}}}}
pipelines: ['*.json']
environments:
  staging:
    verify: {{window: 0s, timeout: 20s}}
"""


def files(world: World) -> dict[str, str]:
    return {
        "Dockerfile": world.dockerfile("COPY run.sh /run.sh"),
        "run.sh": "echo edges\n",
        "edges.json": world.spec(),
        ".pachops.yml": RULES.format(image=world.image()),
    }


@pytest.fixture
async def github(world: World, tmp_path: Path) -> AsyncIterator[GitHubServer]:
    async with GitHubServer(tmp_path / "github") as github:
        github.repository(EDGES, files(world))
        yield github


def as_the_app(github: GitHubServer) -> dict[str, str]:
    """The settings."""
    return {
        "PACHOPS_GITHUB_BASE_URL": github.url,
        "PACHOPS_GITHUB_APP_ID": str(github.app.id),
        "PACHOPS_GITHUB_PRIVATE_KEY": github.app.private_key.replace("\n", "\\n"),
        "PACHOPS_GITHUB_WEBHOOK_SECRETS": github.app.webhook_secret,
    }


@asynccontextmanager
async def serving(world: World, github: GitHubServer) -> AsyncIterator[None]:
    stop = asyncio.Event()
    environ = world.environ | as_the_app(github) | {"PACHOPS_WEB_PORT": "0"}
    async with asyncio.timeout(PATIENCE), open_server(load_settings(environ)) as server:
        running = asyncio.create_task(server.run(stop))
        await server.listening.wait()
        github.send_webhooks_to(f"{server.addresses[0]}/github/webhook")
        try:
            yield
        finally:
            stop.set()
            await running


async def opened(github: GitHubServer) -> PullRequest:
    return await github.open_pull_request(EDGES, "feature", files={"run.sh": "echo more\n"})


async def test_a_comment_is_deployed_and_told_of(world: World, github: GitHubServer) -> None:
    pull = await opened(github)
    async with serving(world, github):
        comment = await github.comment(pull, "/pachops deploy staging")
        await github.expect_reaction(comment, "eyes")
        await github.expect_check(pull.head_sha, conclusion="success")
        await github.expect_comment(pull, pull.head_sha[:7])
        await github.expect_deployment(EDGES, "staging", state="success")
        await github.expect_reaction(comment, "rocket")
    version, image = world.running()
    assert (version, image.partition("@")[0]) == (1, f"{world.image()}:{pull.head_sha}")


async def test_git_has_a_token_for_this_repository_and_for_reading_it_alone(
    world: World, github: GitHubServer
) -> None:
    pull = await opened(github)
    async with serving(world, github):
        await github.comment(pull, "/pachops deploy staging")
        await github.expect_deployment(EDGES, "staging", state="success")
    narrowed = [each for each in github.world.tokens.values() if each.repos is not None]
    assert [(each.repos, each.permissions) for each in narrowed] == [
        (frozenset({EDGES}), {"metadata": "read", "contents": "read"})
    ]
    assert github.called("GET", f"{EDGES}/installation") == 0


async def test_the_command_line_reads_a_private_repository_as_the_app(
    world: World, github: GitHubServer
) -> None:
    world.address = f"{github.url}/{EDGES}.git"
    world.environ |= as_the_app(github)
    result = await world.deploy(to="staging")
    assert result.finished.outcome is Outcome.SUCCEEDED
    assert github.called("GET", "/installation") == 1


async def test_a_head_that_moves_before_the_update_is_not_deployed(
    world: World, github: GitHubServer
) -> None:
    pull = await opened(github)
    moved = asyncio.Event()
    async with serving(world, github):
        comment = await github.comment(pull, "/pachops deploy staging")
        await github.expect_reaction(comment, "eyes")
        github.fail("POST", "/graphql", held(moved))
        await github.push(EDGES, {"run.sh": "echo evil\n"}, "feature")
        moved.set()
        await github.expect_comment(pull, "head moved after the command")
        await github.expect_reaction(comment, "-1")
    assert not world.pachd.has_pipeline("edges")


async def test_what_a_whole_deployment_costs_of_githubs_limits(
    world: World, github: GitHubServer
) -> None:
    pull = await opened(github)
    async with serving(world, github):
        await github.expect_call("GET", "/app/hook/deliveries")
        before = len(github.calls)
        comment = await github.comment(pull, "/pachops deploy staging")
        await github.expect_reaction(comment, "rocket")
        await github.expect_comment(pull, "**Deployed**")
    calls = Counter(_kind(each) for each in github.calls[before:])
    # Of each hour, however many deployments it has: git's own token for this one repository.
    assert calls.pop("POST token") == 1
    # What ends at once is told of once, with fewer.
    assert calls <= Counter(COSTS), github.calls[before:]
    assert calls.total() <= sum(COSTS.values()) <= MOST_CALLS


async def test_the_tokens_are_fetched_before_the_first_comment(
    world: World, github: GitHubServer
) -> None:
    async with serving(world, github):
        await github.expect_call("GET", "/app/hook/deliveries")
    assert github.called("POST", "/access_tokens") == 1


async def test_a_github_that_is_away_at_the_start_is_no_reason_not_to_start(
    world: World, github: GitHubServer
) -> None:
    pull = await opened(github)
    github.fail("GET", "/app/installations", error(403))
    async with serving(world, github):
        comment = await github.comment(pull, "/pachops help")
        await github.expect_comment(pull, "deploy")
        assert comment.reactions == []


def _kind(call: Seen) -> str:
    """A call by what it is about."""
    if call.path == "/graphql":
        return f"{call.method} {call.path}"
    parts = call.path.split("/")
    if "access_tokens" in parts:
        return "POST token"
    return f"{call.method} {next(part for part in reversed(parts) if not part.isdigit())}"
