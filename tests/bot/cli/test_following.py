"""How a command ends, whatever goes on after what it was asked for has ended."""

from pathlib import Path

import pytest

from bot.cli.following import carried_out
from bot.domain.deployment import Outcome
from bot.domain.progress import Finished
from bot.domain.reasons import Code, StoppedError
from bot.session import Session
from bot.settings import load_settings
from handlers.reports.json_lines import JsonLines

DEPLOYED = Finished(Outcome.SUCCEEDED, "d1", "a" * 40, (), (), None)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    settings = load_settings({"HOME": str(tmp_path), "PACHOPS_DATA_DIR": str(tmp_path / "data")})
    return Session(settings, JsonLines(None))


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), StoppedError(Code.DISK_FULL, "no room"), ZeroDivisionError()]
)
def test_what_comes_after_the_end_does_not_change_it(
    session: Session, error: BaseException
) -> None:
    async def work(session: Session) -> Finished:
        session.ended, session.ended_at = DEPLOYED, 1000.0
        raise error

    assert carried_out(lambda: session, work) == (1000.0, DEPLOYED)


def test_ctrl_c_before_the_end_is_its_end(session: Session) -> None:
    async def work(_session: Session) -> Finished:
        raise KeyboardInterrupt

    _, ended = carried_out(lambda: session, work)
    assert ended.outcome is Outcome.CANCELLED
