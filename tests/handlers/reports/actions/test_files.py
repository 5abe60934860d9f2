from pathlib import Path

from handlers.reports.actions.files import write_outputs, write_summary
from tests.e2e.runner import outputs_in


def test_a_value_cannot_end_itself(tmp_path: Path) -> None:
    file = tmp_path / "outputs"
    write_outputs(file, {"message": "a\nEOF\nforged<<EOF\nb", "empty": ""})
    write_outputs(file, {"more": "1"})
    assert outputs_in(file.read_text()) == {
        "message": "a\nEOF\nforged<<EOF\nb",
        "empty": "",
        "more": "1",
    }


def test_the_summary_goes_on_after_that_of_an_earlier_command(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    file.write_text("before\n")
    write_summary(file, "**after** \udcff")
    assert file.read_text() == "before\n**after** ?\n"
