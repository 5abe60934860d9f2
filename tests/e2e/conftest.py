from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.world import World
from tests.real.registry import Registry
from tests.standins.pachd import Pachd
from tests.standins.pachd.life import Timing

QUICK = Timing(starting=0.05, workers=0.2, crashing=0.3, job=0.1, datum=0.02)


@pytest.fixture
def good_images() -> set[str]:
    """Where it names any, data fails in all other images."""
    return set()


@pytest.fixture
def pachd(good_images: set[str]) -> Iterator[Pachd]:
    def fails(_pipeline: str, image: str, _path: str) -> bool:
        return bool(good_images) and image not in good_images

    with Pachd(real_time=True, timing=QUICK, datum_fails=fails) as pachd:
        pachd.create_repo("images")
        yield pachd


@pytest.fixture
def world(
    tmp_path: Path, engine_host: str, busybox_image: str, registry: Registry, pachd: Pachd
) -> World:
    return World(tmp_path, engine_host, busybox_image, registry, pachd)
