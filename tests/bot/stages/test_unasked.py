import pytest

from bot.domain.reasons import Code, StoppedError
from bot.stages.unasked import NoCluster, NoRegistry


async def test_all_looks_new() -> None:
    assert await NoRegistry().digest("registry.acme.io/edges", "a") is None
    assert await NoCluster().inspect("default", "edges") is None
    assert await NoCluster().effective('{"pipeline": {"name": "a"}}') == {"pipeline": {"name": "a"}}


async def test_a_template_is_not_rendered() -> None:
    with pytest.raises(StoppedError) as stopped:
        await NoCluster().render("{}", {})
    assert stopped.value.reason.code is Code.FORK_NOT_ALLOWED
