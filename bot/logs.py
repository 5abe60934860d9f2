"""The bot's own log: one line for each thing, with the deployment or delivery that it is about."""

import logging
from collections.abc import MutableMapping
from contextlib import AbstractContextManager
from typing import Any

import structlog
from structlog.typing import Processor

from bot.redact import Redactor

_Event = MutableMapping[str, Any]
_CHATTY = ("alembic",)
"""Libraries that say at every start what is of no use to anybody."""
_INDISCREET = "urllib3"
"""At debug it tells of every address that is asked: in one is the code for a new App's keys."""
_SERVER = "aiohttp.server"
_UNREADABLE = frozenset({"aiohttp.http_exceptions", "aiohttp.web_protocol"})
"""Where its errors are from for what is no HTTP: they have parts of it, headers too."""

_COMMON: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def about(**facts: str) -> AbstractContextManager[None]:
    """Every line that is logged in it, by whomever, has these facts."""
    return structlog.contextvars.bound_contextvars(**facts)


def keep_log(handler: logging.Handler, *, level: str, as_json: bool, redactor: Redactor) -> None:
    """Everything that is logged, by libraries too, goes there from now on, without secrets."""
    handler.setFormatter(_formatter(as_json=as_json, redactor=redactor))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger(_INDISCREET).setLevel(max(logging.INFO, logging.root.level))
    logging.getLogger(_SERVER).addFilter(_without_requests)


def _without_requests(record: logging.LogRecord) -> bool:
    """Of a request that cannot be read a line is enough: anybody can send one."""
    error = record.exc_info[1] if record.exc_info else None
    if error is not None and type(error).__module__ in _UNREADABLE:
        record.msg = f"{record.getMessage()}: it cannot be read ({type(error).__name__})"
        record.args, record.exc_info = None, None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True


def _formatter(*, as_json: bool, redactor: Redactor) -> logging.Formatter:
    if as_json:
        # Not ASCII only: a secret is looked for as it is.
        render: tuple[Processor, ...] = (
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        )
    else:
        render = (
            _OneLine(redactor),
            # The pretty one shows variables, and what is in them.
            structlog.dev.ConsoleRenderer(
                colors=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
            ),
        )
    return _Masking(
        redactor,
        foreign_pre_chain=_COMMON,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
    )


class _Masking(structlog.stdlib.ProcessorFormatter):
    """Masks the line when it is whole, tracebacks included: nothing comes after it."""

    def __init__(self, redactor: Redactor, **more: Any) -> None:  # noqa: ANN401 - of structlog
        super().__init__(**more)
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return self._redactor.clean(super().format(record))


class _OneLine:
    """What comes from outside begins no line of its own, which would look like one of ours."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(self, _logger: object, _method: str, event: _Event) -> _Event:
        # Masked first: a secret of several lines would not be known again.
        text = self._redactor.clean(str(event.get("event", "")))
        event["event"] = "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
        return event
