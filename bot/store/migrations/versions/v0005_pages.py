"""What the pages and the metrics look for is found at once."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the indices."""
    op.create_index(
        "progress_told",
        "progress",
        ["deployment", "seq"],
        sqlite_where=sa.text("size = 0"),
        postgresql_where=sa.text("size = 0"),
    )
    op.create_index("deployment_by_end", "deployment", ["finished_at"])
