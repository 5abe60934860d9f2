"""Branches, commits, comparisons and files."""

import base64
from typing import Any
from urllib.parse import unquote

from tests.standins.github import objects, shapes
from tests.standins.github.calls import Answer, Call, Routes
from tests.standins.github.errors import ApiError, not_found
from tests.standins.github.state import Repo

ROUTES = Routes()
LARGEST_FILE = 1024 * 1024
"""Bytes that come with the answer; larger files only have their size there."""


@ROUTES.add("GET", "/repos/{owner}/{repo}/branches/{branch:.+}", "contents:read")
def show_branch(call: Call) -> Answer:
    name = call.match["branch"]
    sha = objects.branch(call.repo.git, name)
    if sha is None:
        raise ApiError(404, "Branch not found")
    repo = call.repo
    is_protected = bool(repo.required_checks) or repo.requires_review
    required = {
        "enforcement_level": "non_admins" if repo.required_checks else "off",
        "contexts": repo.required_checks,
        "checks": [{"context": each, "app_id": None} for each in repo.required_checks],
    }
    return Answer(
        {
            "name": name,
            "commit": _commit(call, sha),
            "protected": is_protected or bool(_rules(repo)),
            "protection": {"enabled": is_protected, "required_status_checks": required},
        }
    )


@ROUTES.add("GET", "/repos/{owner}/{repo}/rules/branches/{branch:.+}", "metadata:read")
def list_rules(call: Call) -> Answer:
    if not call.world.has_rulesets:
        raise not_found()
    return call.page(_rules(call.repo), lambda each: each)


@ROUTES.add("GET", "/repos/{owner}/{repo}/git/matching-refs/{ref:.+}", "contents:read")
def matching_refs(call: Call) -> Answer:
    found = objects.refs(call.repo.git, f"refs/{call.match['ref']}")
    return call.page(
        found, lambda each: {"ref": each[0], "object": {"type": "commit", "sha": each[1]}}
    )


@ROUTES.add("GET", "/repos/{owner}/{repo}/releases/{release}", "contents:read")
def show_release(call: Call) -> Answer:
    for each in call.repo.releases:
        # A draft is seen by those who may write only.
        if str(each.id) == call.match["release"] and not each.draft:
            return Answer(shapes.release(call.world, call.repo, each))
    raise not_found()


@ROUTES.add("GET", "/repos/{owner}/{repo}/commits/{ref:.+}", "contents:read")
def show_commit(call: Call) -> Answer:
    return Answer(_commit(call, _resolve(call, call.match["ref"])))


@ROUTES.add("GET", "/repos/{owner}/{repo}/compare/{range:.+}", "contents:read")
def compare(call: Call) -> Answer:
    base, dots, head = call.match["range"].partition("...")
    if not dots:
        raise not_found()
    git = call.repo.git
    found = objects.compare(git, _resolve(call, base), _resolve(call, head))
    if found is None:
        raise ApiError(404, f"No common ancestor between {base} and {head}.")
    ahead = objects.between(git, found.base, found.head)
    return Answer(
        {
            "url": f"{call.world.api}{call.path}",
            "status": found.status,
            "ahead_by": found.ahead,
            "behind_by": found.behind,
            "total_commits": found.ahead,
            "base_commit": _commit(call, found.base),
            "merge_base_commit": _commit(call, found.merge_base),
            "commits": call.page(ahead, lambda sha: _commit(call, sha)).data,
            "files": [],
        }
    )


@ROUTES.add("GET", "/repos/{owner}/{repo}/contents/{path:.*}", "contents:read")
def show_content(call: Call) -> Answer:
    path = unquote(call.match["path"]).strip("/")
    repo = call.repo
    ref = call.query.get("ref", repo.default_branch)
    sha = objects.resolve(repo.git, ref)
    if not objects.refs(repo.git, "refs/heads/"):
        raise ApiError(404, "This repository is empty.")
    if sha is None:
        raise ApiError(404, f"No commit found for the ref {ref}")
    kind = objects.kind(repo.git, sha, path)
    if kind is None:
        raise not_found()
    if kind == "tree":
        names = objects.names(repo.git, sha, path)
        return Answer([_entry(call, repo, sha, name) for name in names])
    content = objects.content(repo.git, sha, path)
    is_large = len(content) > LARGEST_FILE
    return Answer(
        _entry(call, repo, sha, path)
        | {
            "encoding": "none" if is_large else "base64",
            "content": "" if is_large else base64.encodebytes(content).decode(),
            "size": len(content),
        }
    )


def _rules(repo: Repo) -> list[dict[str, Any]]:
    """Those of rulesets; it is the same for every branch here."""
    found: list[dict[str, Any]] = [{"type": "deletion"} for _ in range(repo.other_rules)]
    if repo.ruled_checks:
        checks = [{"context": each, "integration_id": None} for each in repo.ruled_checks]
        parameters = {"strict_required_status_checks_policy": False}
        asked = parameters | {"required_status_checks": checks}
        found.append({"type": "required_status_checks", "parameters": asked})
    if repo.ruled_review:
        least: dict[str, Any] = {
            "required_approving_review_count": 0,
            "dismiss_stale_reviews_on_push": False,
            "require_code_owner_review": False,
            "require_last_push_approval": False,
            "required_review_thread_resolution": False,
        }
        found.append({"type": "pull_request", "parameters": least | repo.ruled_review})
    return found


def _entry(call: Call, repo: Repo, sha: str, path: str) -> dict[str, Any]:
    kinds = {"blob": "file", "tree": "dir", "link": "symlink", "commit": "submodule"}
    return {
        "type": kinds[objects.kind(repo.git, sha, path) or "blob"],
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": sha,
        "size": 0,
        "url": f"{call.world.api}/repos/{repo.full_name}/contents/{path}?ref={sha}",
    }


def _commit(call: Call, sha: str) -> dict[str, Any]:
    return shapes.commit(call.world, call.repo, sha, objects.message(call.repo.git, sha))


def _resolve(call: Call, name: str) -> str:
    found = objects.resolve(call.repo.git, name)
    if found is None:
        raise ApiError(404, "Not Found")
    return found
