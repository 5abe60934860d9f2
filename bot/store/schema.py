"""The schema's version, and the way to the current one."""

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.domain.reasons import Code, StoppedError

if TYPE_CHECKING:
    from alembic.config import Config

CURRENT = "0014"
"""The newest file in migrations/versions; a test holds it to that."""

VERSION_TABLE = "pachops_schema"
_MIGRATIONS = Path(__file__).parent / "migrations"
_HIGHLIGHTER = "mako.ext.pygmentplugin"
_ADVISORY_LOCK = 7_221_163_840


def refuse_other_encodings(connection: sa.Connection) -> None:
    """SQLite has the right one; of PostgreSQL's, others cannot hold every line of a log.

    Raises:
        StoppedError: DATABASE_UNUSABLE.
    """
    if connection.dialect.name != "postgresql":
        return
    encoding = connection.exec_driver_sql("show server_encoding").scalar_one()
    if encoding != "UTF8":
        raise StoppedError(
            Code.DATABASE_UNUSABLE,
            f"its encoding is {encoding}, and must be UTF8",
            next_step="Make it anew: createdb --encoding=UTF8 --template=template0 NAME.",
        )


def is_current(connection: sa.Connection) -> bool:
    """Whether there is nothing to migrate."""
    return version(connection) == CURRENT


def version(connection: sa.Connection) -> str | None:
    """The schema's version; None for a new database."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    table = sa.table(VERSION_TABLE, sa.column("version_num", sa.String))
    return connection.execute(sa.select(table.c.version_num)).scalar_one_or_none()


def upgrade(connection: sa.Connection) -> None:
    """Migrate within the transaction of `connection`.

    Raises:
        StoppedError: DATABASE_UNUSABLE: a newer pachops wrote the schema; nothing was changed.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
    before = version(connection)
    if before == CURRENT:
        return
    # Alembic takes a third of a second to import, and almost never has something to do.
    # Without this its template engine would load Pygments for error pages: 5 MB that stay.
    sys.modules.setdefault(_HIGHLIGHTER, None)  # type: ignore[arg-type]
    command = import_module("alembic.command")
    script = import_module("alembic.script")
    config = _config(connection)
    directory = script.ScriptDirectory.from_config(config)
    if before and before not in {revision.revision for revision in directory.walk_revisions()}:
        raise StoppedError(
            Code.DATABASE_UNUSABLE,
            f"its schema {before} is newer than this pachops, which knows {CURRENT}",
            next_step="Upgrade pachops, or give this one its own PACHOPS_DATABASE_URL.",
        )
    command.upgrade(config, "head")


def _config(connection: sa.Connection) -> "Config":
    config: Config = import_module("alembic.config").Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
