"""The App's webhooks: every attempt, and another one on demand."""

from typing import Any

from tests.standins.github.calls import Answer, Call, Routes
from tests.standins.github.clock import written
from tests.standins.github.errors import ApiError, not_found
from tests.standins.github.webhooks import Attempt, Delivery

ROUTES = Routes()


@ROUTES.add("GET", "/app/hook/deliveries")
def list_deliveries(call: Call) -> Answer:
    """Newest first, by cursor: there are no page numbers."""
    call.caller.require_app()
    per_page = min(int(call.query.get("per_page", 30)), 100)
    before = int(call.query.get("cursor", "0").removeprefix("v1_") or 0)
    attempts = [
        (delivery, attempt) for delivery in call.webhooks.all for attempt in delivery.attempts
    ]
    attempts.sort(key=lambda each: each[1].id, reverse=True)
    left = [each for each in attempts if not before or each[1].id < before]
    shown = left[:per_page]
    headers = {}
    if len(left) > per_page:
        headers["Link"] = call.link("next", cursor=f"v1_{shown[-1][1].id}")
    return Answer([_shape(*each) for each in shown], headers=headers)


@ROUTES.add("POST", "/app/hook/deliveries/{delivery}/attempts")
def redeliver(call: Call) -> Answer:
    call.caller.require_app()
    found = call.webhooks.by_attempt(call.number("delivery"))
    if found is None:
        raise not_found()
    if not call.webhooks.url:
        raise ApiError(422, "There is no webhook URL")
    call.webhooks.redeliver_soon(found)
    return Answer({}, 202)


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
