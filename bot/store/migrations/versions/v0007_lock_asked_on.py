"""A lock knows the pull request on which it was asked for, also where it is not bound to it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column."""
    op.add_column("environment_lock", sa.Column("asked_on", sa.Integer))
