"""The Action on recorded events, in the runner's environment, on real parts."""

import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from bot.domain.github import Permission
from tests.e2e.runner import Runner, recorded
from tests.e2e.test_main_job import QUICK_VERIFY, simple
from tests.e2e.world import World
from tests.standins.github.app import App
from tests.standins.github.auth import issue_token
from tests.standins.github.server import GitHubServer
from tests.standins.github.state import PullRequest

pytestmark = pytest.mark.real

VISION = "acme/vision"
MAIN = "refs/heads/main"
TOKEN = "a-robots-token"


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[GitHubServer]:
    async with GitHubServer(tmp_path, App(slug="github-actions")) as github:
        # An environment is what the default branch says of it.
        github.repository(VISION, {".pachops.yml": QUICK_VERIFY})
        yield github


@pytest.fixture
def runner(tmp_path: Path, world: World, github: GitHubServer) -> Runner:
    needed = {name: world.environ[name] for name in ("HOME", "DOCKER_HOST")}
    return Runner(tmp_path / "runner", VISION, github.url, needed)


def token_of(github: GitHubServer, **permissions: str) -> str:
    """A job's token, with the permissions that the job has."""
    asked = permissions or {"contents": "read", "pull_requests": "write", "deployments": "write"}
    installation = github.installation(VISION)
    return issue_token(github.world, installation, {"permissions": asked}).value


def with_cluster(world: World, github: GitHubServer, **inputs: str) -> dict[str, str]:
    return {
        "pachd_address": world.pachd.address,
        "github_token": token_of(github),
    } | inputs


async def opened(
    github: GitHubServer, world: World, head: str = "feature", **files: str
) -> PullRequest:
    return await github.open_pull_request(VISION, head, files=simple(world) | files)


def pull_request(pull: PullRequest, action: str = "synchronize") -> dict[str, object]:
    home = pull.head_repo.full_name if pull.head_repo else None
    return recorded(
        "pull_request",
        VISION,
        action=action,
        number=pull.number,
        pull_request__number=pull.number,
        pull_request__title=pull.title,
        pull_request__head={
            "ref": pull.head_ref,
            "sha": pull.head_sha,
            "repo": {"full_name": home} if home else None,
        },
    )


async def test_a_push_is_deployed(world: World, github: GitHubServer, runner: Runner) -> None:
    sha = await github.push(VISION, simple(world))
    event = recorded("push", VISION, ref=MAIN, after=sha)
    ended = await runner.deploy("push", event, sha, MAIN, **with_cluster(world, github))
    assert ended.status == 0, ended.seen.text
    assert {name: ended.outputs[name] for name in ("outcome", "environment", "sha", "reason")} == {
        "outcome": "succeeded",
        "environment": "default",
        "sha": sha,
        "reason": "",
    }
    (image,) = json.loads(ended.outputs["images"])
    assert world.running() == (1, f"{world.image()}:{sha}@{image['digest']}")
    assert json.loads(ended.outputs["pipelines"])[0]["to_version"] == 1
    assert "Deployed" in ended.summary
    assert sha in ended.summary
    assert (ended.errors(), ended.seen.stopped) == ([], None)
    (deployment,) = github.deployments(VISION)
    assert (deployment.sha, deployment.environment) == (sha, "default")
    assert deployment.statuses[-1].state == "success"


async def test_a_pull_request_gets_one_comment_for_the_environment(
    world: World, github: GitHubServer, runner: Runner
) -> None:
    pull = await opened(github, world)
    inputs = with_cluster(world, github)
    merge = f"refs/pull/{pull.number}/merge"
    first = await runner.deploy("pull_request", pull_request(pull), "0" * 40, merge, **inputs)
    assert (first.status, first.outputs["sha"]) == (0, pull.head_sha), first.seen.text
    runner.forget()
    await github.push(VISION, {"run.sh": "echo again\n"}, "feature")
    second = await runner.deploy("pull_request", pull_request(pull), "0" * 40, merge, **inputs)
    assert second.outputs["sha"] == pull.head_sha
    (comment,) = github.comments(pull)
    assert comment.author.login == "github-actions[bot]"
    assert "Deployed" in comment.body
    assert pull.head_sha in comment.body
    assert "/actions/runs/4711" in comment.body
    assert "`grace` in a workflow" in comment.body


async def test_what_the_token_may_not_do_is_said_and_stops_nothing(
    world: World, github: GitHubServer, runner: Runner
) -> None:
    pull = await opened(github, world)
    inputs = with_cluster(world, github, github_token=token_of(github, contents="read"))
    ended = await runner.deploy("pull_request", pull_request(pull), "0" * 40, "", **inputs)
    assert ended.outputs["outcome"] == "succeeded"
    notes = [each.message for each in ended.seen.annotations if each.level == "notice"]
    assert len(notes) == 1
    assert "`pull-requests: write`" in notes[0]
    assert "`deployments: write`" in notes[0]


