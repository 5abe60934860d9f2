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
    # The commit whose checks it waits for, or has waited for.
    sa.Column("awaits", sa.String(64)),
    # JSON: the deployments that it would lead to then.
    sa.Column("awaited", sa.Text),
    # JSON: what was done by each part of it, in words, until that is posted.
    sa.Column("answers", sa.Text),
    # SHA-256 of the body as it came, where that is known by it too.
    sa.Column("digest", sa.String(64)),
    sa.Index("delivery_by_digest", "digest", unique=True),
    sa.Index("delivery_by_state", "state", "repository", "seq"),
    sa.Index("delivery_by_time", "received_at"),
    sqlite_autoincrement=True,
)

MISSED_DELIVERY = sa.Table(
    "missed_delivery",
    METADATA,
    # That it has when it comes after all.
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("sent_at", sa.Double, nullable=False),
)

RENAMED = sa.Table(
    "renamed",
    METADATA,
    # `repository` or `owner`, and what GitHub numbers it by under every name.
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    # In lower case.
    sa.Column("before", sa.String(200), primary_key=True),
    sa.Column("after", sa.String(200), nullable=False),
    # When we were told.
    sa.Column("at", sa.Double, nullable=False),
)

KNOWN_NAME = sa.Table(
    "known_name",
    METADATA,
    # Of a repository, in lower case.
    sa.Column("name", sa.String(200), primary_key=True),
    # GitHub's.
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("written", sa.String(200), nullable=False),
    sa.Index("known_name_by_number", "number"),
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

LINK_TRY = sa.Table(
    "link_try",
    METADATA,
    # A code that was wrong, by who said it.
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("login", sa.String(64), nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Index("link_try_by_login", "login", "at"),
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

# Rows are only added: triggers of the database refuse everything else.
AUDIT = sa.Table(
    "audit",
    METADATA,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("previous", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    # Of what is written again after a restart, so that it is there once.
    sa.Column("once", sa.String(200), unique=True),
    # As the text has it; none in older rows.
    sa.Column("deployment", sa.String(64)),
    sa.Index("audit_by_time", "at"),
    sa.Index("audit_by_deployment", "deployment"),
)

AUDIT_HEAD = sa.Table(
    "audit_head",
    METADATA,
    # One row: who adds to the audit holds it.
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)

LOCK = sa.Table(
    "environment_lock",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("repository", sa.Text, nullable=False),
    # `*`: all of the repository's environments.
    sa.Column("environment", sa.String(64), nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("expires_at", sa.Double),
    sa.Column("pull_request", sa.Integer),
    sa.Column("asked_on", sa.Integer),
    sa.UniqueConstraint("repository", "environment", name="environment_lock_place"),
)

LOCK_NOTICE = sa.Table(
    "lock_notice",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("lock_id", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    # The lock as it was, which may be gone when it is told.
    sa.Column("lock", sa.Text, nullable=False),
    sa.Column("by", sa.Text),
    sa.Column("due_at", sa.Double, nullable=False),
    sa.Column("sent_at", sa.Double),
    # The identity of the lock's owner.
    sa.Column("owner", sa.Text),
    # When the owner saw it at a terminal, whether it was sent or not.
    sa.Column("shown_at", sa.Double),
    sa.Index("lock_notice_by_owner", "owner", "shown_at", "due_at"),
    sa.Index("lock_notice_by_due", "sent_at", "due_at"),
    sa.Index("lock_notice_by_lock", "lock_id"),
    sqlite_autoincrement=True,
)

APPROVAL = sa.Table(
    "approval",
    METADATA,
    sa.Column("deployment", sa.ForeignKey("deployment.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("proposal", sa.Text, nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("needed", sa.Integer, nullable=False),
    sa.Column("asked_at", sa.Double, nullable=False),
    sa.Column("deadline", sa.Double, nullable=False),
    # How it ended; empty while it is open.
    sa.Column("settled", sa.String(16)),
    sa.Column("settled_at", sa.Double),
)

VOTE = sa.Table(
    "vote",
    METADATA,
    sa.Column(
        "deployment", sa.ForeignKey("approval.deployment", ondelete="CASCADE"), primary_key=True
    ),
    # One vote for each person.
    sa.Column("identity", sa.String(200), primary_key=True),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("verdict", sa.String(16), nullable=False),
    sa.Column("at", sa.Double, nullable=False),
)
