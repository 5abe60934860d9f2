"""What a method is given, and the methods that there are."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.standins.slack.errors import SlackError, invalid
from tests.standins.slack.state import Channel
from tests.standins.slack.world import World


@dataclass(frozen=True)
class Call:
    """A method's arguments, its caller known and let in."""

    world: World
    method: str
    arguments: Mapping[str, Any]
    scopes: frozenset[str]

    def text(self, name: str) -> str:
        """A text that must be there."""
        found = self.arguments.get(name)
        if not isinstance(found, str) or not found:
            raise invalid(name, f"missing required field: {name}")
        return found

    def optional(self, name: str, default: str = "") -> str:
        """A text that may be there."""
        found = self.arguments.get(name, default)
        if not isinstance(found, str):
            raise invalid(name, f"must be a string: {name}")
        return found

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A yes or no, in any way that Slack takes it."""
        found = self.arguments.get(name, default)
        return found in {True, "1", "true", "True"}

    def object(self, name: str) -> Any:
        """JSON, also as text; None where it is not there."""
        found = self.arguments.get(name)
        if not isinstance(found, str):
            return found
        try:
            return json.loads(found)
        except ValueError:
            raise invalid(name, f"{name} is not JSON") from None

    def channel(self, name: str = "channel") -> Channel:
        """A channel that must be there."""
        found = self.arguments.get(name)
        if not isinstance(found, str) or not found:
            raise SlackError("channel_not_found")
        return self.world.channel(found)

    def need(self, scope: str) -> None:
        """Go on only with this scope."""
        if scope not in self.scopes:
            raise SlackError("missing_scope", needed=scope, provided=",".join(sorted(self.scopes)))


Handler = Callable[[Call], dict[str, Any]]


@dataclass(frozen=True)
class Method:
    """A method of the Web API."""

    name: str
    scope: str
    """Empty where any bot token will do."""
    tier: int
    """0 for none."""
    handler: Handler
    takes_json: bool = True
    """Many of those that only read take no JSON body."""
    by_app: bool = False
    """With the app's own token instead of the bot's."""


class Methods:
    """The methods of one part of the API."""

    def __init__(self) -> None:
        self.all: list[Method] = []

    def add(
        self, name: str, scope: str = "", *, tier: int = 0, json: bool = True, by_app: bool = False
    ) -> Callable[[Handler], Handler]:
        """A method, the scope that it needs and its tier."""

        def added(handler: Handler) -> Handler:
            self.all.append(Method(name, scope, tier, handler, json, by_app))
            return handler

        return added
