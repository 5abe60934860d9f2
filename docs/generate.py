"""Writes the pages of docs/ and other files that follow from the code: `make docs`."""

import json
from pathlib import Path
from typing import Any

from bot import project
from bot.domain.reasons import MEANINGS, Kind
from bot.settings import model as settings
from docs.reference import reference_page
from handlers.slack.manifest import manifest_file

_KINDS = {
    Kind.USAGE: ("The command, the settings or the repository's files", 2),
    Kind.REFUSED: ("Not allowed now", 3),
    Kind.FAILED: ("It did not work", 1),
    Kind.CANCELLED: ("Cancelled", 130),
}


def reasons_page() -> str:
    """docs/reasons.md: every reason code with its meaning and the usual next step."""
    lines = [
        "# Reasons",
        "",
        "Every refusal and failure has one of these codes, the fact behind it and the next step.",
        "The step below is the usual one; where pachops knows a better one, it says that.",
        "",
        "<!-- Written by `make docs` from bot/domain/reasons.py. -->",
    ]
    for kind, (title, status) in _KINDS.items():
        lines += ["", f"## {title}", "", f"Exit status {status}."]
        for code, meaning in MEANINGS.items():
            if meaning.kind is kind:
                lines += ["", f"### `{code}`", "", f"{meaning.title}.", "", meaning.next_step]
    return "\n".join(lines) + "\n"


def project_schema() -> str:
    """docs/pachops.schema.json: for editors of .pachops.yml."""
    return _written(project.json_schema())


def settings_schema() -> str:
    """docs/settings.schema.json: for editors of the settings file."""
    return _written(settings.json_schema())


def _written(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the pages."""
    docs = Path(__file__).parent
    (docs / "reasons.md").write_text(reasons_page(), encoding="utf-8")
    (docs / "reference.md").write_text(reference_page(), encoding="utf-8")
    (docs / "pachops.schema.json").write_text(project_schema(), encoding="utf-8")
    (docs / "settings.schema.json").write_text(settings_schema(), encoding="utf-8")
    (docs.parent / "slack-manifest.yaml").write_text(manifest_file(), encoding="utf-8")


if __name__ == "__main__":
    main()
