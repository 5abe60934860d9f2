"""Why a deployment waits, in sentences."""

from bot.domain.deployment import Actor
from bot.domain.explanation import Explanation
from bot.domain.gate_facts import Standing
from bot.domain.lock import Lock
from bot.domain.queue import Place, Wait
from handlers.reports.why import why_lines
from tests.handlers.reports.example import REPOSITORY, WAITING

HOUR = 3600.0


def test_how_long_a_lock_has_been_there_is_told_as_of_now() -> None:
    asked = WAITING.created_at
    lock = Lock("1", REPOSITORY, "staging", Actor("ada", "github"), "a demo", asked - HOUR)
    explanation = Explanation(WAITING, place=Place(Wait.NEXT), standing=Standing((lock,)))
    lines = why_lines(explanation, "/pachops", asked + HOUR)
    assert "- staging is locked by ada (2 hours ago): a demo" in lines
