from collections.abc import Awaitable, Callable

import pytest

from bot.domain.deployment import Deployment, Stage
from bot.domain.progress import Log, Progress, StageStarted
from bot.store import log as store_log
from bot.store.database import Database
from bot.store.log import LogReader
from bot.store.progress import ProgressLog

Add = Callable[..., Awaitable[Deployment]]


def line(text: str) -> tuple[float, Progress]:
    return 1.0, Log(Stage.BUILD, "edges", text)


@pytest.fixture
async def filled(add: Add, progress: ProgressLog) -> Deployment:
    """Lines 2 to 101 with a stage before and one in the middle."""
    deployment = await add()
    started = (1.0, StageStarted(Stage.BUILD))
    lines = [line(f"line {number}") for number in range(100)]
    await progress.append(deployment.id, [started, *lines[:50], started, *lines[50:]])
    return deployment


async def test_the_end_is_read_without_the_rest(database: Database, filled: Deployment) -> None:
    lines = await LogReader(database).before(filled.id, None, 3)
    assert [each.text for each in lines] == ["line 97", "line 98", "line 99"]
    assert (lines[0].stage, lines[0].subject) == ("build", "edges")


async def test_pages_join_without_a_gap(database: Database, filled: Deployment) -> None:
    log = LogReader(database)
    last = await log.before(filled.id, None, 40)
    earlier = await log.before(filled.id, last[0].number, 40)
    first = await log.before(filled.id, earlier[0].number, 40)
    assert [each.text for each in (*first, *earlier, *last)] == [f"line {n}" for n in range(100)]
    assert await log.after(filled.id, first[-1].number, 40) == earlier


async def test_only_lines_are_counted_empty_ones_too(
    database: Database, filled: Deployment, progress: ProgressLog
) -> None:
    await progress.append(filled.id, [line("")])
    assert await LogReader(database).count(filled.id) == 101


async def test_what_is_told_beside_the_log_is_read_alone(
    filled: Deployment, progress: ProgressLog
) -> None:
    assert [event for _, _, event in await progress.told(filled.id)] == [
        StageStarted(Stage.BUILD)
    ] * 2
    assert len(await progress.told(filled.id, after=1)) == 1


@pytest.mark.parametrize(
    ("text", "sought"),
    [
        ("An ERROR here", "error"),
        ('a "quoted" word', '"quoted"'),
        ("C:\\temp", "c:\\t"),
        ("100%", "0%"),
        ("a_b", "a_b"),
        ("grün", "grün"),
        ("a\ttab", "a\ttab"),
    ],
)
async def test_a_text_is_found(
    add: Add, database: Database, progress: ProgressLog, text: str, sought: str
) -> None:
    deployment = await add()
    await progress.append(deployment.id, [line("hay"), line(text), line("aXb and 100 stage")])
    found = await LogReader(database).search(deployment.id, sought)
    assert [each.text for each in found.lines] == [text]
    assert found.is_whole


@pytest.mark.parametrize("sought", ["build", "subject", '"text":"', "edges"])
async def test_how_a_line_is_stored_is_not_found(
    filled: Deployment, database: Database, sought: str
) -> None:
    assert not (await LogReader(database).search(filled.id, sought)).lines


async def test_a_search_goes_over_many_spans_and_on_where_it_stopped(
    filled: Deployment, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_log, "SPAN", 7)
    log = LogReader(database)
    first = await log.search(filled.id, "LINE", limit=30)
    assert (len(first.lines), first.is_whole) == (30, False)
    rest = await log.search(filled.id, "LINE", after=first.searched_to, limit=100)
    assert (len(rest.lines), rest.is_whole) == (70, True)
