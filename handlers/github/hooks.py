"""Which webhooks are ours: the App's, or with a token those of the repositories that we know."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.reasons import Code, StoppedError
from bot.services.github import Hook, NoHook
from bot.store.deliveries import Deliveries

LOG = logging.getLogger(__name__)

MOST = 50
"""Repositories that are looked at, the latest that told us something."""
KEPT_SECONDS = 3600.0
"""How long it is known which webhook is ours: what did not arrive takes a call for each look."""


class Repository(Protocol):
    """A repository on GitHub; RepositoryClient is one."""

    async def our_hook(self, address: str | None) -> Hook | NoHook:
        """The webhook that goes to us."""


class GitHub(Protocol):
    """GitHub with our login."""

    @property
    def is_app(self) -> bool:
        """Whether one webhook is for all repositories."""

    def app_hook(self) -> Hook:
        """That webhook."""

    def for_repository(self, owner: str, name: str) -> Repository:
        """One repository."""


@dataclass(frozen=True)
class _Known:
    """What was found in a repository."""

    hook: Hook | None
    why: str
    """There is none."""
    until: float


class OurHooks:
    """Finds our webhooks, and says once of each repository why it has none that is known.

    `address` is where GitHub reaches our webhook from outside; None: not known. Errors: those of
    GitHub.
    """

    def __init__(
        self,
        github: GitHub,
        deliveries: Deliveries,
        address: str | None,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._github = github
        self._deliveries = deliveries
        self._address = address
        self._now = now
        self._known: dict[str, _Known] = {}

    async def __call__(self) -> Sequence[Hook]:
        """All that are known now."""
        if self._github.is_app:
            return (self._github.app_hook(),)
        names = await self._deliveries.repositories(MOST)
        self._known = {name: each for name, each in self._known.items() if name in names}
        found: list[Hook] = []
        problem: StoppedError | None = None
        for name in names:
            try:
                hook = await self._hook_of(name)
            except StoppedError as stopped:
                if stopped.reason.code is Code.GITHUB_LOGIN_REFUSED:
                    # So it is for all others.
                    raise
                problem = stopped
            else:
                found += [hook] if hook is not None else []
        if problem is not None and not found:
            raise problem
        if problem is not None:
            LOG.warning("the webhooks of some repositories could not be listed: %s", problem)
        return found

    async def _hook_of(self, full_name: str) -> Hook | None:
        before = self._known.get(full_name)
        if before is not None and self._now() < before.until:
            return before.hook
        found = await self._look_for(full_name)
        hook, why = (found, "") if isinstance(found, Hook) else (None, found)
        if why and (before is None or why != before.why):
            LOG.warning("what %s sends and we miss is not asked for again: %s", full_name, why)
        self._known[full_name] = _Known(hook, why, self._now() + KEPT_SECONDS)
        return hook

    async def _look_for(self, full_name: str) -> Hook | str:
        """The webhook, or why there is none."""
        owner, _, name = full_name.partition("/")
        try:
            found = await self._github.for_repository(owner, name).our_hook(self._address)
        except StoppedError as stopped:
            if stopped.reason.code is not Code.GITHUB_REFUSED:
                raise
            return str(stopped)
        return f"{found}. {found.next_step}" if isinstance(found, NoHook) else found
