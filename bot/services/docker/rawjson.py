"""What `docker buildx --progress=rawjson` writes -> the messages of BuildKit that it stands for.

Source: moby/buildkit client/graph.go, the JSON of SolveStatus; Go writes bytes in base 64.
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bot.services.docker.messages import (
    StatusResponse,
    Timestamp,
    Vertex,
    VertexLog,
    VertexWarning,
)

_TIME = re.compile(
    r"(?P<until_seconds>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9}))?(?P<zone>.*)"
)


def parse(line: str) -> StatusResponse | None:
    """One line of it; None where it is not a status, but words for people."""
    try:
        status = json.loads(line)
        if not isinstance(status, dict):
            return None
        return StatusResponse(
            vertexes=[_vertex(each) for each in _list(status, "vertexes")],
            logs=[_log(each) for each in _list(status, "logs")],
            warnings=[_warning(each) for each in _list(status, "warnings")],
        )
    except (ValueError, TypeError, AttributeError):
        return None


def _list(status: Mapping[str, Any], key: str) -> Iterable[Mapping[str, Any]]:
    return status.get(key) or ()


def _vertex(found: Mapping[str, Any]) -> Vertex:
    return Vertex(
        digest=str(found.get("digest", "")),
        name=str(found.get("name", "")),
        cached=bool(found.get("cached", False)),
        started=_moment(found.get("started")),
        completed=_moment(found.get("completed")),
        error=str(found.get("error", "")),
    )


def _log(found: Mapping[str, Any]) -> VertexLog:
    return VertexLog(
        vertex=str(found.get("vertex", "")),
        stream=int(found.get("stream", 1)),
        msg=base64.b64decode(found.get("data") or ""),
    )


def _warning(found: Mapping[str, Any]) -> VertexWarning:
    return VertexWarning(
        vertex=str(found.get("vertex", "")), short=base64.b64decode(found.get("short") or "")
    )


def _moment(text: str | None) -> Timestamp:
    """RFC 3339 with up to nine digits of a second, which Python's own parser does not take."""
    match = _TIME.fullmatch(text or "")
    if match is None:
        return Timestamp()
    whole = datetime.fromisoformat(match["until_seconds"] + match["zone"].replace("Z", "+00:00"))
    return Timestamp(
        seconds=int(whole.timestamp()), nanos=int((match["fraction"] or "0").ljust(9, "0"))
    )
