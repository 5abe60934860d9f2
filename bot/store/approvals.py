"""Requests for approval and the votes on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from bot.domain.approval import (
    ApprovalRequest,
    ApprovalState,
    Cast,
    Proposal,
    Verdict,
    Vote,
    state_of,
)
from bot.domain.audit import Action, Entry
from bot.domain.deployment import Actor, State
from bot.store.audit import append
from bot.store.database import Database
from bot.store.tables import APPROVAL, DEPLOYMENT, VOTE
from bot.store.values import decode, encode

_PROPOSAL: TypeAdapter[Proposal] = TypeAdapter(Proposal)
_ACTOR: TypeAdapter[Actor] = TypeAdapter(Actor)


@dataclass(frozen=True)
class Asked:
    """A request with its votes, and how it stands."""

    request: ApprovalRequest
    votes: tuple[Vote, ...]
    state: ApprovalState


class Approvals:
    """All requests. Changes are on disk when a call returns, with their row in the audit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, request: ApprovalRequest) -> ApprovalRequest:
        """Ask once: where it was asked before, that request with its own deadline.

        One for another proposal takes its place, and its votes are void.
        """

        def write(connection: sa.Connection) -> ApprovalRequest:
            row = _row(connection, request.deployment, hold=True)
            there = _request(row) if row else None
            if there is not None and there.proposal.digest == request.proposal.digest:
                return there
            connection.execute(
                sa.delete(APPROVAL).where(APPROVAL.c.deployment == request.deployment)
            )
            _insert(connection, request)
            facts = {
                "sha": request.proposal.sha,
                "digest": request.proposal.digest,
                "needed": request.needed,
                "deadline": request.deadline,
            }
            _say(connection, Action.APPROVAL_ASKED, request.asked_by, request, facts)
            return request

        return await self._database.write(write)

    async def vote(
        self,
        deployment: str,
        vote: Vote,
        *,
        needed: int = 0,
        sha: str | None = None,
        digest: str | None = None,
        once: str | None = None,
    ) -> Cast:
        """Cast a vote, once for each person, however often it arrives.

        Whether they may vote at all is for the gate (`may_approve`).

        Args:
            deployment: its id.
            vote: what they say.
            needed: what the rules ask for now; fewer than when it was asked change nothing.
            sha: of the commit that they saw.
            digest: of the proposal that they saw.
            once: as in the audit.
        """

        def write(connection: sa.Connection) -> Cast:
            row = _row(connection, deployment, hold=True)
            if row is None:
                return Cast.UNKNOWN
            request = _request(row)
            if _votes(connection, deployment, vote.by):
                return Cast.ALREADY
            if row.settled or vote.at >= request.deadline or _is_over(connection, deployment):
                return Cast.CLOSED
            if vote.by.may_be(request.asked_by):
                return Cast.ASKED
            seen = request.proposal
            if sha not in {None, seen.sha} or digest not in {None, seen.digest}:
                return Cast.OUTDATED
            if needed > request.needed:
                more = sa.update(APPROVAL).where(APPROVAL.c.deployment == deployment)
                connection.execute(more.values(needed=needed))
            connection.execute(
                sa.insert(VOTE).values(
                    deployment=deployment,
                    identity=vote.by.identity,
                    by=encode(_ACTOR.dump_python(vote.by, mode="json")),
                    verdict=vote.verdict,
                    at=vote.at,
                )
            )
            facts = {"verdict": vote.verdict.value, "sha": seen.sha, "digest": seen.digest}
            _say(connection, Action.VOTED, vote.by, request, facts, at=vote.at, once=once)
            return Cast.COUNTED

        return await self._database.write(write)

    async def settle(self, deployment: str, now: float) -> Asked | None:
        """How it stands now; once it is decided it stays so. None where nobody asked."""

        def write(connection: sa.Connection) -> Asked | None:
            row = _row(connection, deployment, hold=True)
            if row is None:
                return None
            request, votes = _request(row), _votes(connection, deployment)
            if row.settled:
                return Asked(request, votes, ApprovalState(row.settled))
            found = state_of(request, votes, now)
            if found is not ApprovalState.OPEN:
                change = sa.update(APPROVAL).where(APPROVAL.c.deployment == deployment)
                connection.execute(change.values(settled=found, settled_at=now))
            return Asked(request, votes, found)

        return await self._database.write(write)

    async def get(self, deployment: str) -> Asked | None:
        """The request as it was last settled; None where nobody asked."""

        def read(connection: sa.Connection) -> Asked | None:
            row = _row(connection, deployment)
            if row is None:
                return None
            state = ApprovalState(row.settled) if row.settled else ApprovalState.OPEN
            return Asked(_request(row), _votes(connection, deployment), state)

        return await self._database.read(read)

    async def open(self, repository: str | None = None) -> tuple[ApprovalRequest, ...]:
        """Those that wait for votes, the oldest first."""
        query = (
            sa.select(APPROVAL)
            .join(DEPLOYMENT, DEPLOYMENT.c.id == APPROVAL.c.deployment)
            .where(APPROVAL.c.settled.is_(None), DEPLOYMENT.c.state != State.FINISHED)
            .order_by(APPROVAL.c.asked_at)
        )
        if repository is not None:
            query = query.where(DEPLOYMENT.c.repository == repository)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return tuple(map(_request, rows))


def _row(connection: sa.Connection, deployment: str, *, hold: bool = False) -> sa.Row[Any] | None:
    query = sa.select(APPROVAL).where(APPROVAL.c.deployment == deployment)
    return connection.execute(query.with_for_update() if hold else query).first()


def _votes(connection: sa.Connection, deployment: str, by: Actor | None = None) -> tuple[Vote, ...]:
    query = sa.select(VOTE).where(VOTE.c.deployment == deployment).order_by(VOTE.c.at)
    if by is not None:
        query = query.where(VOTE.c.identity == by.identity)
    rows = connection.execute(query).all()
    return tuple(
        Vote(_ACTOR.validate_python(decode(row.by)), Verdict(row.verdict), row.at) for row in rows
    )


def _is_over(connection: sa.Connection, deployment: str) -> bool:
    query = sa.select(DEPLOYMENT.c.state).where(DEPLOYMENT.c.id == deployment)
    return connection.execute(query).scalar() == State.FINISHED


def _insert(connection: sa.Connection, request: ApprovalRequest) -> None:
    connection.execute(
        sa.insert(APPROVAL).values(
            deployment=request.deployment,
            proposal=encode(_PROPOSAL.dump_python(request.proposal, mode="json")),
            asked_by=encode(_ACTOR.dump_python(request.asked_by, mode="json")),
            needed=request.needed,
            asked_at=request.asked_at,
            deadline=request.deadline,
        )
    )


def _say(
    connection: sa.Connection,
    action: Action,
    by: Actor,
    request: ApprovalRequest,
    facts: Mapping[str, object],
    *,
    at: float | None = None,
    once: str | None = None,
) -> None:
    query = sa.select(DEPLOYMENT.c.repository, DEPLOYMENT.c.environment).where(
        DEPLOYMENT.c.id == request.deployment
    )
    place = connection.execute(query).one()
    when = request.asked_at if at is None else at
    entry = Entry(
        action, by, when, place.repository, place.environment, request.deployment, facts=facts
    )
    append(connection, entry, once=once)


def _request(row: sa.Row[Any]) -> ApprovalRequest:
    return ApprovalRequest(
        row.deployment,
        _PROPOSAL.validate_python(decode(row.proposal)),
        _ACTOR.validate_python(decode(row.asked_by)),
        row.needed,
        row.asked_at,
        row.deadline,
    )
