"""A deployment as JSON: one object a line while it runs, and one for each that is stored."""

import json
from datetime import UTC, datetime
from typing import Any, TextIO

from pydantic import TypeAdapter

from bot.domain.awaiting import Awaited
from bot.domain.deployment import Actor, Deployment, Request
from bot.domain.hold import Hold
from bot.domain.lock import Lock
from bot.domain.progress import Progress
from bot.domain.progress_json import reason_to_json, to_json
from bot.domain.queue import Place
from handlers.reports.stream import Output

_DEPLOYMENT: TypeAdapter[Deployment] = TypeAdapter(Deployment)
_AWAITED: TypeAdapter[Awaited] = TypeAdapter(Awaited)
_LOCK: TypeAdapter[Lock] = TypeAdapter(Lock)
_ACTOR: TypeAdapter[Actor] = TypeAdapter(Actor)


class JsonLines:
    """Writes each event as an object with its `event` and the time `at` which it happened."""

    def __init__(self, out: TextIO | None) -> None:
        self._out = Output(out)

    def show(self, at: float, event: Progress) -> None:
        """Write the event and hand it over at once."""
        # ASCII only: a control character in a log must not reach a terminal as itself.
        self._out.write(json.dumps(to_json(event) | {"at": _moment(at)}) + "\n")
        self._out.flush()

    def close(self) -> None:
        """Every line was handed over when it was written."""
        self._out.flush()


def deployment_json(deployment: Deployment, place: Place | None = None) -> dict[str, object]:
    """A stored deployment as `status`, `history` and `show` give it with `--json`.

    `place` is in its target's line: why it waits, behind which others, and for how many seconds.
    """
    stored: dict[str, Any] = _DEPLOYMENT.dump_python(deployment, mode="json")
    request = stored.pop("request")
    commit = request.pop("commit")
    return {
        "deployment": stored.pop("id"),
        **request,
        **commit,
        **stored,
        "reason": reason_to_json(deployment.reason) if deployment.reason else None,
        "created_at": _moment(deployment.created_at),
        "started_at": _moment(deployment.started_at),
        "finished_at": _moment(deployment.finished_at),
        **({"place": _place(place)} if place else {}),
    }


def awaited_json(awaited: Awaited) -> dict[str, object]:
    """What begins by itself when the checks of its commit have succeeded."""
    stored: dict[str, Any] = _AWAITED.dump_python(awaited, mode="json")
    request = stored["request"]
    commit = request.pop("commit")
    return {
        "deployment": awaited.id,
        **request,
        **commit,
        "since": _moment(awaited.since),
        "why": awaited.why,
        "pull_request": awaited.pull_request,
    }


def lock_json(lock: Lock) -> dict[str, object]:
    """A lock; `environment` is null where it is of all."""
    return {
        **_LOCK.dump_python(lock, mode="json"),
        "created_at": _moment(lock.created_at),
        "expires_at": _moment(lock.expires_at),
    }


def hold_json(request: Request, hold: Hold) -> dict[str, object]:
    """A rollback after which a target takes commands only; `request` is any of that target's."""
    return {
        "repository": request.repository,
        "environment": request.environment,
        "rollback": hold.deployment,
        "by": _ACTOR.dump_python(hold.by, mode="json"),
        "at": _moment(hold.at),
    }


def _place(place: Place) -> dict[str, object]:
    return {
        "wait": place.wait.value,
        "before": [each.id for each in place.before],
        "usual": place.usual,
        "begins_in": place.begins_in,
    }


def _moment(at: float | None) -> str | None:
    """A time as ISO 8601 in UTC."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, tz=UTC).isoformat(timespec="milliseconds")
