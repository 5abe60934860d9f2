"""The deployments and what is known of each."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from bot.domain.audit import BOT, Action, Entry
from bot.domain.deployment import (
    Actor,
    BuiltImage,
    Commit,
    Deployment,
    Kind,
    Outcome,
    Request,
    Stage,
    State,
    UpdatedPipeline,
)
from bot.domain.hold import Hold, hold_of
from bot.domain.progress import Finished, Supersedes
from bot.domain.reasons import Code, Reason, StoppedError
from bot.store.audit import append
from bot.store.awaiting import stop
from bot.store.database import Database
from bot.store.deployment_row import (
    deployment_of,
    end_of_row,
    new_row,
    pipelines_as_json,
    request_of,
    text_of,
)
from bot.store.progress import append_event, append_finished
from bot.store.tables import DEPLOYMENT, FACT
from bot.store.values import JSON, decode, encode

_NAMED_WHEN_AMBIGUOUS = 5
_NO_FACTS: Mapping[str, JSON] = MappingProxyType({})
SKIPPED = "skipped"
"""Fact of a forced deployment: what stood in the way when it was asked for, a line each."""
WANTED = "wanted"
"""Fact: what a person asked for, where, and who; the command line's have none and need none."""
_RELEASED = "hold_released"
"""Fact of a rollback: who let its environment go."""
IS_ROLLBACK = DEPLOYMENT.c.request.contains(f'"kind":"{Kind.ROLLBACK.value}"')
"""As `encode` writes it; it is in no text inside another's request."""
_FAR_ENOUGH = 500
"""Deployments of a target among which the last rollback is looked for."""


@dataclass(frozen=True)
class _Cancelled:
    """Who cancels."""

    by: Actor
    how: str
    """By what, where that was no command."""
    once: str | None
    """As in the audit."""


class CancelResult(StrEnum):
    """What a request to cancel met."""

    UNKNOWN = "unknown"
    FINISHED = "finished"
    """Too late: nothing was changed."""
    WAITING = "waiting"
    """It had not begun and is finished as cancelled now."""
    RUNNING = "running"
    """It will stop at the next moment where it can."""
    AWAITED = "awaited"
    """It awaited the checks of its commit, and is not asked for any more."""


