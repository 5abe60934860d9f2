"""GitHub's own pages, as far as a person sees them who makes an App from a manifest."""

import json
import secrets
from html import escape
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from tests.standins.github.app import LEVELS
from tests.standins.github.world import World

LONGEST_NAME = 34
_NEEDED = {
    "push": "contents",
    "release": "contents",
    "repository": "metadata",
    "pull_request": "pull_requests",
    # Of the installation itself: it needs no permission but the one that all have.
    "installation_target": "metadata",
    "issue_comment": "issues",
    "check_run": "checks",
    "status": "statuses",
}
"""What an App must be allowed to read to be told of an event."""
_KNOWN = {
    "metadata",
    "contents",
    "pull_requests",
    "issues",
    "checks",
    "statuses",
    "deployments",
    "members",
}


class Website:
    """Two pages: the manifest is looked at, and the App is made when the person confirms it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._waiting: dict[str, tuple[dict[str, Any], str]] = {}
        self.manifests: list[tuple[str, dict[str, Any]]] = []
        """What came, and for whom: an organization, or "" for the person."""

    def add_to(self, app: web.Application) -> None:
        """Its routes."""
        app.router.add_post("/settings/apps/new", self._look_at)
        app.router.add_post("/organizations/{org}/settings/apps/new", self._look_at)
        app.router.add_post("/settings/apps/confirm/{key}", self._make)

    async def _look_at(self, request: web.Request) -> web.Response:
        form = await request.post()
        try:
            manifest = json.loads(str(form["manifest"]))
            _check(manifest)
        except (KeyError, ValueError) as error:
            return web.Response(status=422, text=f"Invalid GitHub App configuration: {error}")
        self.manifests.append((request.match_info.get("org", ""), manifest))
        key = secrets.token_hex(8)
        self._waiting[key] = (manifest, request.query.get("state", ""))
        page = (
            f"<h1>Create GitHub App for {escape(manifest['name'])}</h1>"
            f'<form method="post" action="/settings/apps/confirm/{key}">'
            "<button>Create GitHub App</button></form>"
        )
        return web.Response(text=page, content_type="text/html")

    async def _make(self, request: web.Request) -> web.Response:
        manifest, state = self._waiting.pop(request.match_info["key"])
        code, app = secrets.token_hex(20), self._world.app
        self._world.manifests[code] = {
            "id": app.id,
            "slug": app.slug,
            "name": manifest["name"],
            "html_url": f"{self._world.root}/github-apps/{app.slug}",
            "client_id": "Iv1.0123456789abcdef",
            "client_secret": "a-client-secret",
            "pem": app.private_key,
            "webhook_secret": app.webhook_secret,
        }
        back = f"{manifest['redirect_url']}?{urlencode({'code': code, 'state': state})}"
        raise web.HTTPFound(back)


def _check(manifest: dict[str, Any]) -> None:
    """Refuse what GitHub refuses; ValueError says what."""
    name, hook = manifest["name"], manifest["hook_attributes"]
    if not name or len(name) > LONGEST_NAME:
        raise ValueError("Name is too long (maximum is 34 characters)")
    for url in (manifest["url"], hook["url"], manifest["redirect_url"]):
        if not url.startswith(("http://", "https://")):
            raise ValueError("Url is not valid")
    permissions = manifest["default_permissions"]
    for permission, level in permissions.items():
        if permission not in _KNOWN or level not in LEVELS:
            message = f"Default permission records resource is not included: {permission}"
            raise ValueError(message)
    for event in manifest["default_events"]:
        if _NEEDED[event] not in permissions:
            message = f"Default events unsupported: {event}"
            raise ValueError(message)