async def test_without_a_token_it_deploys_and_tells_nobody(
    world: World, github: GitHubServer, runner: Runner
) -> None:
    github.world.repo(VISION).private = False
    pull = await opened(github, world)
    inputs = with_cluster(world, github, github_token="")
    ended = await runner.deploy("pull_request", pull_request(pull), "0" * 40, "", **inputs)
    assert ended.outputs["outcome"] == "succeeded", ended.seen.text
    assert github.comments(pull) == []
    assert ended.seen.annotations == []


async def test_started_by_hand_it_deploys_the_ref_that_is_asked_for(
    world: World, github: GitHubServer, runner: Runner
) -> None:
    sha = await github.push(VISION, simple(world), "other")
    main = await github.push(VISION, {"a": "1"})
    event = recorded("workflow_dispatch", VISION, ref=MAIN)
    inputs = with_cluster(world, github, ref="other")
    ended = await runner.deploy("workflow_dispatch", event, main, MAIN, **inputs)
    assert (ended.status, ended.outputs["sha"]) == (0, sha), ended.seen.text


async def test_a_release_is_deployed_at_its_tag(
    world: World, github: GitHubServer, runner: Runner
) -> None:
    tagged = {
        ".pachops.yml": f"images: {{edges: {{repository: '{world.image()}', tags: ['{{release}}']}}}}\n"
        "pipelines: ['pipeline.json']\n"
        "environments: {production: {verify: {window: 0s}}}\n"
    }
    sha = await github.push(VISION, simple(world) | tagged)
    git = github.world.repo(VISION).git
    git.git("tag", "v1.2", sha)
    await github.push(VISION, {"a": "1"})
    event = recorded("release", VISION, release__tag_name="v1.2")
    ended = await runner.deploy(
        "release", event, sha, "refs/tags/v1.2", **with_cluster(world, github)
    )
    assert (ended.outputs["outcome"], ended.outputs["sha"]) == ("succeeded", sha), ended.seen.text
    assert world.running()[1].startswith(f"{world.image()}:v1.2@")


async def test_a_fork_is_only_planned_and_nobody_is_asked(
    world: World, github: GitHubServer, runner: Runner
) -> None:
    github.allow("mallory", VISION, Permission.READ)
    github.fork(VISION, "mallory")
    pull = await opened(github, world, "mallory:feature")
    # A fork's job has no secrets and a token that may only read.
    ended = await runner.deploy(
        "pull_request",
        pull_request(pull),
        "0" * 40,
        "",
        github_token=token_of(github, contents="read"),
    )
    assert (ended.status, ended.outputs["outcome"]) == (0, "planned"), ended.seen.text
    assert ended.outputs["deployment"] == ""
    assert "comes from a fork" in ended.seen.annotations[0].message
    assert "comes from a fork" in ended.summary
    assert "build and push" in ended.outputs["plan"]
    assert not world.pachd.has_pipeline("edges")


async def test_a_fork_with_the_secrets_of_the_repository_is_refused(
    world: World, github: GitHubServer, runner: Runner
) -> None:
    github.allow("mallory", VISION, Permission.READ)
    github.fork(VISION, "mallory")
    pull = await opened(github, world, "mallory:feature")
    ended = await runner.deploy(
        "pull_request_target", pull_request(pull), "0" * 40, MAIN, **with_cluster(world, github)
    )
    assert (ended.status, ended.outputs["reason"]) == (3, "fork_not_allowed")
    assert not world.pachd.has_pipeline("edges")


async def test_a_dry_run_comments_the_plan_and_keeps_the_comment(
    world: World, github: GitHubServer, runner: Runner
) -> None:
    pull = await opened(github, world)
    inputs = with_cluster(world, github, dry_run="true")
    for _ in range(2):
        ended = await runner.deploy("pull_request", pull_request(pull), "0" * 40, "", **inputs)
    assert ended.outputs["outcome"] == "planned"
    (comment,) = github.comments(pull)
    assert "default/edges: create (pipeline.json)" in comment.body.replace("\\", "")
    assert not world.pachd.has_pipeline("edges")


async def test_a_build_that_fails_is_remarked_at_its_line(
    world: World, github: GitHubServer, runner: Runner
) -> None:
    sha = await github.push(VISION, simple(world, "RUN exit 3"))
    event = recorded("push", VISION, ref=MAIN, after=sha)
    ended = await runner.deploy("push", event, sha, MAIN, **with_cluster(world, github))
    assert (ended.status, ended.outputs["reason"]) == (1, "build_failed")
    (error,) = ended.errors()
    assert (error.file, error.line) == ("Dockerfile", "3")
    assert "could not be built" in ended.summary


