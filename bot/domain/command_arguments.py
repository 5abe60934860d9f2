"""What several commands are told."""

from bot.domain.command_form import Argument, read_environment, read_id

ENVIRONMENT = Argument("environment", "ENV", read_environment, flag="--to")
DEPLOYMENT = Argument("deployment", "ID", read_id)
MOST_NAMES = 20
"""How often one that names something may be given."""
