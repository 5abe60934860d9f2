"""Deliveries that wait for checks, and their answers; decisions are found by their deployment."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the columns and an index."""
    op.add_column("delivery", sa.Column("awaits", sa.String(64)))
    op.add_column("delivery", sa.Column("answers", sa.Text))
    op.add_column("audit", sa.Column("deployment", sa.String(64)))
    op.create_index("audit_by_deployment", "audit", ["deployment"])
