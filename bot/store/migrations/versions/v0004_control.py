"""Who may do what: the audit, locks and what their owners are told, approvals and votes."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_GENESIS = "0" * 64


def upgrade() -> None:
    """Create the tables, and forbid changes of the audit."""
    _audit()
    _locks()
    _approvals()


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("once", sa.String(200), unique=True),
    )
    op.create_index("audit_by_time", "audit", ["at"])
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "seq": 0, "hash": _GENESIS}])
    if op.get_bind().dialect.name == "postgresql":
        _forbid_on_postgresql()
    else:
        _forbid_on_sqlite()


def _forbid_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION pachops_audit_stays() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit is only added to'; END $$"
    )
    for event, each in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        name = f"audit_stays_{each.lower()}"
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON audit "
            f"FOR EACH {each} EXECUTE FUNCTION pachops_audit_stays()"
        )


def _forbid_on_sqlite() -> None:
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_stays_{event.lower()} BEFORE {event} ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END"
        )


def _locks() -> None:
    op.create_table(
        "environment_lock",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("environment", sa.String(64), nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double),
        sa.Column("pull_request", sa.Integer),
        sa.UniqueConstraint("repository", "environment", name="environment_lock_place"),
    )
    op.create_table(
        "lock_notice",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("lock_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("lock", sa.Text, nullable=False),
        sa.Column("by", sa.Text),
        sa.Column("due_at", sa.Double, nullable=False),
        sa.Column("sent_at", sa.Double),
        sqlite_autoincrement=True,
    )
    op.create_index("lock_notice_by_due", "lock_notice", ["sent_at", "due_at"])
    op.create_index("lock_notice_by_lock", "lock_notice", ["lock_id"])


def _approvals() -> None:
    op.create_table(
        "approval",
        sa.Column(
            "deployment",
            sa.String(64),
            sa.ForeignKey("deployment.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("proposal", sa.Text, nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("needed", sa.Integer, nullable=False),
        sa.Column("asked_at", sa.Double, nullable=False),
        sa.Column("deadline", sa.Double, nullable=False),
        sa.Column("settled", sa.String(16)),
        sa.Column("settled_at", sa.Double),
    )
    op.create_table(
        "vote",
        sa.Column(
            "deployment",
            sa.String(64),
            sa.ForeignKey("approval.deployment", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("identity", sa.String(200), primary_key=True),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