class Deployments:
    """Every deployment that was ever asked for. Changes are on disk when a call returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, id_or_part: str) -> Deployment | None:
        """The deployment with this id, or the only one whose id begins or ends with it.

        Raises:
            StoppedError: DEPLOYMENT_UNKNOWN: there are several.
        """
        wanted = id_or_part.strip().lower()
        if not wanted:
            return None
        matches = await self._database.read(lambda connection: _matching(connection, wanted))
        if len(matches) > 1:
            raise StoppedError(
                Code.DEPLOYMENT_UNKNOWN,
                f"`{id_or_part}` is part of several ids: {', '.join(row.id for row in matches)}",
                next_step="Write more of the id.",
            )
        return deployment_of(matches[0]) if matches else None

    async def list(
        self,
        *,
        environment: str | None = None,
        repository: str | None = None,
        target: str | None = None,
        unfinished: bool = False,
        limit: int = 50,
    ) -> tuple[Deployment, ...]:
        """The newest deployments that fit, the newest first."""
        query = sa.select(DEPLOYMENT).order_by(DEPLOYMENT.c.seq.desc()).limit(limit)
        wanted = {"environment": environment, "repository": repository, "target": target}
        for column, value in wanted.items():
            if value is not None:
                query = query.where(DEPLOYMENT.c[column] == value)
        if unfinished:
            query = query.where(DEPLOYMENT.c.state != State.FINISHED)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return tuple(deployment_of(row) for row in rows)

    async def begin(self, deployment_id: str) -> bool:
        """Mark it as running; its start is that of the first time. False where it is finished."""
        change = (
            sa.update(DEPLOYMENT)
            .where(DEPLOYMENT.c.id == deployment_id, DEPLOYMENT.c.state != State.FINISHED)
            .values(
                state=State.RUNNING,
                started_at=sa.func.coalesce(DEPLOYMENT.c.started_at, time.time()),
            )
        )
        return await self._changes(change)

    async def goes_back_to(self, rollback: str, commit: Commit) -> None:
        """Note the commit that a rollback brings back, where it was asked for before that was known."""

        def note(connection: sa.Connection) -> None:
            row = DEPLOYMENT.c.id == rollback
            query = sa.select(DEPLOYMENT.c.request).where(row).with_for_update()
            request = replace(request_of(connection.execute(query).scalar_one()), commit=commit)
            text = text_of(request)
            connection.execute(sa.update(DEPLOYMENT).where(row).values(request=text))

        await self._database.write(note)

    async def enter(self, deployment_id: str, stage: Stage) -> None:
        """Note the stage that is running now."""
        await self._changes(
            sa.update(DEPLOYMENT)
            .where(DEPLOYMENT.c.id == deployment_id, DEPLOYMENT.c.state != State.FINISHED)
            .values(stage=stage)
        )

    async def finish(
        self,
        deployment_id: str,
        outcome: Outcome,
        reason: Reason | None = None,
        images: Sequence[BuiltImage] = (),
        pipelines: Sequence[UpdatedPipeline] = (),
        notes: Sequence[str] = (),
    ) -> bool:
        """Settle it: the row and the Finished of its progress, together.

        The first to finish it wins; False where it was finished already.
        """
        finished = Finished(
            outcome, deployment_id, None, tuple(images), tuple(pipelines), reason, tuple(notes)
        )
        return await self._database.write(
            lambda connection: _finish(connection, deployment_id, finished, state=None)
        )

    async def release_hold(self, rollback: str, by: Actor, *, once: str | None = None) -> bool:
        """Let automatic triggers deploy again after this rollback; False where they may already."""

        def release(connection: sa.Connection) -> bool:
            query = sa.select(DEPLOYMENT.c.request).where(DEPLOYMENT.c.id == rollback)
            text = connection.execute(query.with_for_update()).scalar()
            key = {"deployment": rollback, "key": _RELEASED}
            known = sa.select(FACT.c.value).filter_by(**key)
            if text is None or connection.execute(known).first():
                return False
            connection.execute(sa.insert(FACT).values(value=encode(by.identity), **key))
            append(
                connection, _entry(Action.HOLD_RELEASED, by, rollback, request_of(text)), once=once
            )
            return True

        return await self._database.write(release)

    async def hold(self, target: str) -> Hold | None:
        """The rollback that keeps automatic triggers from this target; None where none does."""
        if not await self._database.read(lambda connection: was_rolled_back(connection, target)):
            return None
        newest = await self.list(target=target, limit=_FAR_ENOUGH)
        query = sa.select(FACT.c.deployment).where(
            FACT.c.deployment.in_([each.id for each in newest]), FACT.c.key == _RELEASED
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return hold_of(newest, [row.deployment for row in rows])

    async def request_cancel(
        self, deployment_id: str, who: Actor | str, *, how: str = "", once: str | None = None
    ) -> CancelResult:
        """Finish it as cancelled where it still waits, else ask whoever runs it to stop.

        One that awaits checks is not known yet, and never will be. `how` says by what, where that was
        no command to cancel; `once` as in the audit.
        """
        actor = Actor(who, "unknown") if isinstance(who, str) else who
        by = actor.acting(how)

        def cancel_what_is_there(connection: sa.Connection) -> CancelResult:
            reason = _reason(Code.CANCELLED, f"{by} cancelled it before it began")
            finished = Finished(Outcome.CANCELLED, deployment_id, None, (), (), reason)
            waits, cancelled = State.WAITING, _Cancelled(actor, how, once)
            if _finish(connection, deployment_id, finished, state=waits, cancelled=cancelled):
                return CancelResult.WAITING
            flag = (
                sa.update(DEPLOYMENT)
                .where(DEPLOYMENT.c.id == deployment_id, DEPLOYMENT.c.state == State.RUNNING)
                # The first who asked stays: the answer to a repeat does not change.
                .values(cancel_requested_by=sa.func.coalesce(DEPLOYMENT.c.cancel_requested_by, by))
            )
            if connection.execute(flag).rowcount:
                query = sa.select(DEPLOYMENT.c.request).where(DEPLOYMENT.c.id == deployment_id)
                request = request_of(connection.execute(query).scalar_one())
                _say_cancelled(connection, deployment_id, request, _Cancelled(actor, how, once))
                return CancelResult.RUNNING
            known = sa.select(DEPLOYMENT.c.seq).where(DEPLOYMENT.c.id == deployment_id)
            if connection.execute(known).first():
                return CancelResult.FINISHED
            return CancelResult.UNKNOWN

        def cancel(connection: sa.Connection) -> CancelResult:
            result = cancel_what_is_there(connection)
            if result is not CancelResult.UNKNOWN:
                return result
            if not stop(connection, deployment_id, actor, time.time(), how=how, once=once):
                return CancelResult.UNKNOWN
            # On PostgreSQL it may have been asked for while its delivery was held.
            result = cancel_what_is_there(connection)
            return CancelResult.AWAITED if result is CancelResult.UNKNOWN else result

        return await self._database.write(cancel)

    async def cancel_requests(self, ids: Sequence[str]) -> dict[str, str]:
        """Of these, who asked to cancel which."""
        query = sa.select(DEPLOYMENT.c.id, DEPLOYMENT.c.cancel_requested_by).where(
            DEPLOYMENT.c.id.in_(ids), DEPLOYMENT.c.cancel_requested_by.is_not(None)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return {row.id: row.cancel_requested_by for row in rows}

    async def unfinished(self) -> tuple[str, ...]:
        """The ids of all that wait or run, the oldest first."""
        query = (
            sa.select(DEPLOYMENT.c.id)
            .where(DEPLOYMENT.c.state.in_([State.WAITING, State.RUNNING]))
            .order_by(DEPLOYMENT.c.seq)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return tuple(row.id for row in rows)

    async def save(self, deployment_id: str, key: str, value: JSON) -> None:
        """Keep a small fact about it, in place of the last one under this key."""

        def replace(connection: sa.Connection) -> None:
            connection.execute(
                sa.delete(FACT).where(FACT.c.deployment == deployment_id, FACT.c.key == key)
            )
            connection.execute(
                sa.insert(FACT).values(deployment=deployment_id, key=key, value=text)
            )

        text = encode(value)
        await self._database.write(replace)

    async def change(self, deployment_id: str, key: str, change: Callable[[Any], JSON]) -> JSON:
        """Put what `change` makes of a fact (None where there is none) in its place, at once.

        Of two who change it, the second sees what the first left. `change` may be run twice.
        """
        row = sa.select(DEPLOYMENT.c.seq).where(DEPLOYMENT.c.id == deployment_id)
        where = (FACT.c.deployment == deployment_id, FACT.c.key == key)

        def replace(connection: sa.Connection) -> JSON:
            connection.execute(row.with_for_update())
            text = connection.execute(sa.select(FACT.c.value).where(*where)).scalar()
            value = change(None if text is None else decode(text))
            connection.execute(sa.delete(FACT).where(*where))
            fact = sa.insert(FACT).values(deployment=deployment_id, key=key, value=encode(value))
            connection.execute(fact)
            return value

        return await self._database.write(replace)

    async def load(self, deployment_id: str, key: str) -> Any:  # noqa: ANN401 - JSON
        """The fact under this key; None where there is none."""
        query = sa.select(FACT.c.value).where(FACT.c.deployment == deployment_id, FACT.c.key == key)
        text = await self._database.read(lambda connection: connection.execute(query).scalar())
        return None if text is None else decode(text)

    async def newest_noted(
        self, repository: str, environment: str, key: str, *, most: int
    ) -> Sequence[Any]:
        """The facts under this key of an environment's deployments that have one, the newest first."""
        query = (
            sa.select(FACT.c.value)
            .join(DEPLOYMENT, DEPLOYMENT.c.id == FACT.c.deployment)
            .where(DEPLOYMENT.c.target == f"{repository}#{environment}", FACT.c.key == key)
            .order_by(DEPLOYMENT.c.seq.desc())
            .limit(most)
        )
        texts = await self._database.read(
            lambda connection: connection.execute(query).scalars().all()
        )
        return [decode(each) for each in texts]

    async def _changes(self, change: sa.Update) -> bool:
        return await self._database.write(
            lambda connection: connection.execute(change).rowcount > 0
        )


