"""Webhook deliveries that were taken and what came of them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table of deliveries."""
    op.create_table(
        "delivery",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("payload", sa.Text),
        sa.Column("received_at", sa.Double, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("retry_at", sa.Double),
        sa.Column("result", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("delivery_by_state", "delivery", ["state", "repository", "seq"])
    op.create_index("delivery_by_time", "delivery", ["received_at"])
