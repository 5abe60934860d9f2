"""Codes that were wrong, so that nobody tries many."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the table of tries."""
    op.create_table(
        "link_try",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_index("link_try_by_login", "link_try", ["login", "at"])
