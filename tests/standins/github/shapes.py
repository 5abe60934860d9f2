"""What GitHub says of a thing, in the API and in webhooks."""

import base64
from typing import Any

from bot.domain.github import Permission
from tests.standins.github.clock import written
from tests.standins.github.state import (
    CheckRun,
    Comment,
    Deployment,
    DeploymentStatus,
    Issue,
    PullRequest,
    Push,
    Reaction,
    Release,
    Repo,
    Review,
    Status,
    User,
)
from tests.standins.github.world import World

Json = dict[str, Any]


def node_id(kind: str, number: int) -> str:
    """A thing's id in GraphQL."""
    return f"{kind}_{base64.b64encode(str(number).encode()).decode().rstrip('=')}"


def user(world: World, who: User) -> Json:
    """A user, as everywhere."""
    return {
        "login": who.login,
        "id": who.id,
        "node_id": node_id("U", who.id),
        "type": who.kind,
        "site_admin": False,
        "url": f"{world.api}/users/{who.login}",
        "html_url": f"{world.root}/{who.login}",
    }


def app(world: World, slug: str) -> Json:
    """The App, or another one."""
    is_ours = slug == world.app.slug
    return {
        "id": world.app.id if is_ours else 15368,
        "slug": slug,
        "node_id": node_id("A", world.app.id if is_ours else 15368),
        "name": slug,
        "html_url": f"{world.root}/apps/{slug}",
        "permissions": dict(world.app.permissions),
        "events": list(world.app.events),
    }


def repository(world: World, repo: Repo) -> Json:
    """A repository."""
    return {
        "id": repo.id,
        "node_id": node_id("R", repo.id),
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "owner": user(world, repo.owner),
        "fork": repo.fork_of is not None,
        "default_branch": repo.default_branch,
        "url": f"{world.api}/repos/{repo.full_name}",
        "html_url": f"{world.root}/{repo.full_name}",
        "clone_url": f"{world.root}/{repo.full_name}.git",
        "ssh_url": f"git@127.0.0.1:{repo.full_name}.git",
        "visibility": "private" if repo.private else "public",
    }


def comment(world: World, repo: Repo, found: Comment) -> Json:
    """A comment."""
    path = f"{world.api}/repos/{repo.full_name}/issues"
    return {
        "id": found.id,
        "node_id": node_id("IC", found.id),
        "url": f"{path}/comments/{found.id}",
        "html_url": f"{world.root}/{repo.full_name}/pull/{found.number}#issuecomment-{found.id}",
        "issue_url": f"{path}/{found.number}",
        "user": user(world, found.author),
        "body": found.body,
        "created_at": written(found.created_at),
        "updated_at": written(found.updated_at),
        "author_association": association(repo, found.author),
        "performed_via_github_app": (
            app(world, world.app.slug) if found.author is world.bot else None
        ),
        "reactions": {"total_count": len(found.reactions)},
    }


def association(repo: Repo, who: User) -> str:
    """What GitHub says of an author, which is no permission."""
    if repo.owner is who:
        return "OWNER"
    if who.login in repo.roles:
        return "COLLABORATOR"
    return "NONE"


def reaction(world: World, found: Reaction) -> Json:
    """A reaction."""
    return {
        "id": found.id,
        "node_id": node_id("REA", found.id),
        "user": user(world, found.user),
        "content": found.content,
    }


def issue(world: World, found: Issue) -> Json:
    """An issue; a pull request is told from it by a key of its own."""
    where = f"{found.repo.full_name}/issues/{found.number}"
    pulls = f"{world.api}/repos/{found.repo.full_name}/pulls/{found.number}"
    shape = {
        "id": found.id,
        "node_id": node_id("I", found.id),
        "number": found.number,
        "title": found.title,
        "body": found.body,
        "state": found.state,
        "user": user(world, found.author),
        "labels": [],
        "locked": False,
        "created_at": written(found.created_at),
        "url": f"{world.api}/repos/{where}",
        "html_url": f"{world.root}/{where}",
        "comments_url": f"{world.api}/repos/{where}/comments",
        "author_association": association(found.repo, found.author),
    }
    return shape | ({"pull_request": {"url": pulls}} if isinstance(found, PullRequest) else {})


def pull_request(world: World, found: PullRequest) -> Json:
    """A pull request."""
    path = f"{world.api}/repos/{found.repo.full_name}/pulls/{found.number}"
    return issue(world, found) | {
        "url": path,
        "html_url": f"{world.root}/{found.repo.full_name}/pull/{found.number}",
        "node_id": node_id("PR", found.id),
        "draft": found.draft,
        "merged": found.merged,
        "merged_at": None,
        "mergeable": None,
        "head": _end(world, found.head_repo, found.head_ref, found.head_sha),
        "base": _end(world, found.repo, found.base_ref, found.base_sha),
        "statuses_url": f"{world.api}/repos/{found.repo.full_name}/statuses/{found.head_sha}",
        "commits_url": f"{path}/commits",
    }


def _end(world: World, repo: Repo | None, ref: str, sha: str) -> Json:
    owner = user(world, repo.owner) if repo else None
    label = f"{repo.owner.login}:{ref}" if repo else f"unknown repository:{ref}"
    return {
        "label": label,
        "ref": ref,
        "sha": sha,
        "user": owner,
        "repo": repository(world, repo) if repo else None,
    }


