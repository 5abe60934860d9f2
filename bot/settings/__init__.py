"""What the operator sets: by environment variables or in a YAML file; the environment wins."""

from bot.settings.model import (
    ClusterSettings,
    GitHubSettings,
    GitLogin,
    Settings,
    SlackSettings,
    Timeouts,
    WebSettings,
    load_settings,
)

__all__ = [
    "ClusterSettings",
    "GitHubSettings",
    "GitLogin",
    "Settings",
    "SlackSettings",
    "Timeouts",
    "WebSettings",
    "load_settings",
]
