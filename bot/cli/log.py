"""Where the bot's own log goes."""

import logging
import os

from bot.domain.reasons import Code, StoppedError
from bot.garbage import load_sparingly
from bot.redact import Redactor
from bot.settings import Settings, load_settings


def settings_of_a_server() -> Settings:
    """For processes that stand: their log goes to stderr, and garbage must not pile up."""
    load_sparingly()
    settings = load_settings(os.environ)
    _log_to(logging.StreamHandler(), settings)
    return settings


def keep_a_log(settings: Settings) -> None:
    """The bot's own log goes to a file: the terminal is the deployment's."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = logging.FileHandler(settings.log_file, delay=True)
    except OSError as error:
        raise StoppedError(
            Code.DATA_DIR_UNUSABLE, error.strerror or str(error), where=str(settings.data_dir)
        ) from error
    # A log that cannot be written any more, on a full disk, is nothing for the person's terminal.
    logging.raiseExceptions = False
    _log_to(handler, settings)


def _log_to(handler: logging.Handler, settings: Settings) -> None:
    from bot.logs import keep_log  # noqa: PLC0415 - heavy

    keep_log(
        handler,
        level=settings.log_level,
        as_json=settings.log_format == "json",
        redactor=Redactor(settings.secrets()),
    )
