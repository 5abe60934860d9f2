"""The Slack app as Slack makes it from a manifest: slack-manifest.yaml is written from this."""

import io
from typing import Any
from urllib.parse import quote

from ruamel.yaml import YAML

from bot.domain.slack import BOT_SCOPES, PATH

COMMAND = "/pachops"
_NEW_APP = "https://api.slack.com/apps?new_app=1&manifest_yaml="
_HEAD = """\
# The Slack app: paste it at https://api.slack.com/apps (Create New App, From a manifest).
# `pachops setup slack` walks through the rest and says what is missing.
# Written by `make docs` from handlers/slack/manifest.py.
"""


def manifest(address: str | None = None) -> dict[str, Any]:
    """The app for Socket Mode; with an address (`https://HOST`), for mode http."""
    url = {} if address is None else {"url": f"{address}{PATH}"}
    request_url = {} if address is None else {"request_url": f"{address}{PATH}"}
    return {
        "display_information": {
            "name": "pachops",
            "description": "Deploys commits to Pachyderm, and says how it went",
            "background_color": "#582f6b",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "pachops", "always_online": True},
            "slash_commands": [
                {
                    "command": COMMAND,
                    "description": "Deploy, roll back, and see what runs where",
                    "usage_hint": "deploy staging | status | help",
                    "should_escape": False,
                    **url,
                }
            ],
        },
        "oauth_config": {"scopes": {"bot": sorted(BOT_SCOPES)}},
        "settings": {
            "event_subscriptions": {
                "bot_events": ["app_home_opened", "app_mention", "message.im"],
                **request_url,
            },
            "interactivity": {"is_enabled": True, **request_url},
            "org_deploy_enabled": False,
            "socket_mode_enabled": address is None,
            "token_rotation_enabled": False,
        },
    }


def manifest_yaml(address: str | None = None) -> str:
    """The same as a file."""
    out = io.StringIO()
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(manifest(address), out)
    return out.getvalue()


def manifest_file() -> str:
    """slack-manifest.yaml."""
    return f"{_HEAD}{manifest_yaml()}"


def new_app_url(address: str | None = None) -> str:
    """Slack's own page, with the manifest filled in."""
    return _NEW_APP + quote(manifest_yaml(address), safe="")
