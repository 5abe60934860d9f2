import ast
import asyncio
import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from bot.store import schema
from bot.store.database import Database
from bot.store.tables import METADATA


async def test_the_migrations_make_the_tables_that_the_code_uses(database: Database) -> None:
    def difference(connection: sa.Connection) -> list[object]:
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": schema.VERSION_TABLE,
                "compare_type": True,
                "compare_server_default": True,
            },
        )
        return list(compare_metadata(context, METADATA))

    assert await database.read(difference) == []


def test_the_current_version_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("path_separator", "os")
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.CURRENT]


async def test_all_that_open_a_new_database_at_once_get_it(url: str) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(Database.open(url)) for _ in range(8)]
    versions = [await task.result().read(schema.version) for task in tasks]
    for task in tasks:
        await task.result().close()
    assert versions == [schema.CURRENT] * 8


MIGRATIONS = Path(schema.__file__).parent / "migrations" / "versions"
ADDING = {"create_table", "create_index", "add_column", "bulk_insert", "get_bind"}


@pytest.mark.parametrize("file", sorted(MIGRATIONS.glob("v*.py")), ids=lambda file: file.stem)
def test_a_migration_only_adds_so_that_workers_of_the_version_before_go_on(file: Path) -> None:
    text = file.read_text()
    called = [
        (node.func.attr, ast.get_source_segment(text, node) or "")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "op"
    ]
    assert called
    assert {name for name, _ in called} - {"execute"} <= ADDING
    created = re.compile(r'op\.execute\(\s*f?"CREATE (?:FUNCTION|TRIGGER) ')
    assert all(created.match(source) for name, source in called if name == "execute")
