"""The page that makes the bot's GitHub App: code, form, GitHub, keys."""
