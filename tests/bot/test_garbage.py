import gc
from collections.abc import Iterator

import pytest

from bot.garbage import keep_what_is_loaded, load_quickly, load_sparingly


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    pace = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*pace)


def test_what_is_loaded_is_not_looked_through_again() -> None:
    loaded: list[list[str]] = [[]]

    keep_what_is_loaded()

    assert not any(each is loaded for each in gc.get_objects())


def test_garbage_does_not_pile_up_in_what_stands() -> None:
    usual = gc.get_threshold()

    load_quickly()
    assert gc.get_threshold() > usual

    load_sparingly()
    assert gc.get_threshold() == usual


class _Loop:
    def __init__(self) -> None:
        self.itself = self


def test_garbage_of_the_start_is_not_kept() -> None:
    _Loop()

    keep_what_is_loaded()

    gc.unfreeze()
    assert not any(isinstance(each, _Loop) for each in gc.get_objects())
