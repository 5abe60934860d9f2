"""Who the bot is on GitHub, by its settings."""

from bot.domain.reasons import Code, StoppedError
from bot.redact import Redactor
from bot.services.calls import UNCOUNTED, Calls
from bot.services.github import GitHub, api_url
from bot.settings import GitHubSettings


def log_in(settings: GitHubSettings, redactor: Redactor, calls: Calls = UNCOUNTED) -> GitHub:
    """As the App, or with the token; the redactor learns every token that comes.

    Raises:
        StoppedError: BAD_SETTINGS where there is no login, or only a part of one.
    """
    url = api_url(settings.base_url)
    if settings.app_id is not None and settings.private_key is not None:
        return GitHub.as_app(
            settings.app_id,
            settings.private_key,
            base_url=url,
            learn=redactor.learn,
            calls=calls,
        )
    if settings.app_id is not None or settings.private_key is not None:
        missing = "PRIVATE_KEY" if settings.private_key is None else "APP_ID"
        raise StoppedError(
            Code.BAD_SETTINGS,
            "a GitHub App needs both its id and its private key",
            where=f"PACHOPS_GITHUB_{missing}",
        )
    if settings.token is not None:
        return GitHub.with_token(settings.token, base_url=url, calls=calls)
    raise StoppedError(
        Code.BAD_SETTINGS,
        "the bot has no login on GitHub",
        where="PACHOPS_GITHUB_APP_ID",
        next_step="Set PACHOPS_GITHUB_APP_ID and PACHOPS_GITHUB_PRIVATE_KEY_FILE, "
        "or PACHOPS_GITHUB_TOKEN.",
    )
