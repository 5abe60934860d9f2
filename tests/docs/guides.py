"""What the guides show: blocks, and the files that they are."""

import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GUIDES = (
    ROOT / "README.md",
    *(
        DOCS / name
        for name in ("action.md", "install.md", "recipes.md", "contributing.md", "slack.md")
    ),
)
_PROJECT = {"images", "pipelines", "environments"}


def blocks(page: Path, kind: str) -> list[str]:
    """The blocks of a language, also those within a list."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(rf"^( *)```{kind}\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def _yaml(page: Path) -> list[tuple[str, dict[str, Any]]]:
    return [(text, YAML(typ="safe").load(text)) for text in blocks(page, "yaml")]


def project_files(page: Path) -> list[str]:
    """Those that are a .pachops.yml."""
    return [text for text, data in _yaml(page) if data.keys() <= _PROJECT]


def workflows(page: Path) -> list[str]:
    """Those that are a workflow."""
    return [text for text, data in _yaml(page) if "jobs" in data]


def settings_files(page: Path) -> list[str]:
    """Those that are a settings file."""
    return [text for text, data in _yaml(page) if "clusters" in data]


def others(page: Path) -> list[str]:
    """Those that nobody knows."""
    known = [*project_files(page), *workflows(page), *settings_files(page)]
    return [text for text in blocks(page, "yaml") if text not in known]


def commands(page: Path) -> list[str]:
    """The commands of a terminal, one line each."""
    shown = "\n".join(blocks(page, "console")).replace("\\\n", " ")
    return [line[2:] for line in shown.splitlines() if line.startswith("$ ")]


def asked(page: Path) -> list[str]:
    """What people ask the bot for, without the word before it and Slack's own `--repo`."""
    text = re.sub(r" --repo [\w/.-]+", "", "\n".join(blocks(page, "text")))
    lines = text.splitlines()
    return [line.removeprefix("/pachops").strip() for line in lines if line.startswith("/pachops")]
