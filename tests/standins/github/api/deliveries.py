"""Webhooks, the App's and repositories' own: every attempt, and another one on demand."""

from collections.abc import Sequence
from typing import Any

from bot.domain.github import Permission
from tests.standins.github.calls import Answer, Call, Routes
from tests.standins.github.clock import written
from tests.standins.github.errors import ApiError, not_found
from tests.standins.github.state import Hook
from tests.standins.github.webhooks import Attempt, Delivery

ROUTES = Routes()


HOOKS = "/repos/{owner}/{repo}/hooks"


@ROUTES.add("GET", "/app/hook/deliveries")
def list_deliveries(call: Call) -> Answer:
    """Newest first, by cursor: there are no page numbers."""
    call.caller.require_app()
    return _listed(call, call.webhooks.all)


@ROUTES.add("POST", "/app/hook/deliveries/{delivery}/attempts")
def redeliver(call: Call) -> Answer:
    call.caller.require_app()
    return _again(call, call.webhooks.all)


@ROUTES.add("GET", HOOKS, "repository_hooks:read")
def list_hooks(call: Call) -> Answer:
    _require_admin(call)
    return call.page(list(call.repo.hooks.values()), _hook_shape)


@ROUTES.add("GET", f"{HOOKS}/{{hook}}/deliveries", "repository_hooks:read")
def list_deliveries_of_hook(call: Call) -> Answer:
    return _listed(call, _of_hook(call))


@ROUTES.add("POST", f"{HOOKS}/{{hook}}/deliveries/{{delivery}}/attempts", "repository_hooks:write")
def redeliver_of_hook(call: Call) -> Answer:
    return _again(call, _of_hook(call))


def _require_admin(call: Call) -> None:
    """Whoever is none is told of no hook."""
    token = call.caller.token
    if token is None or (not token.installation and call.repo.role(token.user) < Permission.ADMIN):
        raise not_found()


def _of_hook(call: Call) -> list[Delivery]:
    _require_admin(call)
    hook = call.repo.hooks.get(call.number("hook"))
    if hook is None:
        raise not_found()
    return [each for each in call.webhooks.all if hook.delivers and each.repository == call.repo.id]


def _listed(call: Call, deliveries: Sequence[Delivery]) -> Answer:
    per_page = min(int(call.query.get("per_page", 30)), 100)
    before = int(call.query.get("cursor", "0").removeprefix("v1_") or 0)
    attempts = [(delivery, attempt) for delivery in deliveries for attempt in delivery.attempts]
    attempts.sort(key=lambda each: each[1].id, reverse=True)
    left = [each for each in attempts if not before or each[1].id < before]
    shown = left[:per_page]
    headers = {}
    if len(left) > per_page:
        headers["Link"] = call.link("next", cursor=f"v1_{shown[-1][1].id}")
    return Answer([_shape(*each) for each in shown], headers=headers)


def _again(call: Call, deliveries: Sequence[Delivery]) -> Answer:
    found = call.webhooks.by_attempt(call.number("delivery"))
    if found is None or found not in deliveries:
        raise not_found()
    if not call.webhooks.url:
        raise ApiError(422, "There is no webhook URL")
    call.webhooks.redeliver_soon(found)
    return Answer({}, 202)


def _hook_shape(hook: Hook) -> dict[str, Any]:
    return {
        "type": "Repository",
        "id": hook.id,
        "name": "web",
        "active": hook.active,
        "events": ["*"],
        "config": {"content_type": "json", "insecure_ssl": "0", "url": hook.url},
    }


def _shape(delivery: Delivery, attempt: Attempt) -> dict[str, Any]:
    return {
        "id": attempt.id,
        "guid": delivery.guid,
        "delivered_at": written(attempt.at),
        "redelivery": attempt.again,
        "duration": 0.1,
        "status": "OK" if attempt.has_arrived else _failure(attempt.status),
        "status_code": attempt.status,
        "event": delivery.event,
        "action": delivery.action,
        "installation_id": delivery.installation,
        "repository_id": delivery.repository,
        "throttled_at": None,
    }


def _failure(status: int) -> str:
    return f"Invalid HTTP Response: {status}" if status else "failed to connect to host"
