"""Who is who, and which channels hear of which repositories."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables of identities and subscriptions."""
    op.create_table(
        "identity",
        sa.Column("team", sa.String(32), primary_key=True),
        sa.Column("user", sa.String(32), primary_key=True),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("proof", sa.String(16), nullable=False),
        sa.Column("linked_at", sa.Double, nullable=False),
    )
    op.create_index("identity_by_login", "identity", ["team", "login"], unique=True)
    op.create_table(
        "link_code",
        sa.Column("code", sa.String(64), primary_key=True),
        sa.Column("team", sa.String(32), nullable=False),
        sa.Column("user", sa.String(32), nullable=False),
        sa.Column("until", sa.Double, nullable=False),
    )
    op.create_table(
        "subscription",
        sa.Column("channel", sa.String(32), primary_key=True),
        sa.Column("repository", sa.String(200), primary_key=True),
        sa.Column("environments", sa.Text, nullable=False),
        sa.Column("events", sa.Text, nullable=False),
        sa.Column("created_by", sa.String(64), nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
    )
