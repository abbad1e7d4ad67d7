"""Alerting: conditions, incidents, the outbox, history, silences, rules that people make."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
TABLES = (
    *("alert_engine", "alert_conditions", "alert_incidents", "alert_messages", "alert_history", "alert_silences"),
    "alert_rules",
)


def upgrade() -> None:
    op.create_table(
        "alert_engine",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("token", sa.BigInteger, nullable=False),
        sa.Column("ticked_at", sa.Float, nullable=False, server_default="0"),
        sa.Column("steady_at", sa.Float, nullable=False, server_default="0"),
        sa.Column("installation", sa.String(32), nullable=False, server_default=""),
    )
    op.create_table(
        "alert_conditions",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("rule", sa.String(80), nullable=False),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "alert_incidents",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("group", sa.String(255), nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("opened_at", sa.Float, nullable=False),
        sa.Column("closed_at", sa.Float, nullable=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "alert_messages",
        sa.Column("incident", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("receiver", sa.String(80), primary_key=True),
        sa.Column("about", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("muted_by", sa.String(255), nullable=False, server_default=""),
        sa.Column("made_at", sa.Float, nullable=False),
        sa.Column("next_at", sa.Float, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("done_at", sa.Float, nullable=True),
        sa.Column("reply", sa.Text, nullable=False, server_default=""),
        sa.Column("problem", sa.Text, nullable=False, server_default=""),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "alert_history",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("incident", sa.Integer, nullable=False, server_default="0"),
        sa.Column("rule", sa.String(80), nullable=False, server_default=""),
        sa.Column("labels", sa.Text, nullable=False, server_default="{}"),
        sa.Column("what", sa.String(24), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False, server_default=""),
        sa.Column("who", sa.String(80), nullable=False, server_default=""),
        sa.Column("detail", sa.Text, nullable=False, server_default=""),
    )
    op.create_table(
        "alert_silences",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("matchers", sa.Text, nullable=False),
        sa.Column("begins", sa.Float, nullable=False),
        sa.Column("ends", sa.Float, nullable=False),
        sa.Column("why", sa.String(500), nullable=False, server_default=""),
        sa.Column("who", sa.String(80), nullable=False, server_default=""),
        sa.Column("made_at", sa.Float, nullable=False),
    )
    op.create_table(
        "alert_rules",
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("who", sa.String(80), nullable=False, server_default=""),
        sa.Column("made_at", sa.Float, nullable=False),
    )
    op.create_index("alert_conditions_by_rule", "alert_conditions", ["rule"])
    op.create_index("alert_incidents_by_stage", "alert_incidents", ["stage"])
    op.create_index("alert_messages_by_status", "alert_messages", ["status", "next_at"])
    op.create_index("alert_history_by_time", "alert_history", ["at"])


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
