import gc
import warnings
from pathlib import Path

import pytest

from tests.real.engine import engine_answers


@pytest.mark.parametrize("exists", [False, True])
def test_an_engine_that_is_not_there_leaves_no_socket_open(tmp_path: Path, *, exists: bool) -> None:
    place = tmp_path / "docker.sock"
    if exists:
        place.touch()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert not engine_answers(f"unix://{place}")
        gc.collect()
    assert [each for each in warned if each.category is ResourceWarning] == []