def was_rolled_back(connection: sa.Connection, target: str) -> bool:
    """Whether anybody ever asked for that; most targets were not, and this is quick."""
    ever = sa.select(DEPLOYMENT.c.seq).where(DEPLOYMENT.c.target == target, IS_ROLLBACK)
    return connection.execute(ever.limit(1)).first() is not None


def rolled_back_targets(connection: sa.Connection) -> frozenset[str]:
    """Those for which anybody ever asked for that."""
    ever = sa.select(DEPLOYMENT.c.target).where(IS_ROLLBACK)
    return frozenset(connection.execute(ever.distinct()).scalars())


def insert(
    connection: sa.Connection, deployment: Deployment, facts: Mapping[str, JSON] = _NO_FACTS
) -> int | None:
    """Store a new deployment and what is known of it at once.

    Its number in the order asked; None where its id is there, and nothing is changed.
    """
    if connection.execute(
        sa.select(DEPLOYMENT.c.seq).where(DEPLOYMENT.c.id == deployment.id)
    ).first():
        return None
    request = deployment.request
    row = sa.insert(DEPLOYMENT).values(new_row(deployment, now=time.time()))
    number: int = connection.execute(row.returning(DEPLOYMENT.c.seq)).scalar_one()
    for key, value in facts.items():
        fact = sa.insert(FACT).values(deployment=deployment.id, key=key, value=encode(value))
        connection.execute(fact)
    asked = {
        "kind": request.kind.value,
        "trigger": request.trigger.value,
        "sha": request.commit.sha,
        "ref": request.commit.ref,
        "only": list(request.only),
        "reprocess": request.reprocess,
        "force": request.force,
        "steps": request.steps,
    }
    append(connection, _entry(Action.SUBMITTED, request.actor, deployment.id, request, facts=asked))
    return number


