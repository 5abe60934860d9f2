"""The tables. A change here needs a migration beside it; a test compares the two."""

import sqlalchemy as sa

METADATA = sa.MetaData()

DEPLOYMENT = sa.Table(
    "deployment",
    METADATA,
    # The order asked; on SQLite only AUTOINCREMENT never gives a number twice.
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
    # Of its progress: how many events, how much log, whether log was left out.
    sa.Column("last_event", sa.Integer, nullable=False, server_default="0"),
    sa.Column("log_size", sa.Integer, nullable=False, server_default="0"),
    sa.Column("log_cut", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index("deployment_by_target", "target", "seq"),
    sa.Index("deployment_by_state", "state", "seq"),
    sa.Index("deployment_by_end", "finished_at"),
    sqlite_autoincrement=True,
)

FACT = sa.Table(
    "deployment_fact",
    METADATA,
    sa.Column("deployment", sa.ForeignKey("deployment.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("key", sa.String(128), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

PROGRESS = sa.Table(
    "progress",
    METADATA,
    sa.Column("deployment", sa.ForeignKey("deployment.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    # Of a line of log, in characters with its newline; 0 for what is always kept.
    sa.Column("size", sa.Integer, nullable=False, server_default="0"),
    # What was said beside the log is found at once behind a million lines of it.
    sa.Index(
        "progress_told",
        "deployment",
        "seq",
        sqlite_where=sa.text("size = 0"),
        postgresql_where=sa.text("size = 0"),
    ),
)

WORKER = sa.Table(
    "worker",
    METADATA,
    sa.Column("id", sa.String(128), primary_key=True),
    sa.Column("seen_at", sa.Double, nullable=False),
)

DELIVERY = sa.Table(
    "delivery",
    METADATA,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(64), nullable=False, unique=True),
    sa.Column("event", sa.String(64), nullable=False),
    # In lower case; empty where it is of none.
    sa.Column("repository", sa.Text, nullable=False),
    # Gone when it is done: nobody reads it again.
    sa.Column("payload", sa.Text),
    sa.Column("received_at", sa.Double, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("retry_at", sa.Double),
    sa.Column("result", sa.Text),
    sa.Index("delivery_by_state", "state", "repository", "seq"),
    sa.Index("delivery_by_time", "received_at"),
    sqlite_autoincrement=True,
)

IDENTITY = sa.Table(
    "identity",
    METADATA,
    # Of Slack; a person has one login in a workspace, and a login one person.
    sa.Column("team", sa.String(32), primary_key=True),
    sa.Column("user", sa.String(32), primary_key=True),
    sa.Column("login", sa.String(64), nullable=False),
    sa.Column("proof", sa.String(16), nullable=False),
    sa.Column("linked_at", sa.Double, nullable=False),
    sa.Index("identity_by_login", "team", "login", unique=True),
)

LINK_CODE = sa.Table(
    "link_code",
    METADATA,
    sa.Column("code", sa.String(64), primary_key=True),
    sa.Column("team", sa.String(32), nullable=False),
    sa.Column("user", sa.String(32), nullable=False),
    sa.Column("until", sa.Double, nullable=False),
)

SUBSCRIPTION = sa.Table(
    "subscription",
    METADATA,
    sa.Column("channel", sa.String(32), primary_key=True),
    # In lower case.
    sa.Column("repository", sa.String(200), primary_key=True),
    sa.Column("environments", sa.Text, nullable=False),
    sa.Column("events", sa.Text, nullable=False),
    sa.Column("created_by", sa.String(64), nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
)
