"""Alerting: the key that signs links in messages, how grave an incident became, and indexes that History reads by."""

from __future__ import annotations

import json
import secrets

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
SEVERITIES = ("", "info", "warning", "critical", "urgent")


def upgrade() -> None:
    op.add_column("alert_engine", sa.Column("link_key", sa.String(64), nullable=False, server_default=""))
    # The installation is known: it gets its key now. A new one gets it with its first engine.
    engine = sa.table("alert_engine", sa.column("link_key", sa.String))
    op.get_bind().execute(sa.update(engine).values(link_key=secrets.token_hex(32)))
    op.add_column("alert_incidents", sa.Column("severity", sa.Integer, nullable=False, server_default="0"))
    _keep_how_grave()
    op.create_index("alert_messages_by_time", "alert_messages", ["made_at", "incident", "number"])
    op.create_index("alert_history_by_rule", "alert_history", ["rule", "id"])
    op.create_index("alert_history_by_incident", "alert_history", ["incident", "what"])
    op.create_index("alert_history_by_severity", "alert_history", ["severity", "id"])
    op.create_index("alert_history_by_what", "alert_history", ["what", "id"])
    op.create_index("alert_incidents_by_opened", "alert_incidents", ["opened_at"])


def downgrade() -> None:
    op.drop_index("alert_incidents_by_opened", "alert_incidents")
    op.drop_index("alert_history_by_what", "alert_history")
    op.drop_index("alert_history_by_severity", "alert_history")
    op.drop_index("alert_history_by_incident", "alert_history")
    op.drop_index("alert_history_by_rule", "alert_history")
    op.drop_index("alert_messages_by_time", "alert_messages")
    op.drop_column("alert_incidents", "severity")
    op.drop_column("alert_engine", "link_key")


def _keep_how_grave() -> None:
    """Give the incidents that there are the highest severity that was told of them."""
    messages = sa.table("alert_messages", sa.column("incident", sa.Integer), sa.column("body", sa.Text))
    incidents = sa.table("alert_incidents", sa.column("id", sa.Integer), sa.column("severity", sa.Integer))
    found: dict[int, int] = {}
    for id, body in op.get_bind().execute(sa.select(messages.c.incident, messages.c.body)):
        word = json.loads(body).get("severity", "")
        found[id] = max(found.get(id, 0), SEVERITIES.index(word) if word in SEVERITIES else 0)
    for id, severity in found.items():
        op.get_bind().execute(sa.update(incidents).where(incidents.c.id == id).values(severity=severity))
