"""Names that repositories and accounts had, for what is told late under them."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "renamed",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("before", sa.String(200), primary_key=True),
        sa.Column("after", sa.String(200), nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
