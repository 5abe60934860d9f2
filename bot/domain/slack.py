"""What is true in every Slack."""

from types import MappingProxyType

CHANNEL = r"(?:#[^\s#@<>&]{1,80}|[CG][A-Z0-9]{5,20})"
"""A channel as people write it (`#name`), or its id."""
CHANNEL_RULE = '"#name" of a channel, in quotes, or a channel\'s id such as C0123456789'

BOT_SCOPES = MappingProxyType(
    {
        "app_mentions:read": "to hear @pachops in channels",
        "chat:write": "to write in the channels that the bot is in",
        "commands": "for /pachops",
        "files:write": "to show the log of a failed stage",
        "im:history": "to hear what is said to the bot in private",
        "usergroups:read": "to know who is in a user group",
        "users:read": "to know people's names",
        "users:read.email": "to join people with their GitHub login",
    }
)
"""What the bot's token must be allowed, and why: nothing else is asked for."""
APP_SCOPES = MappingProxyType({"connections:write": "for Socket Mode"})
PATH = "/slack/events"
"""Where Slack's requests arrive in mode http."""
