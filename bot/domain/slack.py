"""What is true in every Slack."""

CHANNEL = r"(?:#[^\s#@<>&]{1,80}|[CG][A-Z0-9]{5,20})"
"""A channel as people write it (`#name`), or its id."""
CHANNEL_RULE = '"#name" of a channel, in quotes, or a channel\'s id such as C0123456789'
