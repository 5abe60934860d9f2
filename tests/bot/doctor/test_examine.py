import asyncio
from collections.abc import Sequence

from pydantic import SecretStr

from bot.doctor.examine import examine
from bot.doctor.finding import Check, good
from bot.domain.finding import Finding, Level
from bot.domain.reasons import Code, StoppedError
from bot.redact import Redactor

NOTHING = Redactor([])


async def fine() -> Sequence[Finding]:
    return [good("one", "it works")]


async def test_a_reason_is_a_fault_with_its_next_step() -> None:
    async def stopped() -> Sequence[Finding]:
        raise StoppedError(Code.PACHD_UNREACHABLE, "grpc://x: refused", next_step="Start it.")

    first, second = await examine([Check("cluster", stopped), Check("one", fine)], NOTHING)
    assert (first.level, first.what, first.next_step) == (Level.FAULT, "cluster", "Start it.")
    assert second.level is Level.GOOD


async def test_what_does_not_answer_does_not_hold_up_the_rest() -> None:
    async def silent() -> Sequence[Finding]:
        await asyncio.Event().wait()
        return []

    (found,) = await examine([Check("cluster", silent, seconds=0.01)], NOTHING)
    assert found.level is Level.FAULT
    assert "no answer" in found.fact


async def test_a_check_that_is_broken_says_so() -> None:
    async def broken() -> Sequence[Finding]:
        raise KeyError("x")

    (found,) = await examine([Check("cluster", broken)], NOTHING)
    assert "the check itself failed" in found.fact


async def test_no_secret_is_told() -> None:
    async def telling() -> Sequence[Finding]:
        return [good("a token-1234", "token-1234 works")]

    (found,) = await examine([Check("x", telling)], Redactor([SecretStr("token-1234")]))
    assert "1234" not in repr(found)
