"""Git: which commit is meant, our mirror of it, and its files as a build context."""

from bot.services.git.address import Address, repository_address
from bot.services.git.mirror import Described, Mirror
from bot.services.git.service import FindLogin, Git
from bot.services.git.version import git_version

__all__ = [
    "Address",
    "Described",
    "FindLogin",
    "Git",
    "Mirror",
    "git_version",
    "repository_address",
]
