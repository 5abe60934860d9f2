"""Who can read which repository, remembered for a while: it decides what is shown, nothing else."""

import time
from collections.abc import Callable

SECONDS = 300.0
"""Of a crowd that opens its Homes, each asks GitHub one call for every repository but once in it."""


class Readable:
    """What GitHub said of logins and repositories; what a command may do is asked anew."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: dict[str, dict[str, tuple[bool, float]]] = {}

    def said(self, login: str, full_name: str) -> bool | None:
        """Whether the login can read it; None where that is to be asked for."""
        answer = self._said.get(login.lower(), {}).get(full_name.lower())
        if answer is None or answer[1] <= self._clock():
            return None
        return answer[0]

    def note(self, login: str, full_name: str, *, can_read: bool) -> None:
        """Remember an answer of GitHub."""
        now = self._clock()
        fresh = {
            name: answer
            for name, answer in self._said.get(login.lower(), {}).items()
            if answer[1] > now
        }
        self._said[login.lower()] = fresh | {full_name.lower(): (can_read, now + SECONDS)}
