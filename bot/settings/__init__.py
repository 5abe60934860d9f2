"""What the operator sets: by environment variables or in a YAML file; the environment wins."""

from bot.settings.model import ClusterSettings, GitLogin, Settings, Timeouts, load_settings

__all__ = ["ClusterSettings", "GitLogin", "Settings", "Timeouts", "load_settings"]
