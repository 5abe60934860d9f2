import pytest

from handlers.slack.memory import Memory


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(clock: Clock) -> Memory[str, bool]:
    return Memory(60.0, clock)


def test_what_was_not_said_is_to_be_asked_for(memory: Memory[str, bool]) -> None:
    assert memory.said("ada") is None


def test_a_no_is_an_answer_too(memory: Memory[str, bool]) -> None:
    memory.note("ada", answer=False)
    assert memory.said("ada") is False


def test_an_answer_is_good_until_its_time_is_over(clock: Clock, memory: Memory[str, bool]) -> None:
    memory.note("ada", answer=True)
    clock.now += 59.0
    assert memory.said("ada") is True
    clock.now += 1.0
    assert memory.said("ada") is None


def test_an_answer_that_is_given_anew_is_good_for_as_long_again(
    clock: Clock, memory: Memory[str, bool]
) -> None:
    memory.note("ada", answer=True)
    memory.note("eve", answer=True)
    clock.now += 59.0
    memory.note("ada", answer=True)
    clock.now += 59.0
    memory.note("bob", answer=True)
    assert memory.said("ada") is True


def test_what_is_too_old_is_not_kept(clock: Clock, memory: Memory[str, bool]) -> None:
    memory.note("ada", answer=True)
    memory.note("eve", answer=True)
    clock.now += 60.0
    memory.note("bob", answer=True)
    assert list(memory._noted) == ["bob"]
