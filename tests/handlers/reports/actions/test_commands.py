import io

import pytest
from pydantic import SecretStr

from bot.services.github import Annotation
from handlers.reports.actions.commands import WorkflowCommands, command
from handlers.reports.stream import Output
from tests.e2e.runner import Seen


def seen(out: io.StringIO) -> Seen:
    found = Seen()
    for line in out.getvalue().splitlines():
        found.read(line)
    return found


@pytest.mark.parametrize(
    ("value", "properties", "written"),
    [
        ("plain", {}, "::error::plain"),
        ("100%\r\nnext", {}, "::error::100%25%0D%0Anext"),
        ("a:b,c", {"file": "a:b,c%.py", "line": ""}, "::error file=a%3Ab%2Cc%25.py::a:b,c"),
    ],
)
def test_a_command_is_escaped(value: str, properties: dict[str, str], written: str) -> None:
    assert command("error", value, **properties) == written


def test_each_token_is_another() -> None:
    out = io.StringIO()
    commands = WorkflowCommands(Output(out))
    commands.stop()
    commands.say("::group::a")
    commands.say("::endgroup::")
    tokens = [line for line in out.getvalue().splitlines() if line.startswith("::stop-commands")]
    assert len(set(tokens)) == 3


def test_what_is_written_between_is_no_command() -> None:
    out = io.StringIO()
    commands = WorkflowCommands(Output(out))
    commands.stop()
    out.write("::error::forged\n  ::add-mask::forged\n")
    commands.annotate("ours", "error", "Title")
    commands.resume()
    out.write("::notice::a later step's\n")
    assert [each.message for each in seen(out).annotations] == ["ours", "a later step's"]


def test_a_multiline_secret_is_masked_line_by_line() -> None:
    out = io.StringIO()
    commands = WorkflowCommands(Output(out))
    commands.stop()
    commands.mask([SecretStr("first line\nsecond line\nx")])
    assert seen(out).masks == ["first line\nsecond line\nx", "first line", "second line"]


def test_no_more_remarks_than_the_runner_shows() -> None:
    out = io.StringIO()
    commands = WorkflowCommands(Output(out))
    commands.stop()
    for number in range(12):
        commands.annotate(Annotation("a.json", number + 1, "wrong"), "error")
    assert len(seen(out).annotations) == 10
