"""The tables of alerting: what conditions and incidents are, what is to be told and was, and what is kept quiet."""

from __future__ import annotations

import sqlalchemy as sa

from storage.state.database import metadata

alert_engine = sa.Table(
    "alert_engine",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("token", sa.BigInteger, nullable=False),
    sa.Column("ticked_at", sa.Float, nullable=False, server_default="0"),
    sa.Column("steady_at", sa.Float, nullable=False, server_default="0"),
    sa.Column("installation", sa.String(32), nullable=False, server_default=""),
    sa.Column("link_key", sa.String(64), nullable=False, server_default=""),
)
"""One row. `token`: of the lease of the engine that may write; a smaller one came too late. `steady_at`: that moment by
the engine's own time, in which conditions and incidents are kept. `installation`: what tells these alerts from those of
any other Fundwatch, on whatever machine they are evaluated. `link_key`: signs the links in messages."""

alert_conditions = sa.Table(
    "alert_conditions",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("rule", sa.String(80), nullable=False),
    sa.Column("labels", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Index("alert_conditions_by_rule", "rule"),
)

alert_incidents = sa.Table(
    "alert_incidents",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("group", sa.String(255), nullable=False),
    sa.Column("stage", sa.String(16), nullable=False),
    sa.Column("opened_at", sa.Float, nullable=False),
    sa.Column("closed_at", sa.Float, nullable=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("closed_by", sa.String(80), nullable=False, server_default=""),
    sa.Column("severity", sa.Integer, nullable=False, server_default="0"),
    sa.Index("alert_incidents_by_stage", "stage"),
    sa.Index("alert_incidents_by_hand", "closed_by", "group"),
    sa.Index("alert_incidents_by_opened", "opened_at"),
)
"""`closed_by`: who resolved it by hand; empty: it ended, or has not. `severity`: the highest that it reached, a number;
0: that is not known."""

alert_messages = sa.Table(
    "alert_messages",
    metadata,
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
    sa.Index("alert_messages_by_status", "status", "next_at"),
    sa.Index("alert_messages_by_receiver", "receiver", "status", "done_at"),
    sa.Index("alert_messages_held", "receiver", "status", "muted_by"),
    sa.Index("alert_messages_by_time", "made_at", "incident", "number"),
)
"""The outbox, and afterwards the log of it. `body`: what is told, as it was when it was made."""

alert_history = sa.Table(
    "alert_history",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("incident", sa.Integer, nullable=False, server_default="0"),
    sa.Column("rule", sa.String(80), nullable=False, server_default=""),
    sa.Column("labels", sa.Text, nullable=False, server_default="{}"),
    sa.Column("what", sa.String(24), nullable=False),
    sa.Column("severity", sa.String(16), nullable=False, server_default=""),
    sa.Column("who", sa.String(80), nullable=False, server_default=""),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),
    sa.Index("alert_history_by_time", "at"),
    sa.Index("alert_history_by_rule", "rule", "id"),
    sa.Index("alert_history_by_severity", "severity", "id"),
    sa.Index("alert_history_by_what", "what", "id"),
    sa.Index("alert_history_by_incident", "incident", "what"),
)

alert_silences = sa.Table(
    "alert_silences",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("matchers", sa.Text, nullable=False),
    sa.Column("begins", sa.Float, nullable=False),
    sa.Column("ends", sa.Float, nullable=False),
    sa.Column("why", sa.String(500), nullable=False, server_default=""),
    sa.Column("who", sa.String(80), nullable=False, server_default=""),
    sa.Column("made_at", sa.Float, nullable=False),
    sa.Column("ended_by", sa.String(80), nullable=False, server_default=""),
    sa.Index("alert_silences_by_end", "ends"),
)
"""`matchers` empty: it keeps everything quiet."""

alert_windows = sa.Table(
    "alert_windows",
    metadata,
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
    sa.Index("alert_windows_by_end", "ends"),
)
"""Maintenance. `cron` empty: once, from `begins` to `ends`; else each time that it comes between the two."""

alert_requests = sa.Table(
    "alert_requests",
    metadata,
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
    sa.Index("alert_requests_by_status", "status", "id"),
    sa.Index("alert_requests_by_incident", "incident"),
)
"""What people ask of incidents; the engine answers."""

alert_rules = sa.Table(
    "alert_rules",
    metadata,
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("who", sa.String(80), nullable=False, server_default=""),
    sa.Column("made_at", sa.Float, nullable=False),
    sa.Column("changed_by", sa.String(80), nullable=False, server_default=""),
    sa.Column("changed_at", sa.Float, nullable=False, server_default="0"),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
)
"""Rules that people made on the page. `body`: a file of rules with this one in it; `who`: who made it."""

alert_rules_off = sa.Table(
    "alert_rules_off",
    metadata,
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("who", sa.String(80), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)
"""Rules that people switched off, wherever they stand."""

alert_rule_drafts = sa.Table(
    "alert_rule_drafts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("name", sa.String(80), nullable=False, server_default=""),
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("who", sa.String(80), nullable=False),
    sa.Column("made_at", sa.Float, nullable=False),
)
"""Rules that are being written, for a day. `name`, `version`: of the kept rule that it would change; empty: of none."""

alert_channels = sa.Table(
    "alert_channels",
    metadata,
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("severities", sa.String(80), nullable=False),
    sa.Column("labels", sa.Text, nullable=False, server_default="{}"),
    sa.Column("is_on", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("made_by", sa.String(80), nullable=False, server_default=""),
    sa.Column("made_at", sa.Float, nullable=False),
    sa.Column("changed_by", sa.String(80), nullable=False, server_default=""),
    sa.Column("changed_at", sa.Float, nullable=False),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
)
"""Channels that people made. `body`: its fields as JSON, with the secrets, which stand nowhere else. `severities`:
that it is told of, with commas between them; `labels`: what those of alerts must be, as JSON."""
