"""What awaits the checks of its commit is known by the deployments that it would be."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the column."""
    op.add_column("delivery", sa.Column("awaited", sa.Text))
