import filecmp
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.domain.deployment import Deployment, Outcome
from bot.domain.reasons import Code, StoppedError
from bot.engine.claim import Claim
from bot.store.backup import back_up, restore
from bot.store.database import Database
from bot.store.deliveries import Deliveries, DeliveryState
from bot.store.deployments import Deployments

Add = Callable[..., Awaitable[Deployment]]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/pachops.db"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pachops.db"


def names(folder: Path, pattern: str) -> list[str]:
    return [path.name for path in folder.glob(pattern)]


async def refused(work: Awaitable[object]) -> StoppedError:
    with pytest.raises(StoppedError) as stopped:
        await work
    return stopped.value


async def test_a_backup_is_made_while_the_database_is_open_and_has_all_of_it(
    database: Database, add: Add, path: Path, tmp_path: Path
) -> None:
    deployment = await add()
    await back_up(path, tmp_path / "copy")
    copy = await Database.open(f"sqlite:///{tmp_path}/copy")
    assert await Deployments(copy).get(deployment.id) == deployment
    await copy.close()
    await database.close()


async def test_a_backup_is_one_file_that_only_its_owner_may_read(
    database: Database, add: Add, path: Path, tmp_path: Path
) -> None:
    await add()
    await back_up(path, tmp_path / "backups.d")
    assert (tmp_path / "backups.d").stat().st_mode & 0o777 == 0o600
    assert names(tmp_path, "backups.d?*") == []
    await database.close()


async def test_a_file_that_is_there_is_left_alone(
    database: Database, path: Path, tmp_path: Path
) -> None:
    (tmp_path / "letter").write_text("dear")
    stopped = await refused(back_up(path, tmp_path / "letter"))
    assert stopped.reason.code is Code.BAD_COMMAND
    assert (tmp_path / "letter").read_text() == "dear"
    await database.close()


async def test_without_a_database_there_is_no_backup(path: Path, tmp_path: Path) -> None:
    stopped = await refused(back_up(path, tmp_path / "copy"))
    assert stopped.reason.code is Code.BAD_COMMAND


async def test_a_restore_brings_back_what_was_and_keeps_the_old_one_aside(
    database: Database, add: Add, deployments: Deployments, path: Path, tmp_path: Path
) -> None:
    early = await add()
    await deployments.finish(early.id, Outcome.SUCCEEDED)
    await back_up(path, tmp_path / "copy")
    late = await add()
    await database.close()
    old = await restore(tmp_path / "copy", path)
    restored, aside = (
        await Database.open(f"sqlite:///{path}"),
        await Database.open(f"sqlite:///{old}"),
    )
    assert [each.id for each in await Deployments(restored).list()] == [early.id]
    assert [each.id for each in await Deployments(aside).list()] == [late.id, early.id]
    await restored.close()
    await aside.close()


async def test_what_had_not_ended_does_not_begin_again(
    database: Database, add: Add, path: Path, tmp_path: Path
) -> None:
    deployment = await add()
    await Deliveries(database).take("guid", "push", "acme/edges", "{}")
    await back_up(path, tmp_path / "copy")
    await database.close()
    await restore(tmp_path / "copy", path)
    restored = await Database.open(f"sqlite:///{path}")
    ended = await Deployments(restored).get(deployment.id)
    state = await Deliveries(restored).state("guid")
    await restored.close()
    assert ended
    assert ended.outcome is Outcome.CANCELLED
    assert state == (DeliveryState.FAILED, "a backup was restored")


async def test_a_restore_where_there_was_nothing_needs_no_place_for_the_old_one(
    database: Database, path: Path, tmp_path: Path
) -> None:
    await back_up(path, tmp_path / "copy")
    await database.close()
    assert await restore(tmp_path / "copy", tmp_path / "elsewhere.db") is None
    assert (tmp_path / "elsewhere.db").exists()


def damaged(backup: Path) -> None:
    with backup.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 20000)


def newer(backup: Path) -> None:
    with closing(sqlite3.connect(backup)) as connection, connection:
        connection.execute("update pachops_schema set version_num = '9999'")


def a_letter(backup: Path) -> None:
    backup.write_text("dear\n" * 1000)


def of_somebody_else(backup: Path) -> None:
    backup.unlink()
    with closing(sqlite3.connect(backup)) as connection, connection:
        connection.execute("create table recipes (name text)")


def gone(backup: Path) -> None:
    backup.unlink()


@pytest.mark.parametrize("spoil", [damaged, newer, a_letter, of_somebody_else, gone])
async def test_a_backup_that_is_none_leaves_the_database_as_it_is(
    spoil: Callable[[Path], None],
    database: Database,
    add: Add,
    path: Path,
    tmp_path: Path,
) -> None:
    for _ in range(200):
        await add()
    backup = tmp_path / "copy"
    await back_up(path, backup)
    await database.close()
    spoil(backup)
    shutil.copy(path, tmp_path / "before")
    stopped = await refused(restore(backup, path))
    assert stopped.reason.code in {Code.DATABASE_UNUSABLE, Code.BAD_COMMAND}
    assert filecmp.cmp(path, tmp_path / "before", shallow=False)
    assert names(tmp_path, "*restoring*") == []


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    monkeypatch.setenv("PACHOPS_DATA_DIR", str(tmp_path))

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, arguments)
        return result.exit_code, result.output

    return run


def test_the_commands_say_what_they_did(
    command: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    command("status")
    assert command("backup", f"{tmp_path}/copy")[0] == 0
    status, said = command("restore", f"{tmp_path}/copy")
    assert status == 0
    assert "before-restore" in said


def test_the_commands_are_in_the_audit(
    command: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    command("status")
    for name in ("backup", "restore"):
        monkeypatch.setattr("sys.argv", ["pachops", name, f"{tmp_path}/copy"])
        command(name, f"{tmp_path}/copy")
        assert f"{name} {tmp_path}/copy" in "".join(command("audit", "--json")[1].split("\n"))


def test_a_restore_is_refused_while_a_bot_runs(
    command: Callable[..., tuple[int, str]], path: Path, tmp_path: Path
) -> None:
    command("status")
    command("backup", f"{tmp_path}/copy")
    claim = Claim(path)
    status, said = command("restore", f"{tmp_path}/copy")
    claim.release()
    assert status == 3
    assert "process" in said


@pytest.mark.parametrize(("name", "program"), [("backup", "pg_dump"), ("restore", "pg_restore")])
def test_for_postgresql_its_own_programs_are_named(
    command: Callable[..., tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    program: str,
) -> None:
    monkeypatch.setenv("PACHOPS_DATABASE_URL", "postgresql://ada@localhost/pachops")
    status, said = command(name, "file")
    assert status == 2
    assert program in said


def test_what_to_do_about_a_wrong_name_is_about_that_name(
    command: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    command("status")
    assert "Name a new file in a folder" in command("backup", f"{tmp_path}/none/copy")[1]
    (tmp_path / "letter").write_text("dear\n" * 1000)
    with closing(sqlite3.connect(tmp_path / "recipes")) as connection, connection:
        connection.execute("create table recipes (name text)")
    for name in ("letter", "recipes", "none"):
        status, said = command("restore", f"{tmp_path}/{name}")
        assert status == 2
        assert "Name a file that `pachops backup` has made." in said
        assert "PACHOPS_DATABASE_URL" not in said
