"""A notice about a lock is found by its owner, and shown at a terminal beside being sent."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the columns and their index."""
    op.add_column("lock_notice", sa.Column("owner", sa.Text))
    op.add_column("lock_notice", sa.Column("shown_at", sa.Double))
    op.create_index("lock_notice_by_owner", "lock_notice", ["owner", "shown_at", "due_at"])
