"""A delivery that waits for the checks of a commit."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the commit."""
    op.add_column("delivery", sa.Column("awaits", sa.String(64)))
