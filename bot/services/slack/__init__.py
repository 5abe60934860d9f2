"""Slack's Web API: what we show there and who people are. The only importer of slack_sdk here."""

from bot.services.clock import Clock
from bot.services.slack.client import CLOUD_API, Slack, check_app_token
from bot.services.slack.errors import GONE, NOT_OURS, TOO_MUCH, SlackRefusedError
from bot.services.slack.lines import Lines
from bot.services.slack.orders import Block, Login, Message, Person, Posted
from bot.services.slack.told import Kind, Told

__all__ = [
    "CLOUD_API",
    "GONE",
    "NOT_OURS",
    "TOO_MUCH",
    "Block",
    "Clock",
    "Kind",
    "Lines",
    "Login",
    "Message",
    "Person",
    "Posted",
    "Slack",
    "SlackRefusedError",
    "Told",
    "check_app_token",
]
