"""The inputs of the step, and the settings that follow from them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from bot.domain.reasons import Code, StoppedError
from bot.positions import nearest
from handlers.action import words

_PREFIX = "INPUT_"
_REPORTS = ("comment", "deployment", "check")
_TRUE, _FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE", "")
_SETTINGS = {
    "pachd-address": "PACHOPS_PACHD_ADDRESS",
    "pachd-token": "PACHOPS_PACHD_TOKEN",
    "github-token": "PACHOPS_GITHUB_TOKEN",
    "insecure-registries": "PACHOPS_INSECURE_REGISTRIES",
}
"""Inputs that are a setting each; every other setting is given as a variable of the step."""


@dataclass(frozen=True)
class Inputs:
    """What `with:` says."""

    environment: str | None = None
    ref: str | None = None
    path: str | None = None
    """A checkout, relative to the workspace; None: the commit is fetched from GitHub."""
    only: tuple[str, ...] = ()
    reprocess: bool = False
    dry_run: bool = False
    report: frozenset[str] = frozenset()
    settings: str | None = field(default=None, repr=False)
    """The text of a settings file."""
    github_token: SecretStr | None = None
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Settings, by their variables."""


def read_inputs(environ: Mapping[str, str]) -> Inputs:
    """Read INPUT_NAME variables, in which a name has `_` for `-`.

    Raises StoppedError BAD_INPUT, which names everything that is wrong.
    """
    given = {
        name.removeprefix(_PREFIX).lower().replace("_", "-"): value.strip()
        for name, value in environ.items()
        if name.startswith(_PREFIX) and value.strip()
    }
    report = frozenset(_words(given.get("report", "")))
    problems = [*_wrong_booleans(given), *_wrong_reports(report)]
    if problems:
        raise bad_input(problems)
    token = given.get("github-token")
    return Inputs(
        environment=given.get("environment"),
        ref=given.get("ref"),
        path=given.get("path"),
        only=tuple(_words(given.get("only", ""))),
        reprocess=given.get("reprocess") in _TRUE,
        dry_run=given.get("dry-run") in _TRUE,
        report=report - {"none"},
        settings=given.get("settings"),
        github_token=SecretStr(token) if token else None,
        variables={variable: given[name] for name, variable in _SETTINGS.items() if name in given},
    )


def bad_input(problems: list[str]) -> StoppedError:
    """All that is wrong with the inputs."""
    return StoppedError(Code.BAD_INPUT, "\n".join(problems), where="with:")


def check_complete(inputs: Inputs, environ: Mapping[str, str]) -> None:
    """See that there is a cluster to deploy to; BAD_INPUT names what is missing."""
    ways = ("PACHOPS_PACHD_ADDRESS", "PACHOPS_SETTINGS_FILE")
    if inputs.settings or inputs.variables.keys() & set(ways) or any(map(environ.get, ways)):
        return
    raise bad_input([words.missing("pachd-address", "grpcs://pachyderm.example.com:443")])


def named_as_inputs(stopped: StoppedError, inputs: Inputs, temporary: Path) -> StoppedError:
    """What is wrong with settings, by the names that the workflow has for them."""
    reason = stopped.reason
    names = {
        variable: words.place(name)
        for name, variable in _SETTINGS.items()
        if variable in inputs.variables
    }
    if inputs.settings:
        names[str(_settings_file(temporary))] = words.place("settings")
    where, fact = reason.where or "", reason.fact
    for ours, theirs in names.items():
        whole = re.compile(rf"{re.escape(ours)}\b")
        where, fact = whole.sub(theirs, where), whole.sub(theirs, fact)
    if (where, fact) == (reason.where or "", reason.fact):
        return stopped
    return StoppedError(Code.BAD_INPUT, fact, where=where or None)


def settings_variables(
    inputs: Inputs, environ: Mapping[str, str], temporary: Path
) -> dict[str, str]:
    """The environment from which the settings are read.

    What a text of settings says is put in a file of its own. Raises StoppedError DATA_DIR_UNUSABLE.
    """
    folder = temporary / "pachops"
    usual = {
        "PACHOPS_DATA_DIR": str(folder / "data"),
        "PACHOPS_GITHUB_BASE_URL": environ.get("GITHUB_SERVER_URL", ""),
    }
    variables = usual | {name: value for name, value in environ.items() if value}
    variables |= inputs.variables
    if inputs.settings:
        variables["PACHOPS_SETTINGS_FILE"] = str(_written(_settings_file(temporary), inputs))
    return variables


def _settings_file(temporary: Path) -> Path:
    return temporary / "pachops" / "settings.yaml"


def _written(file: Path, inputs: Inputs) -> Path:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(f"{inputs.settings}\n", encoding="utf-8")
    except OSError as error:
        raise StoppedError(
            Code.DATA_DIR_UNUSABLE, error.strerror or str(error), where=str(file)
        ) from error
    return file


def _words(text: str) -> list[str]:
    return [
        word for line in text.splitlines() for part in line.split(",") if (word := part.strip())
    ]


def _wrong_booleans(given: Mapping[str, str]) -> Iterator[str]:
    for name in ("reprocess", "dry-run"):
        if given.get(name, "") not in (*_TRUE, *_FALSE):
            yield words.not_boolean(name, given[name])


def _wrong_reports(report: frozenset[str]) -> Iterator[str]:
    known = {*_REPORTS, "none"}
    for each in sorted(report - known):
        yield words.not_a_report(each, nearest(each, known), sorted(known))
