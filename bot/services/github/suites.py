"""The checks of one commit, which GitHub keeps together for each App."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.services.github.orders import Conclusion
from bot.services.github.place import Place
from bot.services.github.raw import get
from bot.services.github.threads import PER_PAGE


@dataclass(frozen=True)
class OwnCheck:
    """A check of ours, as it is there."""

    id: int
    head_sha: str
    external_id: str


class Suites(Place):
    """Suites of checks."""

    async def checks_of_suite(self, suite: int) -> tuple[OwnCheck, ...]:
        """The latest check of each name, one for each environment."""
        path = f"{self._path}/check-suites/{suite}/check-runs"
        return await self._ask(
            f"listing the checks of suite {suite}",
            lambda github: _read(get(github, path, per_page=PER_PAGE)),
        )

    async def end_check(self, check: int, conclusion: Conclusion) -> None:
        """Give it its end back; what it shows stays."""
        await self._ask(
            f"ending check {check}",
            lambda github: (
                self._repository(github)
                .get_check_run(check)
                .edit(status="completed", conclusion=conclusion)
            ),
        )

    async def resume_check(self, check: int) -> None:
        """Show that it goes on; what it shows stays."""
        await self._ask(
            f"resuming check {check}",
            lambda github: self._repository(github).get_check_run(check).edit(status="in_progress"),
        )


def _read(answer: Mapping[str, Any]) -> tuple[OwnCheck, ...]:
    return tuple(
        OwnCheck(int(each["id"]), str(each["head_sha"]), str(each["external_id"] or ""))
        for each in answer["check_runs"]
    )
