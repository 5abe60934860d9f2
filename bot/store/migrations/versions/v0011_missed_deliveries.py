"""When what did not reach us was sent first, which it does not say when it comes."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "missed_delivery",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("sent_at", sa.Double, nullable=False),
    )