def _matching(connection: sa.Connection, wanted: str) -> Sequence[sa.Row[Any]]:
    exact = connection.execute(sa.select(DEPLOYMENT).where(DEPLOYMENT.c.id == wanted)).all()
    if exact:
        return exact
    column = DEPLOYMENT.c.id
    part = column.startswith(wanted, autoescape=True) | column.endswith(wanted, autoescape=True)
    query = sa.select(DEPLOYMENT).where(part).order_by(DEPLOYMENT.c.seq.desc())
    return connection.execute(query.limit(_NAMED_WHEN_AMBIGUOUS)).all()


def _finish(
    connection: sa.Connection,
    deployment_id: str,
    finished: Finished,
    *,
    state: State | None,
    cancelled: _Cancelled | None = None,
) -> bool:
    """Finish it where it is in `state`, or anywhere before its end."""
    now = time.time()
    expected = DEPLOYMENT.c.state == state if state else DEPLOYMENT.c.state != State.FINISHED
    values = {**end_of_row(finished), "finished_at": now}
    if cancelled:
        values["cancel_requested_by"] = cancelled.by.acting(cancelled.how)
    change = sa.update(DEPLOYMENT).where(DEPLOYMENT.c.id == deployment_id, expected).values(values)
    request = connection.execute(change.returning(DEPLOYMENT.c.request)).scalar_one_or_none()
    if request is None:
        return False
    asked = request_of(request)
    reason = finished.reason
    if reason and reason.code in {Code.SUPERSEDED, Code.GAVE_WAY} and reason.where:
        _tell_newer(connection, reason.where, Supersedes(deployment_id, asked.commit.sha), now)
    append_finished(connection, deployment_id, now, finished, sha=asked.commit.sha)
    if cancelled:
        _say_cancelled(connection, deployment_id, asked, cancelled)
    reasons = (finished.reason.code.value,) if finished.reason else ()
    facts = {
        "outcome": finished.outcome.value,
        "fact": finished.reason.fact if finished.reason else None,
        "pipelines": pipelines_as_json(finished.pipelines),
        "images": [f"{each.repository}@{each.digest}" for each in finished.images],
    }
    append(connection, _entry(Action.FINISHED, BOT, deployment_id, asked, reasons, facts))
    return True


def _tell_newer(connection: sa.Connection, newer: str, said: Supersedes, now: float) -> None:
    """Say on the deployment that takes the place too that it does."""
    known = sa.select(DEPLOYMENT.c.seq).where(DEPLOYMENT.c.id == newer)
    if connection.execute(known).first():
        append_event(connection, newer, now, said)


def _say_cancelled(
    connection: sa.Connection, deployment_id: str, request: Request, cancelled: _Cancelled
) -> None:
    facts = {"how": cancelled.how} if cancelled.how else {}
    entry = _entry(Action.CANCEL_REQUESTED, cancelled.by, deployment_id, request, facts=facts)
    append(connection, entry, once=cancelled.once)


def _entry(
    action: Action,
    by: Actor,
    deployment_id: str,
    request: Request,
    reasons: tuple[str, ...] = (),
    facts: Mapping[str, object] | None = None,
) -> Entry:
    said = {key: each for key, each in (facts or {}).items() if each}
    place = (request.repository, request.environment, deployment_id)
    return Entry(action, by, time.time(), *place, reasons=reasons, facts=said)


def _reason(code: Code, fact: str) -> Reason:
    return StoppedError(code, fact).reason
