"""PyGithub on threads of its own: it blocks, and one client of it serves one thread only."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from github import Github
from github.Auth import Auth

from bot.services.github.redirects import follow_redirects

T = TypeVar("T")

PER_PAGE = 100
"""The most that GitHub gives."""


class Threads:
    """A few threads, each with a client of its own for each login; connections are kept.

    `timeout` in seconds is for one request.
    """

    def __init__(self, base_url: str, *, count: int, timeout: int) -> None:
        self._base_url = base_url
        self._timeout = timeout
        self._executor = ThreadPoolExecutor(count, thread_name_prefix="github")
        self._own = threading.local()
        self._clients: list[Github] = []

    async def run(self, auth: Auth | None, work: Callable[[Github], T]) -> T:
        """Do blocking work with the client of this login that its thread has."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, lambda: work(self._client(auth)))

    async def close(self) -> None:
        """End the threads, which takes as long as the requests under way, and the connections."""
        await asyncio.to_thread(self._executor.shutdown, cancel_futures=True)
        for client in self._clients:
            client.close()

    def _client(self, auth: Auth | None) -> Github:
        clients: dict[Auth | None, Github] = self._own.__dict__.setdefault("clients", {})
        if auth not in clients:
            clients[auth] = Github(
                base_url=self._base_url,
                auth=auth,
                timeout=self._timeout,
                user_agent="pachops",
                per_page=PER_PAGE,
                pool_size=1,
                lazy=True,
                # It would wait and repeat in the thread, and repeat what must not be done twice.
                retry=None,
                seconds_between_requests=None,
                seconds_between_writes=None,
            )
            follow_redirects(clients[auth].requester)
            self._clients.append(clients[auth])
        return clients[auth]
