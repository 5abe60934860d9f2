"""Several marks that are written in one call, in their order."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from github import Github
from github.Requester import Requester

from bot.services.github import graphql, sizes
from bot.services.github.nodes import Kind, Nodes
from bot.services.github.orders import (
    CheckReport,
    CheckUpdate,
    CommentEdit,
    NewCheck,
    NewComment,
    NewStatus,
    Order,
    Outcome,
    React,
    Undone,
    Written,
)
from bot.services.github.place import Place
from bot.services.github.raw import Json

_REACTIONS = {"+1": "THUMBS_UP", "-1": "THUMBS_DOWN"}
_REFUSALS = frozenset({"FORBIDDEN", "NOT_FOUND", "UNPROCESSABLE"})
_NUMBER = re.compile(r"(?:#issuecomment-|/runs/)(\d+)(?:\?|$)")
"""At the end of an address: not every server says it as a number that is large enough."""


class Writing(Place):
    """Marks on a repository in one call, as far as everything that GraphQL needs is known here."""

    async def write(self, orders: Sequence[Order]) -> tuple[Outcome, ...] | None:
        """Carry out the orders; what came of each, or None where nothing was asked.

        It is tried once: after an error each may have been done.
        """
        access, owner = self._access, self._owner.lower()
        mutations = [_mutation(each, access.nodes, self.full_name) for each in orders]
        known = [each for each in mutations if each is not None]
        if access.no_graphql.is_known or owner in access.leaves_writing_to_rest or not known:
            return None
        connection = await self._connection()
        try:
            answer = await connection.try_once(
                self._named("writing several marks"), lambda github: _write(github, known)
            )
        except graphql.NoGraphQLError:
            access.no_graphql.note()
            answer = _Answer((Undone.REFUSED,) * len(known), is_forbidden=False)
        if answer.is_forbidden:
            access.leaves_writing_to_rest.add(owner)
        for made, outcome in zip(known, answer.outcomes, strict=True):
            if isinstance(outcome, Written) and made.makes and outcome.id is not None:
                access.nodes.learn(self.full_name, made.makes, outcome.id, outcome.node)
        left = iter(answer.outcomes)
        return tuple(
            Undone.REFUSED if each is None else next(left, Undone.REFUSED) for each in mutations
        )


@dataclass(frozen=True)
class _Answer:
    """What came of the changes."""

    outcomes: tuple[Outcome, ...]
    is_forbidden: bool
    """Whether we may make none of them."""


@dataclass(frozen=True)
class _Mutation:
    """A change as GraphQL has it."""

    name: str
    """Its input's type is named alike."""
    input: Mapping[str, Any]
    shows: str
    """What is asked of the outcome: a change that was refused has none."""
    makes: Kind | None = None
    """What is new."""


def _mutation(order: Order, nodes: Nodes, full_name: str) -> _Mutation | None:
    """The change; None where something that it needs is not known here."""
    match order:
        case CommentEdit(comment, body, marker):
            node = nodes.find(full_name, Kind.COMMENT, comment)
            values = {"id": node, "body": sizes.with_marker(body, marker)}
            made = _Mutation("updateIssueComment", values, "issueComment { id }")
        case CheckUpdate(check, report) if len(report.annotations) <= sizes.ANNOTATIONS:
            node = nodes.find(full_name, Kind.CHECK, check)
            repository = nodes.find(full_name, Kind.REPOSITORY)
            values = {"repositoryId": repository, "checkRunId": node} | _check_fields(report)
            made = _Mutation("updateCheckRun", values, "checkRun { id }")
        case NewCheck(sha, name, report) if len(report.annotations) <= sizes.ANNOTATIONS:
            values = {
                "repositoryId": nodes.find(full_name, Kind.REPOSITORY),
                "headSha": sha,
                "name": name,
                "externalId": order.external_id,
            } | _check_fields(report)
            made = _Mutation("createCheckRun", values, "checkRun { id url }", Kind.CHECK)
        case NewStatus(deployment, state):
            node = nodes.find(full_name, Kind.DEPLOYMENT, deployment)
            values = {
                "deploymentId": node,
                "state": state.upper(),
                "description": sizes.cut_line(order.description, sizes.STATUS_DESCRIPTION),
            } | ({"logUrl": order.url} if order.url else {})
            made = _Mutation("createDeploymentStatus", values, "deploymentStatus { id }")
        case React(comment, content):
            node = nodes.find(full_name, Kind.COMMENT, comment)
            name = _REACTIONS.get(content, content.upper())
            made = _Mutation("addReaction", {"subjectId": node, "content": name}, "reaction { id }")
        case NewComment(number, body, marker):
            node = nodes.find(full_name, Kind.PULL_REQUEST, number)
            values = {"subjectId": node, "body": sizes.with_marker(body, marker)}
            shows = "commentEdge { node { id url } }"
            made = _Mutation("addComment", values, shows, Kind.COMMENT)
        case _:
            return None
    return None if None in made.input.values() else made


