"""GitHub: what is true of a pull request, and our marks on it. The only importer of PyGithub."""

from bot.services.clock import Clock
from bot.services.github.address import CLOUD, api_url
from bot.services.github.client import CLOUD_API, GitHub, app_from_manifest
from bot.services.github.deliveries import FailedDelivery, Hook
from bot.services.github.further import NOTHING_MORE, Further, Question
from bot.services.github.hooks import NoHook
from bot.services.github.look import Look
from bot.services.github.new_app import (
    EVENTS,
    LOGIN_PATH,
    PERMISSIONS,
    WEBHOOK_PATH,
    AppWish,
    NewApp,
    webhook_url,
)
from bot.services.github.new_app import LONGEST_NAME as LONGEST_APP_NAME
from bot.services.github.orders import (
    Action,
    Annotation,
    CheckReport,
    CheckUpdate,
    CommentEdit,
    Conclusion,
    DeploymentState,
    Level,
    NewCheck,
    NewComment,
    NewStatus,
    Order,
    Outcome,
    React,
    Reaction,
    Undone,
    Written,
)
from bot.services.github.repository import RepositoryClient
from bot.services.github.sign_in import SignIn
from bot.services.github.standing import AppView
from bot.services.github.suites import OwnCheck

__all__ = [
    "CLOUD",
    "CLOUD_API",
    "EVENTS",
    "LOGIN_PATH",
    "LONGEST_APP_NAME",
    "NOTHING_MORE",
    "PERMISSIONS",
    "WEBHOOK_PATH",
    "Action",
    "Annotation",
    "AppView",
    "AppWish",
    "CheckReport",
    "CheckUpdate",
    "Clock",
    "CommentEdit",
    "Conclusion",
    "DeploymentState",
    "FailedDelivery",
    "Further",
    "GitHub",
    "Hook",
    "Level",
    "Look",
    "NewApp",
    "NewCheck",
    "NewComment",
    "NewStatus",
    "NoHook",
    "Order",
    "Outcome",
    "OwnCheck",
    "Question",
    "React",
    "Reaction",
    "RepositoryClient",
    "SignIn",
    "Undone",
    "Written",
    "api_url",
    "app_from_manifest",
    "webhook_url",
]
