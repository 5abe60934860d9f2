"""GitHub answers, but not what the rules are."""

import pytest

from bot.domain.reasons import Code, StoppedError
from bot.services.github import RepositoryClient


class Outage:
    """While it lasts, GitHub gives no file of the default branch, and all else."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, code: Code = Code.GITHUB_UNREACHABLE
    ) -> None:
        self.lasts = True
        read = RepositoryClient.default_branch_file

        async def read_or_not(client: RepositoryClient, path: str) -> bytes | None:
            if self.lasts:
                raise StoppedError(code, f"reading {path} of the default branch: 500")
            return await read(client, path)

        monkeypatch.setattr(RepositoryClient, "default_branch_file", read_or_not)
