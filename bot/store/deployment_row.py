"""A deployment as a row of its table, and back."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from bot.domain.deployment import (
    BuiltImage,
    Deployment,
    Outcome,
    Request,
    Stage,
    State,
    UpdatedPipeline,
)
from bot.domain.progress import Finished
from bot.domain.progress_json import reason_from_json, reason_to_json
from bot.store.values import JSON, decode, encode

_REQUEST: TypeAdapter[Request] = TypeAdapter(Request)
_IMAGES: TypeAdapter[tuple[BuiltImage, ...]] = TypeAdapter(tuple[BuiltImage, ...])
_PIPELINES: TypeAdapter[tuple[UpdatedPipeline, ...]] = TypeAdapter(tuple[UpdatedPipeline, ...])


def new_row(deployment: Deployment, *, now: float) -> dict[str, object]:
    """Of one that was asked for; what has no time of its own was asked for now."""
    request = deployment.request
    return {
        "id": deployment.id,
        "target": request.target,
        "repository": request.repository,
        "environment": request.environment,
        "request": text_of(request),
        "state": State.WAITING,
        "created_at": deployment.created_at or now,
    }


def end_of_row(finished: Finished) -> dict[str, object]:
    """What its end changes, but for the time."""
    return {
        "state": State.FINISHED,
        "outcome": finished.outcome,
        "reason": encode(reason_to_json(finished.reason)) if finished.reason else None,
        "images": encode(_IMAGES.dump_python(finished.images, mode="json")),
        "pipelines": encode(pipelines_as_json(finished.pipelines)),
        "notes": encode(finished.notes),
    }


def pipelines_as_json(pipelines: Sequence[UpdatedPipeline]) -> JSON:
    """As a row and an audit's entry have them."""
    known: JSON = _PIPELINES.dump_python(tuple(pipelines), mode="json")
    return known


def text_of(request: Request) -> str:
    """A request as a row has it."""
    return encode(_REQUEST.dump_python(request, mode="json"))


def request_of(text: str) -> Request:
    """The request in a row."""
    return _REQUEST.validate_python(decode(text))


def deployment_of(row: sa.Row[Any]) -> Deployment:
    """The deployment in a row."""
    return Deployment(
        id=row.id,
        request=request_of(row.request),
        state=State(row.state),
        outcome=Outcome(row.outcome) if row.outcome else None,
        reason=reason_from_json(decode(row.reason)) if row.reason else None,
        stage=Stage(row.stage) if row.stage else None,
        images=_IMAGES.validate_python(decode(row.images)),
        pipelines=_PIPELINES.validate_python(decode(row.pipelines)),
        notes=tuple(decode(row.notes)),
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        cancel_requested_by=row.cancel_requested_by,
    )
