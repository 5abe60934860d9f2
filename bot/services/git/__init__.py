"""Git: which commit is meant, our mirror of it, and its files as a build context."""

from bot.services.git.address import repository_address
from bot.services.git.mirror import Described, Mirror
from bot.services.git.service import Git

__all__ = ["Described", "Git", "Mirror", "repository_address"]