def review(world: World, found: Review) -> Json:
    """A review."""
    return {
        "id": found.id,
        "node_id": node_id("PRR", found.id),
        "user": user(world, found.author),
        "state": found.state,
        "commit_id": found.sha,
        "body": "",
        "submitted_at": written(found.submitted_at),
    }


def commit(world: World, repo: Repo, sha: str, message: str) -> Json:
    """A commit, as far as anybody reads it."""
    return {
        "sha": sha,
        "node_id": f"C_{sha}",
        "url": f"{world.api}/repos/{repo.full_name}/commits/{sha}",
        "html_url": f"{world.root}/{repo.full_name}/commit/{sha}",
        "commit": {"message": message},
    }


def suite_of(repo: Repo, found: CheckRun) -> int:
    """The suite of a check: all of its App on its commit are one."""
    mates = [each for each in repo.checks.values() if each.sha == found.sha]
    return min(each.id for each in mates if each.app_slug == found.app_slug)


def check_run(world: World, repo: Repo, found: CheckRun) -> Json:
    """A check run."""
    heads = [pull for pull in repo.pull_requests if pull.head_sha == found.sha]
    path = f"{world.api}/repos/{repo.full_name}"
    return {
        "id": found.id,
        "node_id": node_id("CR", found.id),
        "name": found.name,
        "head_sha": found.sha,
        "external_id": found.external_id,
        "status": found.status,
        "conclusion": found.conclusion,
        "started_at": written(found.started_at),
        "completed_at": written(found.completed_at) if found.completed_at else None,
        "url": f"{path}/check-runs/{found.id}",
        "html_url": f"{world.root}/{repo.full_name}/runs/{found.id}",
        "details_url": found.details_url,
        "output": {
            "title": found.title,
            "summary": found.summary,
            "text": found.text,
            "annotations_count": len(found.annotations),
            "annotations_url": f"{path}/check-runs/{found.id}/annotations",
        },
        "app": app(world, found.app_slug),
        "check_suite": {"id": suite_of(repo, found), "head_sha": found.sha},
        # GitHub leaves out pull requests from forks.
        "pull_requests": [
            {"number": pull.number, "head": {"sha": pull.head_sha, "ref": pull.head_ref}}
            for pull in heads
            if pull.head_repo is repo
        ],
    }


def status(world: World, found: Status) -> Json:
    """A commit status."""
    return {
        "id": found.id,
        "node_id": node_id("SC", found.id),
        "state": found.state,
        "context": found.context,
        "description": found.description,
        "target_url": found.target_url,
        "creator": user(world, found.creator),
        "created_at": written(found.created_at),
        "updated_at": written(found.created_at),
    }


def deployment(world: World, repo: Repo, found: Deployment) -> Json:
    """A deployment."""
    path = f"{world.api}/repos/{repo.full_name}/deployments/{found.id}"
    return {
        "id": found.id,
        "node_id": node_id("DE", found.id),
        "sha": found.sha,
        "ref": found.ref,
        "task": found.task,
        "payload": found.payload,
        "environment": found.environment,
        "original_environment": found.environment,
        "description": found.description or None,
        "creator": user(world, found.creator),
        "created_at": written(found.created_at),
        "updated_at": written(found.created_at),
        "transient_environment": found.transient,
        "production_environment": found.production,
        "url": path,
        "statuses_url": f"{path}/statuses",
        "repository_url": f"{world.api}/repos/{repo.full_name}",
    }


def deployment_status(world: World, found: DeploymentStatus) -> Json:
    """A deployment's status."""
    return {
        "id": found.id,
        "node_id": node_id("DES", found.id),
        "state": found.state,
        "description": found.description,
        "log_url": found.log_url,
        "target_url": found.log_url,
        "environment_url": found.environment_url,
        "creator": user(world, found.creator),
        "created_at": written(found.created_at),
    }


def push(world: World, found: Push) -> Json:
    """A branch's move, in the list of a repository's activity."""
    return {
        "id": found.id,
        "node_id": node_id("PSH", found.id),
        "ref": found.ref,
        "before": found.before,
        "after": found.after,
        "timestamp": written(found.timestamp),
        "activity_type": found.kind,
        "actor": user(world, found.actor),
    }


def release(world: World, repo: Repo, found: Release) -> Json:
    """A release."""
    return {
        "id": found.id,
        "node_id": node_id("RE", found.id),
        "tag_name": found.tag,
        "target_commitish": found.target,
        "name": found.name,
        "body": found.body,
        "draft": found.draft,
        "prerelease": found.prerelease,
        "author": user(world, found.author),
        "created_at": written(found.created_at),
        "published_at": None if found.draft else written(found.created_at),
        "updated_at": written(found.updated_at or found.created_at),
        "url": f"{world.api}/repos/{repo.full_name}/releases/{found.id}",
        "html_url": f"{world.root}/{repo.full_name}/releases/tag/{found.tag}",
    }


def permission(world: World, repo: Repo, who: User) -> Json:
    """A collaborator's permission: the old kind has four steps, the role has all."""
    held = repo.role(who.login)
    steps = {Permission.TRIAGE: "read", Permission.MAINTAIN: "write"}
    return {
        "permission": steps.get(held, held.label),
        "role_name": repo.custom_roles.get(who.login, held.label),
        "user": user(world, who),
    }
