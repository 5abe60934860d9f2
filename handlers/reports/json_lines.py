"""A deployment as JSON: one object a line while it runs, and one for each that is stored."""

import json
from datetime import UTC, datetime
from typing import Any, TextIO

from pydantic import TypeAdapter

from bot.domain.deployment import Deployment
from bot.domain.progress import Progress
from bot.domain.progress_json import reason_to_json, to_json
from handlers.reports.stream import Output

_DEPLOYMENT: TypeAdapter[Deployment] = TypeAdapter(Deployment)


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


def deployment_json(deployment: Deployment) -> dict[str, object]:
    """A stored deployment as `status`, `history` and `show` give it with `--json`."""
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
    }


def _moment(at: float | None) -> str | None:
    """A time as ISO 8601 in UTC."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, tz=UTC).isoformat(timespec="milliseconds")
