"""What webhooks carry."""

from typing import Any

from tests.standins.github import objects, shapes
from tests.standins.github.app import Installation
from tests.standins.github.clock import written
from tests.standins.github.state import (
    CheckRun,
    Comment,
    Issue,
    PullRequest,
    Push,
    Release,
    Repo,
    Status,
    User,
)
from tests.standins.github.world import World

Json = dict[str, Any]


def common(world: World, repo: Repo, sender: User) -> Json:
    """What every one has."""
    installation = world.installation_of(repo)
    shape: Json = {
        "repository": shapes.repository(world, repo),
        "sender": shapes.user(world, sender),
    }
    if repo.owner.kind == "Organization":
        shape["organization"] = {"login": repo.owner.login, "id": repo.owner.id}
    return shape | ({"installation": {"id": installation.id}} if installation else {})


def target_renamed(
    world: World, installation: Installation, owner: User, before: str, sender: User
) -> Json:
    """The account has another name that the App is installed on; of no repository."""
    return {
        "action": "renamed",
        "account": shapes.user(world, owner),
        "changes": {"login": {"from": before}},
        "installation": {"id": installation.id},
        "sender": shapes.user(world, sender),
        "target_type": owner.kind,
    }


def push(world: World, repo: Repo, found: Push, *, forced: bool) -> Json:
    """A branch has moved."""
    is_new = not found.before.strip("0")
    shas = [found.after] if is_new else objects.between(repo.git, found.before, found.after)
    commits = [_commit(repo, sha, found) for sha in shas]
    return common(world, repo, found.actor) | {
        "ref": found.ref,
        "before": found.before,
        "after": found.after,
        "created": is_new,
        "deleted": False,
        "forced": forced,
        "base_ref": None,
        "compare": "",
        "commits": commits,
        "head_commit": commits[-1] if commits else None,
        "pusher": {"name": found.actor.login, "email": f"{found.actor.login}@example.com"},
    }


def _commit(repo: Repo, sha: str, found: Push) -> Json:
    person = {"name": found.actor.login, "email": f"{found.actor.login}@example.com"}
    return {
        "id": sha,
        "tree_id": sha,
        "distinct": True,
        "message": objects.message(repo.git, sha),
        "timestamp": written(found.timestamp),
        "url": "",
        "author": person,
        "committer": person,
        "added": [],
        "removed": [],
        "modified": [],
    }


def pull_request(
    world: World, found: PullRequest, action: str, sender: User, **more: object
) -> Json:
    """A pull request was opened, moved, closed ..."""
    return common(world, found.repo, sender) | {
        "action": action,
        "number": found.number,
        "pull_request": shapes.pull_request(world, found),
        **more,
    }


def comment(
    world: World, issue: Issue, found: Comment, action: str, sender: User, **more: object
) -> Json:
    """Somebody has commented, or edited a comment."""
    return common(world, issue.repo, sender) | {
        "action": action,
        "issue": shapes.issue(world, issue),
        "comment": shapes.comment(world, issue.repo, found),
        **more,
    }


def release(world: World, repo: Repo, found: Release, action: str) -> Json:
    """A release."""
    return common(world, repo, found.author) | {
        "action": action,
        "release": shapes.release(world, repo, found),
    }


def check_suite(world: World, repo: Repo, found: CheckRun, action: str, sender: User) -> Json:
    """Something happened to the suite that a check is in."""
    suite = {
        "id": shapes.suite_of(repo, found),
        "head_sha": found.sha,
        "status": found.status,
        "conclusion": found.conclusion,
        # It is told of because it has changed.
        "updated_at": written(world.clock.tick()),
        "app": shapes.app(world, found.app_slug),
    }
    return common(world, repo, sender) | {"action": action, "check_suite": suite}


def status(world: World, repo: Repo, found: Status) -> Json:
    """A commit status."""
    return common(world, repo, found.creator) | shapes.status(world, found) | {"sha": found.sha}


def check_run(
    world: World, repo: Repo, found: CheckRun, action: str, sender: User, **more: object
) -> Json:
    """A check was made, or one of its buttons was pressed."""
    return common(world, repo, sender) | {
        "action": action,
        "check_run": shapes.check_run(world, repo, found),
        **more,
    }
