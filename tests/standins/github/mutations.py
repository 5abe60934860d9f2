"""The part of GitHub's mutations that writes marks, by the rules of the REST calls that do the same."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.standins.github.api import checks, comments, deployments
from tests.standins.github.calls import Answer, Call, Routes
from tests.standins.github.errors import ApiError
from tests.standins.github.query import Node, QueryError
from tests.standins.github.state import Repo

_SNAKE = re.compile("(?<!^)(?=[A-Z])")
_REACTIONS = {"THUMBS_UP": "+1", "THUMBS_DOWN": "-1"}


@dataclass(frozen=True)
class _Twin:
    """The REST call that does the same."""

    routes: Routes
    method: str
    path: str

    def run(self, call: Call, repo: Repo, match: Mapping[str, str], body: object) -> Any:
        """Its answer; QueryError where it refuses."""
        route = next(
            each
            for each in self.routes.all
            if (each.method, each.path) == (self.method, f"/repos/{{owner}}/{{repo}}{self.path}")
        )
        owner, _, name = repo.full_name.partition("/")
        inner = replace(
            call,
            match={"owner": owner, "repo": name, **match},
            query={},
            body=json.dumps(body).encode(),
        )
        try:
            answer: Answer = route.answer(inner)
        except ApiError as error:
            kind = {403: "FORBIDDEN", 404: "NOT_FOUND"}.get(error.status, "UNPROCESSABLE")
            raise QueryError(str(error.body["message"]), kind=kind) from error
        return answer.data


_COMMENT = "/issues/comments/{comment}"


def mutations(call: Call) -> dict[str, Callable[[Mapping[str, Any]], Node]]:
    """What can be changed, by name; the input is an object as REST has it, in camel case."""
    if not call.world.writes_with_graphql:
        return dict.fromkeys(_NAMES, _forbidden)
    return {
        "updateIssueComment": lambda given: _edit_comment(call, given["input"]),
        "addComment": lambda given: _add_comment(call, given["input"]),
        "addReaction": lambda given: _react(call, given["input"]),
        "createCheckRun": lambda given: _add_check(call, given["input"]),
        "updateCheckRun": lambda given: _update_check(call, given["input"]),
        "createDeploymentStatus": lambda given: _add_status(call, given["input"]),
    }


_NAMES = (
    "updateIssueComment",
    "addComment",
    "addReaction",
    "createCheckRun",
    "updateCheckRun",
    "createDeploymentStatus",
)


def _forbidden(_given: Mapping[str, Any]) -> Node:
    raise QueryError("Resource not accessible by integration", kind="FORBIDDEN")


def _edit_comment(call: Call, given: dict[str, Any]) -> Node:
    repo, number = _find(call, given.pop("id"), "IC")
    twin = _Twin(comments.ROUTES, "PATCH", _COMMENT)
    made = twin.run(call, repo, {"comment": str(number)}, given)
    return _payload("UpdateIssueComment", "issueComment", "IssueComment", made)


def _add_comment(call: Call, given: dict[str, Any]) -> Node:
    repo, identity = _find(call, given.pop("subjectId"), "PR")
    number = next(each.number for each in repo.issues.values() if each.id == identity)
    twin = _Twin(comments.ROUTES, "POST", "/issues/{number}/comments")
    made = twin.run(call, repo, {"number": str(number)}, given)
    shown = Node("IssueComment", {"id": made["node_id"], "url": made["html_url"]})
    return Node("AddCommentPayload", {"commentEdge": Node("IssueCommentEdge", {"node": shown})})


def _react(call: Call, given: dict[str, Any]) -> Node:
    repo, number = _find(call, given.pop("subjectId"), "IC")
    content = _REACTIONS.get(given["content"], given["content"].lower())
    twin = _Twin(comments.ROUTES, "POST", f"{_COMMENT}/reactions")
    made = twin.run(call, repo, {"comment": str(number)}, given | {"content": content})
    return _payload("AddReaction", "reaction", "Reaction", made)


def _add_check(call: Call, given: dict[str, Any]) -> Node:
    repo, _ = _find(call, given.pop("repositoryId"), "R")
    twin = _Twin(checks.ROUTES, "POST", "/check-runs")
    made = twin.run(call, repo, {}, _check_fields(given))
    shown = Node("CheckRun", {"id": made["node_id"], "url": made["html_url"]})
    return Node("CreateCheckRunPayload", {"checkRun": shown})


def _update_check(call: Call, given: dict[str, Any]) -> Node:
    repo, number = _find(call, given.pop("checkRunId"), "CR")
    if _find(call, given.pop("repositoryId"), "R")[0] is not repo:
        raise _not_found("CheckRun")
    twin = _Twin(checks.ROUTES, "PATCH", "/check-runs/{check}")
    made = twin.run(call, repo, {"check": str(number)}, _check_fields(given))
    return _payload("UpdateCheckRun", "checkRun", "CheckRun", made)


def _check_fields(given: dict[str, Any]) -> dict[str, Any]:
    body = {_SNAKE.sub("_", name).lower(): value for name, value in given.items()}
    for name in ("status", "conclusion"):
        if name in body:
            body[name] = _lowered(body[name])
    annotations = body.get("output", {}).get("annotations", [])
    if annotations:
        body["output"]["annotations"] = [_annotation(each) for each in annotations]
    return body


def _annotation(given: dict[str, Any]) -> dict[str, Any]:
    where = given.pop("location")
    level = _lowered(given.pop("annotationLevel"))
    lines: dict[str, Any] = {"start_line": where.pop("startLine"), "end_line": where.pop("endLine")}
    return {**given, **where, **lines, "annotation_level": level}


def _add_status(call: Call, given: dict[str, Any]) -> Node:
    repo, number = _find(call, given.pop("deploymentId"), "DE")
    body = {_SNAKE.sub("_", name).lower(): value for name, value in given.items()}
    body["state"] = _lowered(body["state"])
    twin = _Twin(deployments.ROUTES, "POST", "/deployments/{deployment}/statuses")
    made = twin.run(call, repo, {"deployment": str(number)}, body)
    return _payload("CreateDeploymentStatus", "deploymentStatus", "DeploymentStatus", made)


def _payload(name: str, field: str, kind: str, made: Mapping[str, Any]) -> Node:
    return Node(f"{name}Payload", {field: Node(kind, {"id": made["node_id"]})})


def _lowered(value: str) -> str:
    """A value of an enum, which is written in capitals."""
    if value != value.upper():
        message = f"Variable of type enum was provided invalid value {value}"
        raise QueryError(message)
    return value.lower()


def _find(call: Call, node: str, kind: str) -> tuple[Repo, int]:
    """The repository of a thing, and its number."""
    prefix, _, coded = node.partition("_")
    if prefix != kind:
        raise _not_found(node)
    number = int(base64.b64decode(coded + "=" * (-len(coded) % 4)))
    for repo in call.world.repos.values():
        there = {
            "R": {repo.id},
            "PR": {each.id for each in repo.issues.values()},
            "IC": set(repo.comments),
            "CR": set(repo.checks),
            "DE": set(repo.deployments),
        }[kind]
        if number in there and call.caller.sees(repo):
            return repo, number
    raise _not_found(node)


def _not_found(what: str) -> QueryError:
    return QueryError(
        f"Could not resolve to a node with the global id of '{what}'", kind="NOT_FOUND"
    )
