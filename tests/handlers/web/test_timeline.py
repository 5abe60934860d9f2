from bot.domain.progress import Ended
from handlers.reports.board import Board
from handlers.web.timeline import draw
from tests.handlers.reports import example


def test_a_stage_begins_where_the_last_one_ended() -> None:
    drawing = draw(example.board(example.succeeded()), example.START + 100)
    assert drawing
    ends = [bar.x + bar.width for bar in drawing.bars]
    begins = [bar.x for bar in drawing.bars]
    assert all(begin >= end - 6 for end, begin in zip(ends, begins[1:], strict=False))
    assert max(ends) <= drawing.width


def test_what_runs_reaches_to_now() -> None:
    board = example.board(example.building())
    drawing = draw(board, example.START + 60)
    assert drawing
    assert drawing.bars[-1].ended is None
    assert drawing.bars[-1].duration == "58s"
    assert drawing.bars[0].ended is Ended.SUCCEEDED


def test_before_the_first_stage_there_is_nothing_to_see() -> None:
    assert draw(Board(), 0.0) is None
