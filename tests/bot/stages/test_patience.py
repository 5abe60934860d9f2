import pytest

from bot.domain.reasons import Code, StoppedError
from bot.stages.patience import patiently


class Work:
    """Fails so many times."""

    def __init__(self, failures: int, code: Code = Code.GITHUB_UNREACHABLE) -> None:
        self.attempts = 0
        self.slept: list[float] = []
        self._failures = failures
        self._code = code

    async def __call__(self) -> str:
        self.attempts += 1
        if self.attempts <= self._failures:
            raise StoppedError(self._code, "no answer")
        return "done"

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def test_github_that_comes_back_is_waited_for() -> None:
    work = Work(2)
    assert await patiently(work, pauses=(1.0, 2.0, 3.0), sleep=work.sleep) == "done"
    assert work.slept == [1.0, 2.0]


async def test_it_is_not_waited_for_for_ever() -> None:
    work = Work(9)
    with pytest.raises(StoppedError, match="github_unreachable"):
        await patiently(work, pauses=(1.0, 2.0), sleep=work.sleep)
    assert work.attempts == 3


async def test_what_does_not_pass_is_said_at_once() -> None:
    work = Work(1, Code.GITHUB_REFUSED)
    with pytest.raises(StoppedError, match="github_refused"):
        await patiently(work, pauses=(1.0,), sleep=work.sleep)
    assert (work.attempts, work.slept) == (1, [])