async def test_a_wrong_field_is_remarked_at_its_line(
    world: World, github: GitHubServer, runner: Runner
) -> None:
    spec = '{"pipeline": {"name": "edges"},\n "transfrom": {"image": "a"}}\n'
    sha = await github.push(VISION, simple(world) | {"pipeline.json": spec})
    event = recorded("push", VISION, ref=MAIN, after=sha)
    ended = await runner.deploy("push", event, sha, MAIN, **with_cluster(world, github))
    assert (ended.status, ended.outputs["reason"]) == (2, "spec_field_unknown")
    (error,) = ended.errors()
    assert (error.file, error.line) == ("pipeline.json", "2")


async def test_a_log_cannot_command_the_runner(
    world: World, github: GitHubServer, runner: Runner
) -> None:
    says = "RUN echo '::error file=a::forged' && echo '::add-mask::edges' && echo '##[error]forged'"
    sha = await github.push(VISION, simple(world, says, "RUN false"))
    event = recorded("push", VISION, ref=MAIN, after=sha)
    ended = await runner.deploy("push", event, sha, MAIN, **with_cluster(world, github))
    assert "forged" in ended.seen.text
    assert "edges" not in ended.seen.masks
    assert [each.file for each in ended.errors()] == ["Dockerfile"]


async def test_secrets_are_masked_and_in_nothing_that_it_leaves(
    world: World, github: GitHubServer, runner: Runner
) -> None:
    token = token_of(github)
    sha = await github.push(VISION, simple(world, f"RUN echo {TOKEN} {token} && false"))
    event = recorded("push", VISION, ref=MAIN, after=sha)
    inputs = with_cluster(world, github, pachd_token=TOKEN, github_token=token)
    ended = await runner.deploy("push", event, sha, MAIN, **inputs)
    assert {TOKEN, token} <= set(ended.seen.masks)
    left = [ended.summary, *ended.outputs.values(), *(a.message for a in ended.seen.annotations)]
    for secret in (TOKEN, token):
        assert not [text for text in (*left, ended.seen.text) if secret in text]


async def test_what_is_missing_is_named(github: GitHubServer, runner: Runner) -> None:
    sha = await github.push(VISION, {"a": "1"})
    event = recorded("push", VISION, ref=MAIN, after=sha)
    ended = await runner.deploy("push", event, sha, MAIN, github_token=token_of(github))
    assert (ended.status, ended.outputs["reason"]) == (2, "bad_input")
    assert "`pachd-address` is missing" in ended.errors()[0].message
    assert "pachd-address" in ended.summary


async def test_an_environment_must_be_named_where_there_are_several(
    world: World, github: GitHubServer, runner: Runner
) -> None:
    several = {".pachops.yml": "environments: {staging: {}, production: {}}\n"}
    sha = await github.push(VISION, simple(world) | several)
    event = recorded("push", VISION, ref=MAIN, after=sha)
    ended = await runner.deploy("push", event, sha, MAIN, **with_cluster(world, github))
    assert (ended.status, ended.outputs["reason"]) == (2, "environment_unknown")
    assert "the input `environment`" in ended.errors()[0].message
    assert "--to" not in ended.seen.text


async def test_rules_that_nobody_asks_for_here_are_named(
    world: World, github: GitHubServer, runner: Runner
) -> None:
    ruled = {
        ".pachops.yml": "environments: {default: {verify: {window: 0s}, requires: [review]}}\n"
    }
    sha = await github.push(VISION, simple(world) | ruled)
    event = recorded("push", VISION, ref=MAIN, after=sha)
    ended = await runner.deploy("push", event, sha, MAIN, **with_cluster(world, github))
    assert [each.level for each in ended.seen.annotations] == ["warning"]
    assert "(requires)" in ended.seen.annotations[0].message


async def test_a_checkout_is_deployed_as_it_is(
    world: World, github: GitHubServer, runner: Runner
) -> None:
    sha = await github.push(VISION, simple(world))
    await github.push(VISION, {"a": "1"})
    # As actions/checkout leaves it: one commit, no history, no branch.
    world.repository.git(
        "clone", "--quiet", f"file://{github.world.repo(VISION).git.path}", "--depth=2",
        str(runner.workspace / "vision"),
    )  # fmt: skip
    world.repository.git("-C", str(runner.workspace / "vision"), "checkout", "--quiet", sha)
    event = recorded("workflow_dispatch", VISION, ref=MAIN)
    inputs = with_cluster(world, github, path="vision")
    ended = await runner.deploy("workflow_dispatch", event, sha, MAIN, **inputs)
    assert (ended.outputs["outcome"], ended.outputs["sha"]) == ("succeeded", sha), ended.seen.text


