"""The App, its installations and tokens; making one from a manifest; limits."""

from datetime import UTC, datetime
from typing import Any

from tests.standins.github import shapes
from tests.standins.github.app import Installation
from tests.standins.github.auth import issue_token
from tests.standins.github.calls import Answer, Call, Routes
from tests.standins.github.clock import written
from tests.standins.github.errors import ApiError, not_found

ROUTES = Routes()


@ROUTES.add("GET", "/app")
def show_app(call: Call) -> Answer:
    found = call.caller.require_app()
    installed = {"installations_count": len(call.world.installations)}
    return Answer(shapes.app(call.world, found.slug) | installed)


@ROUTES.add("GET", "/meta")
def show_meta(_call: Call) -> Answer:
    return Answer({"verifiable_password_authentication": True})


@ROUTES.add("GET", "/app/hook/config")
def show_hook(call: Call) -> Answer:
    call.caller.require_app()
    return Answer({"url": call.webhooks.url or "", "content_type": "json", "secret": "********"})


@ROUTES.add("GET", "/app/installations")
def list_installations(call: Call) -> Answer:
    call.caller.require_app()
    return call.page(tuple(call.world.installations.values()), lambda each: _shape(call, each))


@ROUTES.add("GET", "/app/installations/{installation}")
def show_installation(call: Call) -> Answer:
    call.caller.require_app()
    return Answer(_shape(call, _installation(call)))


@ROUTES.add("POST", "/app/installations/{installation}/access_tokens")
def create_token(call: Call) -> Answer:
    call.caller.require_app()
    fields = call.fields("Installation")
    asked = {
        name: fields.anything(name, None)
        for name in ("repositories", "repository_ids", "permissions")
    }
    fields.end()
    token = issue_token(call.world, _installation(call), asked)
    data: dict[str, Any] = {
        "token": token.value,
        "expires_at": _expiry(token.expires_at),
        "permissions": token.permissions,
        "repository_selection": "selected",
    }
    return Answer(data, 201)


@ROUTES.add("POST", "/app-manifests/{code}/conversions")
def convert_manifest(call: Call) -> Answer:
    made = call.world.manifests.pop(call.match["code"], None)
    if made is None:
        raise not_found()
    return Answer(made, 201)


@ROUTES.add("GET", "/user")
def show_user(call: Call) -> Answer:
    if call.caller.is_integration:
        raise ApiError(403, "Resource not accessible by integration")
    return Answer(shapes.user(call.world, call.caller.user))


@ROUTES.add("GET", "/rate_limit")
def show_limit(call: Call) -> Answer:
    left = call.caller.token.calls_left if call.caller.token else 60
    core = {"limit": 5000, "remaining": left, "used": 5000 - left}
    return Answer({"resources": {"core": core}, "rate": core})


def _installation(call: Call) -> Installation:
    found = call.world.installations.get(call.number("installation"))
    if found is None:
        raise not_found()
    return found


def _shape(call: Call, found: Installation) -> dict[str, Any]:
    return {
        "id": found.id,
        "account": shapes.user(call.world, call.world.user(found.account)),
        "app_id": call.world.app.id,
        "app_slug": call.world.app.slug,
        "permissions": found.permissions,
        "repository_selection": "selected",
        "access_tokens_url": f"{call.world.api}/app/installations/{found.id}/access_tokens",
        "suspended_at": _expiry(call.world.clock.now()) if found.suspended else None,
    }


def _expiry(time: float | None) -> str:
    return written(datetime.fromtimestamp(time or 0, UTC))
