"""What the operator sets: by environment variables or in a YAML file; the environment wins."""

from bot.settings.github_app import app_file, check_free, keep_app
from bot.settings.groups import (
    BuildxSettings,
    ClusterSettings,
    GitHubSettings,
    GitLogin,
    Retention,
    SlackSettings,
    Timeouts,
    WebSettings,
)
from bot.settings.model import Settings, load_settings

__all__ = [
    "BuildxSettings",
    "ClusterSettings",
    "GitHubSettings",
    "GitLogin",
    "Retention",
    "Settings",
    "SlackSettings",
    "Timeouts",
    "WebSettings",
    "app_file",
    "check_free",
    "keep_app",
    "load_settings",
]
