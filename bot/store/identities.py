"""Who is who: a person's Slack user and GitHub login, joined by the person."""

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from bot.store.database import Database
from bot.store.tables import IDENTITY, LINK_CODE, LINK_TRY

MOST_TRIES = 5
TRIES_SECONDS = 60 * 60.0
"""In how much time a login may say so many wrong codes."""
CODE_SECONDS = 15 * 60.0
"""How long a code can be used."""
_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"
"""Nothing in it is mistaken for something else."""
_CODE_LENGTH = 10


class Proof(StrEnum):
    """How it is known that both are the same person."""

    CODE = "code"
    """A code given in Slack was said on GitHub."""
    EMAIL = "email"
    """Both sides have confirmed the same address."""


@dataclass(frozen=True)
class SlackUser:
    """A person in Slack."""

    team: str
    user: str


@dataclass(frozen=True)
class Identity:
    """Two names of one person."""

    slack: SlackUser
    login: str
    """On GitHub, in lower case."""
    proof: Proof
    linked_at: float
    """Seconds since the epoch."""


class Identities:
    """Every link that people made. Changes are on disk when a call returns."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def of_slack(self, slack: SlackUser) -> Identity | None:
        """Whose Slack user this is."""
        return await self._find(IDENTITY.c.team == slack.team, IDENTITY.c.user == slack.user)

    async def of_login(self, team: str, login: str) -> Identity | None:
        """Who this GitHub login is in a Slack workspace."""
        return await self._find(IDENTITY.c.team == team, IDENTITY.c.login == login.lower())

    async def has_login(self, login: str) -> bool:
        """Whether anybody has joined this GitHub login, in whichever workspace."""
        return await self._find(IDENTITY.c.login == login.lower()) is not None

    async def link(self, slack: SlackUser, login: str, proof: Proof) -> Identity:
        """Join the two, each in place of what it was joined to before."""
        identity = Identity(slack, login.lower(), proof, self._clock())
        await self._database.write(lambda connection: _join(connection, identity))
        return identity

    async def unlink(self, slack: SlackUser) -> bool:
        """Part them; False where they were not joined."""
        gone = sa.delete(IDENTITY).where(
            IDENTITY.c.team == slack.team, IDENTITY.c.user == slack.user
        )
        return await self._database.write(lambda connection: connection.execute(gone).rowcount > 0)

    async def unlink_login(self, login: str) -> bool:
        """Part a login from its Slack users, in every workspace; False where it had none."""
        gone = sa.delete(IDENTITY).where(IDENTITY.c.login == login.lower())
        return await self._database.write(lambda connection: connection.execute(gone).rowcount > 0)

    async def new_code(self, slack: SlackUser) -> str:
        """A code that proves on GitHub who asked for it in Slack; the last one is void."""
        code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
        until = self._clock() + CODE_SECONDS

        def write(connection: sa.Connection) -> None:
            connection.execute(sa.delete(LINK_CODE).where(LINK_CODE.c.until < self._clock()))
            own = (LINK_CODE.c.team == slack.team) & (LINK_CODE.c.user == slack.user)
            connection.execute(sa.delete(LINK_CODE).where(own))
            # Only its hash: whoever reads the database cannot use it.
            row = {"code": _hash(code), "team": slack.team, "user": slack.user, "until": until}
            connection.execute(sa.insert(LINK_CODE).values(row))

        await self._database.write(write)
        return code

    async def use_code(self, code: str, login: str) -> Identity | None:
        """Join the login to whoever was given the code; None where it is not or no more valid.

        After MOST_TRIES that were wrong no code is, for a while.
        """

        def use(connection: sa.Connection) -> Identity | None:
            now = self._clock()
            if _tries(connection, login, now) >= MOST_TRIES:
                return None
            gone = sa.delete(LINK_CODE).where(LINK_CODE.c.code == _hash(code.strip().lower()))
            row = connection.execute(
                gone.returning(LINK_CODE.c.team, LINK_CODE.c.user, LINK_CODE.c.until)
            ).first()
            if row is None or row.until < now:
                connection.execute(sa.insert(LINK_TRY).values(login=login.lower(), at=now))
                return None
            slack = SlackUser(row.team, row.user)
            identity = Identity(slack, login.lower(), Proof.CODE, self._clock())
            _join(connection, identity)
            return identity

        return await self._database.write(use)

    async def _find(self, *conditions: sa.ColumnElement[bool]) -> Identity | None:
        query = sa.select(IDENTITY).where(*conditions)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        if row is None:
            return None
        return Identity(SlackUser(row.team, row.user), row.login, Proof(row.proof), row.linked_at)


def _tries(connection: sa.Connection, login: str, now: float) -> int:
    connection.execute(sa.delete(LINK_TRY).where(LINK_TRY.c.at <= now - TRIES_SECONDS))
    query = sa.select(sa.func.count()).where(LINK_TRY.c.login == login.lower())
    return connection.execute(query).scalar_one()


def _join(connection: sa.Connection, identity: Identity) -> None:
    slack, login = identity.slack, identity.login
    either = (IDENTITY.c.user == slack.user) | (IDENTITY.c.login == login)
    connection.execute(sa.delete(IDENTITY).where(IDENTITY.c.team == slack.team, either))
    connection.execute(
        sa.insert(IDENTITY).values(
            team=slack.team,
            user=slack.user,
            login=login,
            proof=identity.proof,
            linked_at=identity.linked_at,
        )
    )


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
