"""Which repository a name is of, for names that go from one to another."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "known_name",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("written", sa.String(200), nullable=False),
        sa.Index("known_name_by_number", "number"),
    )
