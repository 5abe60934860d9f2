"""What the audit has of what was typed, and who typed it: no secrets, and nothing odd."""

import json
import os
import pwd
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from pydantic import SecretStr

from bot.domain.deployment import Actor
from bot.domain.reasons import Code, StoppedError
from bot.redact import Redactor
from handlers.commands.noting import refusal_at_terminal
from tests.bot.cli.audited import noted, rows
from tests.bot.cli.terminal import sits_in_a_repository, typed

pytestmark = pytest.mark.usefixtures("file")


SECRET = "pa'ss word1$x"


@pytest.mark.parametrize(
    "words",
    [
        ("show", SECRET),
        ("show", f"of-{SECRET}"),
        ("deploy", "--to", SECRET),
        ("lock", "--to", "staging", "--reason", SECRET),
        ("deploy", "--to", "staging", "--dry-run", "--force", SECRET),
    ],
)
def test_a_secret_that_the_shell_would_quote_is_masked(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    sits_in_a_repository(tmp_path, monkeypatch, "environments: {staging: {}}\n")
    monkeypatch.setenv("PACHOPS_BUILD_SECRET_NPM", SECRET)
    typed("status")
    typed(*words)
    kept = " ".join(row.body for row in rows(f"sqlite:///{file}"))
    assert "word1" not in kept
    assert words[0] in kept


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("deploy", "https://ann:hunter2secret@host/x"), "deploy 'https://***@host/x'"),
        (("lock", "https://ann:hunter2secret@host/x"), "lock 'https://***@host/x'"),
        (("lock", "https://ann:hunter2 s/ecr@t@host/x"), "lock 'https://***@host/x'"),
        (("lock", "https://hunter2@host/x"), "lock 'https://***@host/x'"),
        (("lock", "ann:hunter2secret@host/x"), "lock '***@host/x'"),
        (("show", "https://ann:hunter2@host"), "show 'https://***@host'"),
        (("lock", "JIRA-1:ask-bob@acme.com"), "lock JIRA-1:ask-bob@acme.com"),
        (("show", "edges:v1@sha256:ab"), "show edges:v1@sha256:ab"),
    ],
)
def test_a_login_in_an_address_is_masked_though_nobody_knows_it(
    file: Path, words: tuple[str, ...], line: str
) -> None:
    assert typed(*words)[0] != 0
    assert [each[1] for each in noted(file)] == [line, line]
    assert "hunter2" not in " ".join(row.body for row in rows(f"sqlite:///{file}"))


def test_every_part_of_a_reason_is_masked() -> None:
    stopped = StoppedError(
        Code.BAD_COMMAND, "a hunter2", where="b hunter2", next_step="c hunter2 d"
    )
    clean = Redactor([SecretStr("hunter2")]).clean
    entry = refusal_at_terminal("show", Actor("ann", "cli"), stopped, clean)
    assert "hunter2" not in json.dumps(dict(entry.facts))
    assert "b ***" in json.dumps(dict(entry.facts))


BAD = os.fsdecode(b"caf\xe9")


@pytest.mark.parametrize(
    "words",
    [
        ("show", BAD),
        ("why", BAD),
        ("cancel", BAD),
        ("approve", BAD),
        ("history", "--to", BAD),
        ("lock", "--to", "staging", "--reason", BAD),
        ("deploy", "--to", BAD),
        ("rollback", "--to", BAD),
        ("backup", BAD),
    ],
)
def test_a_word_that_is_not_utf8_is_refused_with_a_reason(
    file: Path, words: tuple[str, ...]
) -> None:
    typed("status")
    status, said, warned = typed(*words)
    assert status == 2
    assert "`caf\N{REPLACEMENT CHARACTER}` is not text in UTF-8" in " ".join(
        (said + warned).split()
    )
    line = " ".join(words).replace(BAD, "'caf\N{REPLACEMENT CHARACTER}'")
    assert noted(file)[1:3] == [("command", line, []), ("decision", line, ["bad_command"])]
    assert typed("why")[0] == 0
    assert typed("audit", "--verify")[0] == 0


class Account(NamedTuple):
    pw_name: str


def test_who_types_is_the_account_whatever_the_environment_says(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "grace")
    typed("status")
    assert json.loads(rows(f"sqlite:///{file}")[0].body)["actor"]["name"] == (
        pwd.getpwuid(os.getuid()).pw_name
    )


@pytest.mark.parametrize(
    ("account", "name", "shown"),
    [
        ("ada", "grace", "ada"),
        (BAD, "grace", "caf\N{REPLACEMENT CHARACTER}"),
        (None, "grace", "grace"),
        (None, BAD, "caf\N{REPLACEMENT CHARACTER}"),
        (None, None, "unknown"),
    ],
)
def test_a_name_of_an_account_can_be_shown(
    file: Path, monkeypatch: pytest.MonkeyPatch, account: str | None, name: str | None, shown: str
) -> None:
    def found(_number: int) -> Account:
        if account is None:
            raise KeyError
        return Account(account)

    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)
    if name is not None:
        monkeypatch.setenv("LOGNAME", name)
    monkeypatch.setattr(pwd, "getpwuid", found)
    assert typed("status")[0] == 0
    assert json.loads(rows(f"sqlite:///{file}")[0].body)["actor"]["name"] == shown


@pytest.mark.parametrize("line", ["deploy", "deploy --dry-run", "rollback . --to x", "lock --to x"])
def test_a_folder_whose_name_is_not_utf8_is_refused_with_a_reason(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    folder = tmp_path / BAD
    folder.mkdir()
    subprocess.run(["git", "init", "-q", folder], check=True)  # noqa: S603, S607
    monkeypatch.chdir(folder)
    status, said, warned = typed(*line.split())
    assert status == 2
    assert "is not text in UTF-8" in " ".join((said + warned).split())
    assert noted(file) == [("command", line, []), ("decision", line, ["bad_command"])]
