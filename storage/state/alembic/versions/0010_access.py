"""Accounts with their sessions and sign-in links, tokens of programs, and the audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
TABLES = ("accounts", "recovery_codes", "sessions", "sign_in_links", "failed_sign_ins", "tokens", "audit", "marks")

SQLITE = tuple(
    f"CREATE TRIGGER audit_no_{what} BEFORE {what} ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
    for what in ("update", "delete")
)
POSTGRESQL = (
    "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$",
    "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()",
)
"""The database itself refuses to change what stands in the audit."""


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("portfolios", sa.Text, nullable=False, server_default=""),
        sa.Column("password", sa.String(255), nullable=False, server_default=""),
        sa.Column("password_at", sa.Float, nullable=False, server_default="0"),
        sa.Column("second_factor", sa.String(64), nullable=False, server_default=""),
        sa.Column("second_factor_offered", sa.String(64), nullable=False, server_default=""),
        sa.Column("second_factor_step", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("subject", sa.String(255), nullable=False, server_default=""),
        sa.Column("is_disabled", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("theme", sa.String(8), nullable=False, server_default=""),
        sa.Column("made_at", sa.Float, nullable=False),
        sa.Column("made_by", sa.String(80), nullable=False, server_default=""),
        sa.Column("seen_at", sa.Float, nullable=False, server_default="0"),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("account", sa.String(80), nullable=False),
        sa.Column("used_at", sa.Float, nullable=False, server_default="0"),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("account", sa.String(80), nullable=False),
        sa.Column("made_at", sa.Float, nullable=False),
        sa.Column("seen_at", sa.Float, nullable=False),
        sa.Column("address", sa.String(64), nullable=False, server_default=""),
        sa.Column("agent", sa.String(255), nullable=False, server_default=""),
        sa.Column("ended_at", sa.Float, nullable=False, server_default="0"),
    )
    op.create_table(
        "sign_in_links",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("account", sa.String(80), nullable=False),
        sa.Column("made_at", sa.Float, nullable=False),
        sa.Column("made_by", sa.String(80), nullable=False, server_default=""),
        sa.Column("expires_at", sa.Float, nullable=False),
        sa.Column("used_at", sa.Float, nullable=False, server_default="0"),
    )
    op.create_table(
        "failed_sign_ins",
        sa.Column("subject", sa.String(160), primary_key=True),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("last_at", sa.Float, nullable=False),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("account", sa.String(80), nullable=False, server_default=""),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("portfolios", sa.Text, nullable=False, server_default=""),
        sa.Column("made_at", sa.Float, nullable=False),
        sa.Column("made_by", sa.String(80), nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False, server_default="0"),
        sa.Column("revoked_at", sa.Float, nullable=False, server_default="0"),
        sa.Column("revoked_by", sa.String(80), nullable=False, server_default=""),
        sa.Column("used_at", sa.Float, nullable=False, server_default="0"),
        sa.Column("used_from", sa.String(64), nullable=False, server_default=""),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("what", sa.String(64), nullable=False),
        sa.Column("target", sa.String(255), nullable=False, server_default=""),
        sa.Column("address", sa.String(64), nullable=False, server_default=""),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("detail", sa.Text, nullable=False, server_default=""),
        sqlite_autoincrement=True,
    )
    op.create_index("recovery_codes_by_account", "recovery_codes", ["account"])
    op.create_index("sessions_by_account", "sessions", ["account"])
    op.create_index("audit_by_time", "audit", ["at"])
    op.create_table(
        "marks",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    for statement in POSTGRESQL if op.get_bind().dialect.name == "postgresql" else SQLITE:
        op.execute(statement)


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_audit_change")
