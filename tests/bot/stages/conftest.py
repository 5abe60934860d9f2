"""The engine, as the tests of its service have it."""

from tests.bot.services.docker.conftest import (
    any_engine,
    api,
    engine,
    events,
    private_login,
    private_registry,
    repository,
)

__all__ = [
    "any_engine",
    "api",
    "engine",
    "events",
    "private_login",
    "private_registry",
    "repository",
]
