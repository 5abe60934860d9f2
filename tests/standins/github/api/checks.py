"""Check runs, which only Apps may write, and commit statuses."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from bot.domain.github import Permission
from tests.standins.github import objects, payloads, shapes
from tests.standins.github.calls import Answer, Call, Routes
from tests.standins.github.errors import ApiError, invalid, malformed, not_found
from tests.standins.github.fields import Fields
from tests.standins.github.state import CheckRun, Status

ROUTES = Routes()
LONGEST = 65_535
"""Bytes."""
STATES = ("queued", "in_progress", "completed")
CONCLUSIONS = (
    "action_required",
    "cancelled",
    "failure",
    "neutral",
    "success",
    "skipped",
    "timed_out",
)
LEVELS = ("notice", "warning", "failure")
MOST_ANNOTATIONS = 50
MOST_ACTIONS = 3
STATUS_STATES = ("error", "failure", "pending", "success")


@ROUTES.add("POST", "/repos/{owner}/{repo}/check-runs", "checks:write", role=Permission.WRITE)
def create_check(call: Call) -> Answer:
    _require_integration(call)
    fields = call.fields("CheckRun")
    sha = fields.text("head_sha")
    if objects.resolve(call.repo.git, sha) != sha:
        raise ApiError(422, f"No commit found for SHA: {sha}")
    world = call.world
    made = CheckRun(
        world.new_id(), sha, fields.limited("name", 255), world.app.slug, world.clock.tick()
    )
    _change(call, made, fields)
    call.repo.checks[made.id] = made
    _tell(call, made, "created")
    return Answer(shapes.check_run(world, call.repo, made), 201)


@ROUTES.add(
    "PATCH", "/repos/{owner}/{repo}/check-runs/{check}", "checks:write", role=Permission.WRITE
)
def update_check(call: Call) -> Answer:
    _require_integration(call)
    found = _check(call)
    if found.app_slug != call.world.app.slug:
        raise ApiError(403, "Invalid app_id `0` - check run can only be modified by the GitHub App")
    fields = call.fields("CheckRun")
    found.name = fields.limited("name", 255, found.name)
    was_completed = found.status == "completed"
    _change(call, found, fields)
    if found.status == "completed" and not was_completed:
        _tell(call, found, "completed")
    return Answer(shapes.check_run(call.world, call.repo, found))


@ROUTES.add("GET", "/repos/{owner}/{repo}/check-runs/{check}", "checks:read")
def show_check(call: Call) -> Answer:
    return Answer(shapes.check_run(call.world, call.repo, _check(call)))


@ROUTES.add("GET", "/repos/{owner}/{repo}/check-runs/{check}/annotations", "checks:read")
def list_annotations(call: Call) -> Answer:
    return call.page(_check(call).annotations, lambda each: each)


@ROUTES.add("GET", "/repos/{owner}/{repo}/commits/{ref}/check-runs", "checks:read")
def list_checks(call: Call) -> Answer:
    sha = objects.resolve(call.repo.git, call.match["ref"])
    name = call.query.get("check_name")
    found: Iterable[CheckRun] = [
        each for each in call.repo.checks.values() if each.sha == sha and name in {None, each.name}
    ]
    if call.query.get("filter", "latest") == "latest":
        found = latest(found)
    return call.page(
        tuple(found),
        lambda each: shapes.check_run(call.world, call.repo, each),
        inside="check_runs",
    )


@ROUTES.add("GET", "/repos/{owner}/{repo}/check-suites/{suite}/check-runs", "checks:read")
def list_checks_of_suite(call: Call) -> Answer:
    suite = call.number("suite")
    found = [
        each for each in call.repo.checks.values() if shapes.suite_of(call.repo, each) == suite
    ]
    if not found:
        raise not_found()
    if call.query.get("filter", "latest") == "latest":
        found = list(latest(found))
    return call.page(
        tuple(found),
        lambda each: shapes.check_run(call.world, call.repo, each),
        inside="check_runs",
    )


@ROUTES.add("POST", "/repos/{owner}/{repo}/statuses/{sha}", "statuses:write", role=Permission.WRITE)
def create_status(call: Call) -> Answer:
    fields = call.fields("Status")
    made = Status(
        call.world.new_id(),
        call.match["sha"],
        fields.text("context", "default"),
        fields.choice("state", STATUS_STATES),
        call.caller.user,
        call.world.clock.tick(),
        fields.limited("description", 140, ""),
        fields.text("target_url", ""),
    )
    fields.end()
    if objects.resolve(call.repo.git, made.sha) != made.sha:
        raise ApiError(422, f"No commit found for SHA: {made.sha}")
    call.repo.statuses.append(made)
    return Answer(shapes.status(call.world, made), 201)


@ROUTES.add("GET", "/repos/{owner}/{repo}/commits/{ref}/status", "statuses:read")
def show_status(call: Call) -> Answer:
    sha = objects.resolve(call.repo.git, call.match["ref"])
    if sha is None:
        raise not_found()
    found = tuple(newest(each for each in call.repo.statuses if each.sha == sha))
    states = {each.state for each in found}
    worst = next((each for each in ("error", "failure", "pending") if each in states), "success")
    answer = call.page(found, lambda each: shapes.status(call.world, each), inside="statuses")
    whole = {
        "sha": sha,
        "state": worst if found else "pending",
        "repository": shapes.repository(call.world, call.repo),
    }
    return replace(answer, data=answer.data | whole)


def latest(found: Iterable[CheckRun]) -> Iterable[CheckRun]:
    """The last check of each App and name."""
    return {(each.app_slug, each.name): each for each in found}.values()


def newest(found: Iterable[Status]) -> Iterable[Status]:
    """The last status of each context."""
    return {each.context: each for each in found}.values()


def _tell(call: Call, check: CheckRun, action: str) -> None:
    """Apps are told of their own checks too."""
    payload = payloads.check_run(call.world, call.repo, check, action, call.caller.user)
    call.webhooks.tell_soon("check_run", payload)


def _require_integration(call: Call) -> None:
    if not call.caller.is_integration:
        raise ApiError(403, "You must authenticate via a GitHub App.")


def _check(call: Call) -> CheckRun:
    found = call.repo.checks.get(call.number("check"))
    if found is None:
        raise not_found()
    return found


def _change(call: Call, check: CheckRun, fields: Fields) -> None:
    """Set what was sent; nothing is changed where any of it is wrong."""
    changes: dict[str, Any] = {}
    for name in ("external_id", "details_url"):
        if fields.has(name):
            changes[name] = fields.text(name)
    if fields.has("status"):
        changes["status"] = fields.choice("status", STATES)
    if fields.has("conclusion"):
        changes["conclusion"] = fields.choice("conclusion", CONCLUSIONS)
        changes["status"] = "completed"
        changes["completed_at"] = call.world.clock.tick()
    if changes.get("status") == "completed" and "conclusion" not in changes:
        raise malformed('"conclusion" wasn\'t supplied.')
    if changes.get("status", "completed") != "completed":
        changes |= {"conclusion": None, "completed_at": None}
    if fields.has("actions"):
        changes["actions"] = [_action(each) for each in fields.inners("actions", MOST_ACTIONS)]
    annotations = _output(fields.inner("output"), changes) if fields.has("output") else []
    fields.end()
    for name, value in changes.items():
        setattr(check, name, value)
    check.annotations += annotations


def _output(output: Fields, changes: dict[str, Any]) -> list[dict[str, Any]]:
    """The texts, as changes; the annotations, which are added to those that are there."""
    changes["title"] = output.text("title")
    changes["summary"] = output.sized("summary", LONGEST)
    if output.has("text"):
        changes["text"] = output.sized("text", LONGEST)
    found = [_annotation(each) for each in output.inners("annotations", MOST_ANNOTATIONS)]
    output.end()
    return found


def _action(fields: Fields) -> dict[str, str]:
    made = {
        "label": fields.limited("label", 20),
        "description": fields.limited("description", 40),
        "identifier": fields.limited("identifier", 20),
    }
    fields.end()
    return made


def _annotation(fields: Fields) -> dict[str, Any]:
    made: dict[str, Any] = {
        "path": fields.text("path"),
        "start_line": fields.whole("start_line"),
        "end_line": fields.whole("end_line"),
        "annotation_level": fields.choice("annotation_level", LEVELS),
        "message": fields.sized("message", 64 * 1024),
        "title": fields.limited("title", 255, ""),
    }
    fields.end()
    if made["end_line"] < made["start_line"]:
        raise invalid("CheckRun", "annotations", "custom", "end_line is before start_line")
    return made
