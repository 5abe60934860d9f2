"""Where people and webhooks meet the bot."""
