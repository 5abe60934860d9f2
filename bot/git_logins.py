"""Which login git reads a repository with: the settings' own, else the GitHub App's."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from bot.services.git import Address
from bot.services.logins import Login
from bot.settings import Settings

AskGitHub = Callable[[str, str, Login | None], Awaitable[Login | None]]
"""The App's login for the repository of an owner with a name, other than the refused one."""


class GitLogins:
    """Finds logins, as `Git` asks for them.

    The settings' logins are by `host` or `host:port`; for plain http to another machine the key is
    `http://host[:port]`, so that no password goes in the clear unasked. The App's are tokens for
    the one repository; they go where the settings say that GitHub is. Errors: those of GitHub.
    """

    def __init__(self, settings: Settings, ask_github: AskGitHub) -> None:
        self._static = settings.logins()
        self._ask_github = ask_github
        app = settings.github
        self._has_app = app.app_id is not None and app.private_key is not None
        self._url = settings.github.git_url

    async def __call__(self, address: Address, *, refused: Login | None = None) -> Login | None:
        """The login; another than the refused one, None where there is none."""
        own = self._static.get(address.login_key) if address.login_key else None
        if own is not None:
            return own if refused is None else None
        name = self._on_github(address) if self._has_app else None
        if name is None:
            return None
        return await self._ask_github(*name, refused)

    def _on_github(self, address: Address) -> tuple[str, str] | None:
        """Owner and name of a repository there; None for any other address."""
        parts = urlsplit(address.text)
        if _origin(address.text) != _origin(self._url):
            return None
        names = parts.path.strip("/").removesuffix(".git").split("/")
        return (names[0], names[1]) if len(names) == 2 and all(names) else None


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or default
