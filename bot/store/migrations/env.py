"""Alembic's entry: migrates within the transaction that schema.upgrade hands over."""

from alembic import context

from bot.store.schema import VERSION_TABLE
from bot.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
