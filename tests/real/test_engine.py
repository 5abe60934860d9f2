import gc
import os
import re
import warnings
from pathlib import Path

import pytest

from tests.real import engine
from tests.real.engine import Engine, NoEngineError, containerd_namespace, engine_answers


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


@pytest.mark.parametrize("random", ["3lc9rq1_", "_c9rq1x3", "3l__rq1x"])
def test_containerd_takes_the_name_of_every_folder(random: str) -> None:
    # As it says itself when it is asked to run a container.
    taken = re.compile(r"[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*")
    name = containerd_namespace(Path(f"/tmp/pachops-engine-{random}"))
    assert taken.fullmatch(name)
    assert taken.fullmatch(f"plugins.{name}")
    assert len(f"plugins.{name}") <= 76


def test_one_that_does_not_start_is_tried_again_and_says_why_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, dockerd = tmp_path / "tried", tmp_path / "dockerd"
    dockerd.write_text(f"#!/bin/sh\necho again >> {tried}\necho no firewall >&2\nexit 1\n")
    dockerd.chmod(0o755)
    monkeypatch.setattr(engine, "require_program", lambda *_, **__: dockerd)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv(engine.SHARED_HOST, f"unix://{tmp_path}/nobody.sock")
    with pytest.raises(NoEngineError, match="no firewall"):
        Engine().start()
    assert tried.read_text() == "again\n" * 3
