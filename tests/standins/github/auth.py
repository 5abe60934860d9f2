"""Who calls, and what they may."""

import base64
import secrets
from dataclasses import dataclass
from typing import Any

import jwt

from bot.domain.github import Permission
from tests.standins.github.app import LEVELS, App, Installation, Token, public_key
from tests.standins.github.errors import (
    ApiError,
    bad_credentials,
    bad_jwt,
    invalid,
    not_for_integrations,
    not_found,
)
from tests.standins.github.state import Repo, User
from tests.standins.github.world import World

LONGEST_JWT = 600


@dataclass(frozen=True)
class Caller:
    """Whoever sent a request: the App itself, a token's holder, or nobody."""

    world: World
    app: App | None = None
    token: Token | None = None

    @property
    def name(self) -> str:
        """For the list of calls."""
        if self.app:
            return "app"
        if self.token is None:
            return ""
        if self.token.installation:
            return f"installation {self.token.installation.id}"
        return self.token.user

    @property
    def user(self) -> User:
        """Who the things that are made belong to."""
        if self.token is None:
            raise ApiError(401, "Requires authentication")
        return self.world.bot if self.token.installation else self.world.user(self.token.user)

    @property
    def is_integration(self) -> bool:
        """Whether this is an installation of the App."""
        return self.token is not None and self.token.installation is not None

    def require_app(self) -> App:
        """Only the App's own login may go on."""
        if self.app is None:
            raise bad_jwt()
        return self.app

    def sees(self, repo: Repo) -> bool:
        """Whether the caller may know of the repository."""
        if not repo.private:
            return True
        if self.token is None:
            return False
        if self.token.installation is None:
            return repo.role(self.token.user) >= Permission.READ
        visible = self.token.installation.repos
        narrowed = visible if self.token.repos is None else visible & self.token.repos
        return repo.full_name in narrowed

    def require(self, repo: Repo, accepted: tuple[str, ...], role: Permission) -> None:
        """An installation needs one of these permissions, a person this role.

        What is public may be read by everybody.
        """
        if self.app is not None or not self.sees(repo):
            raise not_found()
        is_read = all(each.endswith(":read") for each in accepted)
        if not repo.private and is_read and role <= Permission.READ:
            return
        if self.token is None:
            raise ApiError(401, "Requires authentication")
        if self.is_integration:
            if not any(self.has(each) for each in accepted):
                raise not_for_integrations(accepted)
        elif repo.role(self.token.user) < role:
            raise _no_rights(role)

    def has(self, wanted: str) -> bool:
        """Whether an installation's token has `NAME:LEVEL` or more; a person's is not asked."""
        if self.token is None or not self.is_integration:
            return True
        name, _, level = wanted.partition(":")
        held = self.token.permissions.get(name)
        return held is not None and LEVELS[held] >= LEVELS[level]


def caller_of(world: World, authorization: str | None) -> Caller:
    """Who sends this header."""
    if not authorization:
        return Caller(world)
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer" and value.count(".") == 2 and not value.startswith("gh"):
        return Caller(world, app=_app(world, value))
    if scheme.lower() not in {"token", "bearer"}:
        raise bad_credentials()
    return Caller(world, token=find_token(world, value))


def caller_by_password(world: World, authorization: str | None) -> Caller:
    """Who sends this header to git: any name, with a token as its password."""
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return Caller(world)
    try:
        password = base64.b64decode(value, validate=True).decode().partition(":")[2]
    except ValueError:
        raise bad_credentials() from None
    return Caller(world, token=find_token(world, password))


def find_token(world: World, value: str) -> Token:
    """A token that is out and good."""
    found = world.tokens.get(value)
    if found is None:
        raise bad_credentials()
    if found.expires_at is not None and world.clock.now() >= found.expires_at:
        raise bad_credentials()
    if found.installation and found.installation.suspended:
        raise ApiError(403, "This installation has been suspended")
    return found


def issue_token(world: World, installation: Installation, asked: dict[str, Any]) -> Token:
    """A token of an installation, which can only be narrower than it."""
    if installation.suspended:
        raise ApiError(403, "This installation has been suspended")
    permissions: dict[str, str] = asked.get("permissions") or dict(installation.permissions)
    for name, level in permissions.items():
        held = installation.permissions.get(name)
        if held is None or level not in LEVELS or LEVELS[level] > LEVELS[held]:
            raise ApiError(422, "The permissions requested are not granted to this installation.")
    token = Token(
        # Longer than forty characters, as GitHub's have become.
        f"ghs_{world.app.id}_{secrets.token_urlsafe(60)}",
        expires_at=world.clock.now() + world.token_life,
        installation=installation,
        repos=_narrowed(world, installation, asked),
        permissions={"metadata": "read"} | permissions,
    )
    world.tokens[token.value] = token
    return token


def _narrowed(
    world: World, installation: Installation, asked: dict[str, Any]
) -> frozenset[str] | None:
    names, ids = asked.get("repositories"), asked.get("repository_ids")
    if names is None and ids is None:
        return None
    found = {
        each
        for each in installation.repos
        if each.partition("/")[2] in (names or ()) or world.repos[each].id in (ids or ())
    }
    if len(found) != len(names or ()) + len(ids or ()):
        raise invalid("Installation", "repositories", "custom", "is not accessible to the parent")
    return frozenset(found)


def _app(world: World, value: str) -> App:
    try:
        claims = jwt.decode(
            value,
            public_key(world.app.private_key),
            algorithms=["RS256"],
            options={"require": ["iat", "exp", "iss"], "verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError:
        raise bad_jwt() from None
    now = world.clock.now()
    if claims["iss"] != str(world.app.id):
        raise ApiError(404, "Integration not found")
    if claims["exp"] <= now:
        raise bad_jwt("'Expiration time' claim ('exp') must be a numeric value in the future")
    if claims["exp"] > now + LONGEST_JWT:
        raise bad_jwt("'Expiration time' claim ('exp') is too far in the future")
    if claims["iat"] > now:
        raise bad_jwt("'Issued at' claim ('iat') must be an Integer in the past")
    return world.app


def _no_rights(role: Permission) -> ApiError:
    if role >= Permission.WRITE:
        return ApiError(403, "Must have push access to the repository.")
    return not_found()
