"""GitHub: what is true of a pull request, and our marks on it. The only importer of PyGithub."""

from bot.services.clock import Clock
from bot.services.github.address import CLOUD, api_url
from bot.services.github.client import CLOUD_API, GitHub, app_from_manifest
from bot.services.github.deliveries import FailedDelivery
from bot.services.github.new_app import LONGEST_NAME as LONGEST_APP_NAME
from bot.services.github.new_app import WEBHOOK_PATH, AppWish, NewApp
from bot.services.github.orders import (
    Action,
    Annotation,
    CheckReport,
    Conclusion,
    DeploymentState,
    Level,
    Reaction,
)
from bot.services.github.repository import RepositoryClient

__all__ = [
    "CLOUD",
    "CLOUD_API",
    "LONGEST_APP_NAME",
    "WEBHOOK_PATH",
    "Action",
    "Annotation",
    "AppWish",
    "CheckReport",
    "Clock",
    "Conclusion",
    "DeploymentState",
    "FailedDelivery",
    "GitHub",
    "Level",
    "NewApp",
    "Reaction",
    "RepositoryClient",
    "api_url",
    "app_from_manifest",
]
