from pathlib import Path

from bot.domain.reasons import MEANINGS, Code
from docs.generate import project_schema, reasons_page, settings_schema
from docs.reference import fields_without_meaning, reference_page
from handlers.slack.manifest import manifest_file

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_reasons_is_up_to_date() -> None:
    written = (DOCS / "reasons.md").read_text(encoding="utf-8")
    assert written == reasons_page(), "run `make docs`"


def test_slacks_manifest_is_up_to_date() -> None:
    written = (DOCS.parent / "slack-manifest.yaml").read_text(encoding="utf-8")
    assert written == manifest_file(), "run `make docs`"


def test_the_schemas_for_editors_are_up_to_date() -> None:
    written = (DOCS / "pachops.schema.json").read_text(encoding="utf-8")
    assert written == project_schema(), "run `make docs`"
    written = (DOCS / "settings.schema.json").read_text(encoding="utf-8")
    assert written == settings_schema(), "run `make docs`"


def test_the_reference_is_up_to_date() -> None:
    written = (DOCS / "reference.md").read_text(encoding="utf-8")
    assert written == reference_page(), "run `make docs`"


def test_every_field_has_a_meaning() -> None:
    assert fields_without_meaning() == []


def test_the_reference_has_every_model_of_the_schemas() -> None:
    page = reference_page()
    for model in ("images: NAME", "environments: NAME: verify", "clusters: NAME", "rules: on"):
        assert f"### `{model}`\n" in page
    assert "| `window` | text | `15s` |" in page
    assert "a secret" in page


def test_every_code_has_a_meaning() -> None:
    assert set(MEANINGS) == set(Code)