def _write(github: Github, mutations: Sequence[_Mutation]) -> _Answer:
    """Make the changes. Errors: those of `graphql.answered`."""
    declared = ", ".join(f"$i{at}: {_input(each)}!" for at, each in enumerate(mutations))
    parts = " ".join(
        f"m{at}: {each.name}(input: $i{at}) {{ {each.shows} }}" for at, each in enumerate(mutations)
    )
    variables = {f"i{at}": dict(each.input) for at, each in enumerate(mutations)}
    document = f"mutation({declared}) {{ {parts} }}"
    try:
        data, errors = graphql.told(github, document, variables, _is_answer)
    except graphql.RefusedGraphQLError as error:
        outcome = Undone.REFUSED if error.kinds <= _REFUSALS else Undone.UNKNOWN
        return _Answer((outcome,) * len(mutations), error.kinds == {"FORBIDDEN"})
    refused = {path[0]: str(each.get("type")) for each in errors if len(path := _path(each)) == 1}
    named = {f"m{at}": each for at, each in enumerate(mutations)}
    outcomes = tuple(
        _outcome(each, data.get(name), refused.get(name)) for name, each in named.items()
    )
    is_forbidden = len(named) > 1 and all(refused.get(name) == "FORBIDDEN" for name in named)
    return _Answer(outcomes, is_forbidden)


def _is_answer(data: Json, errors: list[Json]) -> bool:
    """What was done in part must not be repeated; what only a limit kept from us is."""
    return any(data.values()) or not any(_is_limit(each) for each in errors)


def _path(error: Json) -> list[str]:
    """Where in the answer something is missing."""
    return [str(part) for part in error.get("path") or ()]


def _is_limit(error: Json) -> bool:
    return error.get("type") == "RATE_LIMITED" or Requester.isRateLimitError(
        str(error.get("message", "")).lower()
    )


def _input(mutation: _Mutation) -> str:
    return f"{mutation.name[0].upper()}{mutation.name[1:]}Input"


def _outcome(mutation: _Mutation, found: Json, error: str | None) -> Outcome:
    """Where nothing is shown and no refusal says why, it may be there all the same."""
    if not found:
        return Undone.REFUSED if error in _REFUSALS else Undone.UNKNOWN
    if None in found.values():
        return Undone.UNKNOWN
    node = (found.get("commentEdge") or {}).get("node") or found.get("checkRun") or {}
    number = _NUMBER.search(node.get("url") or "")
    if mutation.makes is not None and number is None:
        # It is there, and has to be found by who wants to change it.
        return Undone.UNKNOWN
    return Written(int(number[1]) if number else None, node.get("id"))


def _check_fields(report: CheckReport) -> dict[str, Any]:
    """As REST has them, in GraphQL's words."""
    fields = report.fields(report.annotations)
    output = dict(fields["output"])
    if "annotations" in output:
        output["annotations"] = [_annotation(each) for each in output["annotations"]]
    renamed = {
        "status": fields["status"].upper(),
        "output": output,
        "actions": fields["actions"],
    }
    if "conclusion" in fields:
        renamed["conclusion"] = fields["conclusion"].upper()
    if "details_url" in fields:
        renamed["detailsUrl"] = fields["details_url"]
    return renamed


def _annotation(fields: Mapping[str, Any]) -> dict[str, Any]:
    where = {"startLine": fields["start_line"], "endLine": fields["end_line"]}
    title = {"title": fields["title"]} if "title" in fields else {}
    return title | {
        "path": fields["path"],
        "location": where,
        "annotationLevel": fields["annotation_level"].upper(),
        "message": fields["message"],
    }
