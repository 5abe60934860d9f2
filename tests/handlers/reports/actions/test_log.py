import io

from pydantic import SecretStr

from bot.redact import Redactor
from handlers.reports.actions.log import ActionsLog
from handlers.reports.github.safe import Safe
from tests.e2e.runner import Seen
from tests.handlers.reports.example import Events, failed, succeeded


def seen(events: Events) -> Seen:
    out = io.StringIO()
    log = ActionsLog(out, Safe(Redactor([])))
    for at, event in events:
        log.show(at, event)
    log.close()
    found = Seen()
    for line in out.getvalue().splitlines():
        found.read(line)
    return found


def test_every_stage_is_a_fold_of_its_own() -> None:
    found = seen(succeeded())
    assert found.groups[0] == "pachops: source"
    assert len(set(found.groups)) == len(found.groups) == found.commands.count("endgroup")


def test_warnings_are_remarks() -> None:
    (warning,) = seen(succeeded()).annotations
    assert (warning.level, warning.message) == ("warning", "src/[bold]edges.py is not committed")


def test_the_end_of_a_failure_stands_outside_of_the_folds() -> None:
    found = seen(failed())
    assert found.commands.count("group") == found.commands.count("endgroup")
    (error,) = (each for each in found.annotations if each.level == "error")
    assert (error.file, error.line) == ("edges/Dockerfile", "7")
    assert "\n" in error.message


def test_at_the_end_later_steps_have_their_commands() -> None:
    assert seen(failed()).stopped is None


def test_what_is_quoted_is_in_a_fold_and_safe() -> None:
    out = io.StringIO()
    log = ActionsLog(out, Safe(Redactor([SecretStr("correct horse")])))
    log.quote("its own log", ["Traceback", "::error::forged", "correct horse"])
    log.close()
    found = Seen()
    for line in out.getvalue().splitlines():
        found.read(line)
    assert (found.groups, found.annotations) == (["its own log"], [])
    assert found.log == ["Traceback", "::error::forged", "***"]
