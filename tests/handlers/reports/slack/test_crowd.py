"""Two hundred deployments report at once into five channels."""

from pathlib import Path

import pytest

from tests.handlers.reports.slack.crowd import Crowd, crowd


@pytest.fixture
async def seen(tmp_path: Path) -> Crowd:
    return await crowd(tmp_path, 200, 5, counts_work=False)


async def test_no_limit_is_broken_and_every_end_arrives(seen: Crowd) -> None:
    assert seen.broken == []
    assert seen.missing == []
    # By the driven clock, so that no busy machine changes it.
    assert seen.median_lag < 3
