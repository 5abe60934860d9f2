"""What a delivery brought, by which it is known under another id."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the column and its index."""
    op.add_column("delivery", sa.Column("digest", sa.String(64)))
    op.create_index("delivery_by_digest", "delivery", ["digest"], unique=True)
