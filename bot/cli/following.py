"""A deployment is carried out while a person looks on."""

import asyncio
import logging
import os
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from bot.cli.ending import exit_status
from bot.cli.lock_notices import tell_of_locks
from bot.cli.log import keep_a_log
from bot.domain.deployment import Outcome
from bot.domain.progress import Finished
from bot.domain.reasons import Code, Kind, StoppedError
from bot.settings import load_settings
from handlers.reports import words
from handlers.reports.reporter import Reporter, reporter_for

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    # The engine and the SDKs take seconds to import; `pachops status` must not wait for them.
    from bot.session import Session

_log = logging.getLogger(__name__)


def follow(
    work: "Callable[[Session], Coroutine[object, object, Finished]]", *, as_json: bool
) -> None:
    """Run a command that ends with a Finished, and with its exit status."""
    reporter = reporter_for(sys.stdout, json=as_json)
    at, ended = carried_out(lambda: open_session(reporter), work)
    reporter.show(at, ended)
    reporter.close()
    raise typer.Exit(exit_status(ended))


def carried_out(
    opened: "Callable[[], Session]",
    work: "Callable[[Session], Coroutine[object, object, Finished]]",
) -> tuple[float, Finished]:
    """When and how the work ended, however that came."""
    session: Session | None = None
    try:
        session = opened()
        ended = asyncio.run(work(session))
    except StoppedError as error:
        kind = error.reason.kind
        outcome = Outcome.FAILED if kind is Kind.FAILED else Outcome.REFUSED
        ended = _ended(outcome, error, session)
    except KeyboardInterrupt:
        left = session.unsettled if session else None
        stopped = StoppedError(
            Code.CANCELLED,
            words.LEFT_UNSETTLED if left else words.INTERRUPTED,
            next_step=words.SETTLE if left else None,
        )
        ended = _ended(Outcome.CANCELLED, stopped, session)
    except Exception as error:  # noqa: BLE001 - a person gets a reason, never a traceback
        _log.exception("the command failed")
        fact = f"{type(error).__name__}: {error}"
        ended = _ended(Outcome.FAILED, StoppedError(Code.INTERNAL_ERROR, fact), session)
    if session is None or session.ended is None or session.ended_at is None:
        return time.time(), ended
    # It ended a while ago: Slack was told and what an interrupted bot left was finished since, and
    # whatever became of that, this is how what was asked for ended.
    if ended != session.ended:
        _log.warning("after the end: %s", ended.reason)
    return session.ended_at, session.ended


def _ended(outcome: Outcome, error: StoppedError, session: "Session | None") -> Finished:
    deployment = session.unsettled if session else None
    reason = error.reason
    if deployment and outcome is Outcome.FAILED:
        reason = replace(reason, next_step=f"{reason.next_step} {words.GO_ON}")
    return Finished(outcome, deployment, None, (), (), reason)


def open_session(reporter: Reporter) -> "Session":
    """A session on the settings of this process."""
    settings = load_settings(os.environ)
    keep_a_log(settings)
    from bot.session import Session  # noqa: PLC0415 - heavy

    typed = sys.argv[1:]
    return Session(settings, reporter, typed=typed, greet=lambda bot: tell_of_locks(bot.locks))