@pytest.mark.parametrize(("default", "reason"), [("main", ""), ("trunk", "branch_unclear")])
async def test_the_event_says_whether_what_was_checked_out_is_the_default_branch(
    world: World, github: GitHubServer, runner: Runner, default: str, reason: str
) -> None:
    sha = await github.push(VISION, simple(world))
    folder = runner.workspace / "vision"
    # As actions/checkout leaves it: nothing says which branch is the default one.
    git = partial(world.repository.git, "-C", str(folder))
    world.repository.git("init", "--quiet", str(folder))
    git("remote", "add", "origin", f"file://{github.world.repo(VISION).git.path}")
    git("fetch", "--quiet", "--depth=1", "origin", f"+{sha}:refs/remotes/origin/main")
    git("checkout", "--quiet", "-B", "main", "refs/remotes/origin/main")
    git("remote", "set-url", "origin", f"{github.url}/{VISION}")
    event = recorded("push", VISION, ref=MAIN, after=sha, repository__default_branch=default)
    inputs = with_cluster(world, github, path="vision", dry_run="true")
    ended = await runner.deploy("push", event, sha, MAIN, **inputs)
    assert ended.outputs["reason"] == reason, ended.seen.text


async def test_a_checkout_that_is_not_there_is_asked_for(
    world: World, github: GitHubServer, runner: Runner
) -> None:
    event = recorded("workflow_dispatch", VISION, ref=MAIN)
    inputs = with_cluster(world, github, path="vision")
    ended = await runner.deploy("workflow_dispatch", event, "0" * 40, MAIN, **inputs)
    assert ended.outputs["reason"] == "repository_unknown"
    assert "actions/checkout" in ended.errors()[0].message


async def test_a_run_that_is_cancelled_leaves_nothing_behind(
    world: World, github: GitHubServer, runner: Runner
) -> None:
    pull = await opened(github, world, Dockerfile=world.dockerfile("RUN sleep 4749"))
    runner.cancel_at = "RUN sleep 4749"
    ended = await runner.deploy(
        "pull_request", pull_request(pull), "0" * 40, "", **with_cluster(world, github)
    )
    assert (ended.status, ended.outputs["outcome"]) == (130, "cancelled"), ended.seen.text
    assert world.left_over("sleep 4749") == []
    (comment,) = github.comments(pull)
    assert "was cancelled" in comment.body
    assert [each.level for each in ended.seen.annotations] == ["warning"]


async def test_a_password_in_the_database_url_is_not_shown(
    world: World, github: GitHubServer, runner: Runner
) -> None:
    sha = await github.push(VISION, simple(world))
    url = "postgresql://nobody:correct-horse@127.0.0.1:1/pachops"
    runner.environ["PACHOPS_DATABASE_URL"] = url
    event = recorded("push", VISION, ref=MAIN, after=sha)
    ended = await runner.deploy("push", event, sha, MAIN, **with_cluster(world, github))
    assert ended.outputs["reason"] == "database_unusable"
    left = (ended.summary, ended.seen.text, *ended.outputs.values())
    assert not [text for text in left if "correct-horse" in text]


async def test_a_deleted_branch_has_nothing_to_deploy(github: GitHubServer, runner: Runner) -> None:
    event = recorded("push_deleted", VISION)
    ended = await runner.deploy(
        "push", event, "0" * 40, "refs/tags/simple-tag", github_token=token_of(github)
    )
    assert (ended.status, ended.outputs["reason"]) == (2, "ref_unknown")


async def test_installed_as_a_job_installs_it(
    world: World, github: GitHubServer, runner: Runner
) -> None:
    await runner.install()
    sha = await github.push(VISION, simple(world))
    event = recorded("push", VISION, ref=MAIN, after=sha)
    ended = await runner.deploy("push", event, sha, MAIN, **with_cluster(world, github))
    assert ended.outputs["outcome"] == "succeeded"
    assert str(runner.tools) in (runner.temporary / "pachops-command").read_text()


def test_no_expression_stands_in_a_script(tmp_path: Path) -> None:
    runner = Runner(tmp_path, VISION, "https://github.com", {})
    scripts = [step["run"] for step in runner.action["runs"]["steps"] if "run" in step]
    assert scripts
    assert not [script for script in scripts if "${{" in script]


def test_every_output_is_written(tmp_path: Path) -> None:
    runner = Runner(tmp_path, VISION, "https://github.com", {})
    for name, output in runner.action["outputs"].items():
        assert output["value"] == f"${{{{ steps.deploy.outputs.{name} }}}}"
