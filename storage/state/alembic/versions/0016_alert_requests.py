"""Alerting: what people ask of incidents, maintenance windows, who resolved an incident, who ended a silence."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "alert_requests",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("incident", sa.Integer, nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("who", sa.String(80), nullable=False, server_default=""),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("until", sa.Float, nullable=False, server_default="0"),
        sa.Column("note", sa.String(500), nullable=False, server_default=""),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("answered_at", sa.Float, nullable=True),
        sa.Column("why_not", sa.Text, nullable=False, server_default=""),
    )
    op.create_table(
        "alert_windows",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("matchers", sa.Text, nullable=False),
        sa.Column("begins", sa.Float, nullable=False),
        sa.Column("ends", sa.Float, nullable=False),
        sa.Column("cron", sa.String(120), nullable=False, server_default=""),
        sa.Column("zone", sa.String(64), nullable=False, server_default=""),
        sa.Column("lasts_seconds", sa.Float, nullable=False, server_default="0"),
        sa.Column("why", sa.String(500), nullable=False, server_default=""),
        sa.Column("who", sa.String(80), nullable=False, server_default=""),
        sa.Column("made_at", sa.Float, nullable=False),
        sa.Column("ended_by", sa.String(80), nullable=False, server_default=""),
    )
    op.add_column("alert_incidents", sa.Column("closed_by", sa.String(80), nullable=False, server_default=""))
    op.add_column("alert_silences", sa.Column("ended_by", sa.String(80), nullable=False, server_default=""))
    op.create_index("alert_requests_by_status", "alert_requests", ["status", "id"])
    op.create_index("alert_requests_by_incident", "alert_requests", ["incident"])
    op.create_index("alert_windows_by_end", "alert_windows", ["ends"])
    op.create_index("alert_silences_by_end", "alert_silences", ["ends"])
    op.create_index("alert_incidents_by_hand", "alert_incidents", ["closed_by", "group"])


def downgrade() -> None:
    op.drop_index("alert_incidents_by_hand", "alert_incidents")
    op.drop_index("alert_silences_by_end", "alert_silences")
    op.drop_column("alert_silences", "ended_by")
    op.drop_column("alert_incidents", "closed_by")
    op.drop_table("alert_windows")
    op.drop_table("alert_requests")
