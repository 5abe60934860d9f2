from pathlib import Path

from bot.domain.reasons import MEANINGS, Code
from docs.generate import project_schema, reasons_page
from handlers.slack.manifest import manifest_file

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_reasons_is_up_to_date() -> None:
    written = (DOCS / "reasons.md").read_text(encoding="utf-8")
    assert written == reasons_page(), "run `make docs`"


def test_slacks_manifest_is_up_to_date() -> None:
    written = (DOCS.parent / "slack-manifest.yaml").read_text(encoding="utf-8")
    assert written == manifest_file(), "run `make docs`"


def test_the_schema_for_editors_is_up_to_date() -> None:
    written = (DOCS / "pachops.schema.json").read_text(encoding="utf-8")
    assert written == project_schema(), "run `make docs`"


def test_every_code_has_a_meaning() -> None:
    assert set(MEANINGS) == set(Code)
