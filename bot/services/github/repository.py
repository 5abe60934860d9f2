"""One repository on GitHub."""

from bot.services.github.commits import Commits
from bot.services.github.hooks import Hooks
from bot.services.github.marks import Marks
from bot.services.github.suites import Suites
from bot.services.github.writing import Writing
from bot.services.logins import Login


class RepositoryClient(Commits, Marks, Writing, Suites, Hooks):
    """Everything that is asked of a repository and written to it.

    Errors, from every method: github_unreachable, github_refused, github_login_refused, github_limited.
    """

    async def git_login(self, *, refused: Login | None = None) -> Login | None:
        """For fetching this repository; an App's token is good for nothing else, for an hour.

        Another than the refused one. None where there is none, or the App is not installed here.
        """
        return await self._access.git_login(self.full_name, refused=refused)
