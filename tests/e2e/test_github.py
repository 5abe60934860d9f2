"""From a comment to a pipeline that runs, and back to the pull request: `serve` on real parts."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.domain.deployment import Outcome
from bot.domain.github import Permission
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
FOLLOWED = Counter(
    {
        # The gate, when the comment comes: pull request, rules and permission, and when the head moved.
        # To begin with, the comment and the check.
        "POST /graphql": 2,
        "GET activity": 1,
        "POST reactions": 1,
        "POST deployments": 1,
    }
)
"""Each call of a comment's deployment, from its acceptance to the last report, however it ends."""
LOOKED_AGAIN = Counter({"POST /graphql": 1})
"""The gate, before the update."""
ENDED = Counter({"POST /graphql": 1})
"""Status, comment and check, with a reaction or a comment that mentions who asked."""
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


async def opened(github: GitHubServer, changes: Mapping[str, str] | None = None) -> PullRequest:
    files = changes or {"run.sh": "echo more\n"}
    return await github.open_pull_request(EDGES, "feature", files=files)


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
    assert not world.pachd.has_pipeline("edges")


class Costs:
    """What is called while a comment is deployed."""

    def __init__(self, github: GitHubServer) -> None:
        self._github = github
        self._before = len(github.calls)

    def are_at_most(self, expected: Counter[str]) -> None:
        made = self._github.calls[self._before :]
        calls = Counter(_kind(each) for each in made)
        # Of each hour, however many deployments it has: git's own token for this one repository.
        assert calls.pop("POST token") == 1
        # What ends at once is told of once, with fewer.
        assert calls <= expected, made
        assert expected.total() <= MOST_CALLS


async def costs(github: GitHubServer) -> Costs:
    """From here on, once what is done at the start is done."""
    await github.expect_call("GET", "/app/hook/deliveries")
    return Costs(github)


async def ended(github: GitHubServer, pull: PullRequest, conclusion: str, last: str) -> None:
    await github.expect_check(pull.head_sha, conclusion=conclusion, patience=PATIENCE)
    await github.expect_comment(pull, last, patience=PATIENCE)


async def test_what_a_deployment_costs_of_githubs_limits(
    world: World, github: GitHubServer
) -> None:
    pull = await opened(github)
    async with serving(world, github):
        counted = await costs(github)
        comment = await github.comment(pull, "/pachops deploy staging")
        await github.expect_reaction(comment, "rocket")
        await ended(github, pull, "success", "**Deployed**")
    counted.are_at_most(FOLLOWED + LOOKED_AGAIN + ENDED)


async def test_what_a_failed_build_costs_with_its_annotation(
    world: World, github: GitHubServer
) -> None:
    pull = await opened(github, {"Dockerfile": world.dockerfile("RUN sleep 3", "RUN false")})
    async with serving(world, github):
        counted = await costs(github)
        await github.comment(pull, "/pachops deploy staging")
        await ended(github, pull, "failure", "@ada: ")
    counted.are_at_most(FOLLOWED + ENDED)
    (check,) = github.checks(pull.head_sha)
    assert [(each["path"], each["start_line"]) for each in check.annotations] == [("Dockerfile", 3)]


async def test_what_a_deployment_costs_that_the_second_look_refuses(
    world: World, github: GitHubServer
) -> None:
    pull = await opened(github)
    async with serving(world, github):
        counted = await costs(github)
        comment = await github.comment(pull, "/pachops deploy staging")
        await github.expect_reaction(comment, "eyes")
        github.allow("ada", EDGES, Permission.READ)
        await ended(github, pull, "action_required", "@ada: ")
    # Too little by GraphQL may be enough by a role of the organisation's own, which REST tells.
    asked = Counter({"GET permission": 1})
    counted.are_at_most(FOLLOWED + LOOKED_AGAIN + asked + ENDED)


async def test_what_a_deployment_costs_that_is_rolled_back(
    world: World, github: GitHubServer, good_images: set[str]
) -> None:
    good_images.add("none of ours")
    world.pachd.put_files("images", ["a.png"])
    rules = RULES.format(image=world.image()).replace("window: 0s", "window: 5s")
    github.repository(EDGES, files(world) | {".pachops.yml": rules})
    pull = await opened(github)
    async with serving(world, github):
        counted = await costs(github)
        await github.comment(pull, "/pachops deploy staging")
        await ended(github, pull, "failure", "@ada: ")
    assert any("rolled back" in each.body.lower() for each in github.own_comments(pull))
    counted.are_at_most(FOLLOWED + LOOKED_AGAIN + ENDED)


async def test_what_a_cancelled_deployment_costs_with_its_button(
    world: World, github: GitHubServer
) -> None:
    pull = await opened(github, {"Dockerfile": world.dockerfile("RUN sleep 300")})
    async with serving(world, github):
        counted = await costs(github)
        await github.comment(pull, "/pachops deploy staging")
        check = await github.expect_check(pull.head_sha, status="in_progress")
        await github.expect_comment(pull, "**Deploying**")
        await github.press(EDGES, check, "cancel")
        await ended(github, pull, "cancelled", "ancelled")
    # Whoever presses it is looked at like whoever comments.
    counted.are_at_most(FOLLOWED + ENDED + Counter({"POST /graphql": 1}))


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
