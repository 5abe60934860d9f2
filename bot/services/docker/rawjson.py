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

_MOST_LINES = 100_000
_TIME = re.compile(
    r"(?P<until_seconds>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9}))?(?P<zone>.*)"
)


class Lines:
    """Its lines -> what belongs together: buildx 0.13 spreads a status over several of them."""

    def __init__(self) -> None:
        self._begun: list[str] = []

    def whole(self, line: str) -> str | None:
        """The status or the words for people that end with this line; None where more comes."""
        if not self._begun and line != "{":
            return line
        self._begun.append(line)
        # Of an object that is spread out, only the first and the last line are not indented.
        if line[:1] in {" ", "{"} and len(self._begun) < _MOST_LINES:
            return None
        told, self._begun = "\n".join(self._begun), []
        return told

    def rest(self) -> str:
        """What was begun and not ended."""
        told, self._begun = "\n".join(self._begun), []
        return told


def parse(text: str) -> StatusResponse | None:
    """A status; None where it is none, but words for people."""
    try:
        status = json.loads(text)
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
