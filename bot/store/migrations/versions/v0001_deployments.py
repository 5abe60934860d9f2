"""Deployments, their facts and progress, and the workers that run them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the first tables."""
    op.create_table(
        "deployment",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(16)),
        sa.Column("reason", sa.Text),
        sa.Column("stage", sa.String(16)),
        sa.Column("images", sa.Text, nullable=False, server_default="[]"),
        sa.Column("pipelines", sa.Text, nullable=False, server_default="[]"),
        sa.Column("notes", sa.Text, nullable=False, server_default="[]"),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("started_at", sa.Double),
        sa.Column("finished_at", sa.Double),
        sa.Column("cancel_requested_by", sa.Text),
        sa.Column("last_event", sa.Integer, nullable=False, server_default="0"),
        sa.Column("log_size", sa.Integer, nullable=False, server_default="0"),
        sa.Column("log_cut", sa.Boolean, nullable=False, server_default=sa.false()),
        sqlite_autoincrement=True,
    )
    op.create_index("deployment_by_target", "deployment", ["target", "seq"])
    op.create_index("deployment_by_state", "deployment", ["state", "seq"])
    op.create_table(
        "deployment_fact",
        _deployment(),
        sa.Column("key", sa.String(128), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "progress",
        _deployment(),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False, server_default="0"),
    )
    op.create_table(
        "worker",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("seen_at", sa.Double, nullable=False),
    )


def _deployment() -> sa.Column[str]:
    return sa.Column(
        "deployment",
        sa.String(64),
        sa.ForeignKey("deployment.id", ondelete="CASCADE"),
        primary_key=True,
    )
