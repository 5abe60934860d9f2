"""What the guides show: blocks, and the files that they are."""

import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GUIDES = (ROOT / "README.md", *sorted(DOCS.glob("*.md")))
_PROJECT = {"images", "pipelines", "environments"}


def slugs(page: Path) -> set[str]:
    """What a link to a part of the page may say."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each).strip().lower().replace(" ", "-") for each in titles}


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
    """Those that are a settings file, or a part of one."""
    return [text for text, data in _yaml(page) if data.keys() & {"clusters", "rules"}]


def scrapes(page: Path) -> list[str]:
    """Those that are Prometheus's."""
    return [text for text, data in _yaml(page) if "scrape_configs" in data]


def others(page: Path) -> list[str]:
    """Those that nobody knows."""
    known = [*project_files(page), *workflows(page), *settings_files(page), *scrapes(page)]
    return [text for text in blocks(page, "yaml") if text not in known]


def kinds(page: Path) -> set[str]:
    """The languages of all its blocks."""
    fences = re.findall(r"^ *```(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return set(fences[::2])


def commands(page: Path) -> list[str]:
    """The commands of a terminal, one line each."""
    shown = "\n".join(blocks(page, "console")).replace("\\\n", " ")
    return [line[2:] for line in shown.splitlines() if line.startswith("$ ")]


def asked(page: Path) -> list[str]:
    """What people ask the bot for, without the word before it and Slack's own `--repo`."""
    text = re.sub(r" --repo [\w/.-]+", "", "\n".join(blocks(page, "text")))
    lines = text.splitlines()
    return [line.removeprefix("/pachops").strip() for line in lines if line.startswith("/pachops")]
