"""A delivery that waits for the checks of a commit, and what it was answered with."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the commit and the answers."""
    op.add_column("delivery", sa.Column("awaits", sa.String(64)))
    op.add_column("delivery", sa.Column("answers", sa.Text))
