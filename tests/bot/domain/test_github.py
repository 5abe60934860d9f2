"""What the values from GitHub say of themselves."""

from dataclasses import replace

import pytest

from bot.domain.github import Permission
from tests.bot.domain.gate_example import PULL, REPOSITORY


def test_permissions_grow() -> None:
    grown = ["none", "read", "triage", "write", "maintain", "admin"]
    assert [each.label for each in sorted(Permission)] == grown


@pytest.mark.parametrize(
    ("head", "is_fork"),
    [("acme/edges", False), ("Acme/Edges", False), ("eve/edges", True), (None, True)],
)
def test_a_fork_is_a_head_in_another_repository(head: str | None, is_fork: bool) -> None:  # noqa: FBT001 - a parameter of the table
    assert replace(PULL, head_repository=head).is_fork(REPOSITORY) is is_fork
