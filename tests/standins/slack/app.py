"""The Slack app: its tokens, its secret and what it may do."""

from dataclasses import dataclass, field

SCOPES = frozenset(
    {
        "app_mentions:read",
        "chat:write",
        "commands",
        "files:write",
        "im:history",
        "usergroups:read",
        "users:read",
        "users:read.email",
    }
)
"""What slack-manifest.yaml asks for."""


@dataclass(eq=False)
class App:
    """One app, installed in the workspace."""

    id: str = "A0PACHOPS"
    team: str = "T0ACME"
    domain: str = "acme"
    name: str = "pachops"
    bot_user: str = "U0BOT"
    bot_id: str = "B0BOT"
    bot_token: str = field(default="xoxb-1-the-bots-token", repr=False)
    app_token: str = field(default="xapp-1-the-apps-token", repr=False)
    signing_secret: str = field(default="a signing secret", repr=False)
    scopes: frozenset[str] = SCOPES
    app_scopes: frozenset[str] = frozenset({"connections:write"})
