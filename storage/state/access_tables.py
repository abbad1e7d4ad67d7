"""The tables of who may come in: accounts, their sessions and sign-in links, tokens of programs, and what was done."""

from __future__ import annotations

import sqlalchemy as sa

from storage.state.database import metadata

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("portfolios", sa.Text, nullable=False, server_default=""),
    sa.Column("password", sa.String(255), nullable=False, server_default=""),
    sa.Column("password_at", sa.Float, nullable=False, server_default="0"),
    sa.Column("second_factor", sa.String(64), nullable=False, server_default=""),
    sa.Column("second_factor_offered", sa.String(64), nullable=False, server_default=""),
    sa.Column("second_factor_offered_at", sa.Float, nullable=False, server_default="0"),
    sa.Column("second_factor_wrong", sa.Integer, nullable=False, server_default="0"),
    sa.Column("second_factor_step", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("subject", sa.String(255), nullable=False, server_default=""),
    sa.Column("is_disabled", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("theme", sa.String(8), nullable=False, server_default=""),
    sa.Column("made_at", sa.Float, nullable=False),
    sa.Column("made_by", sa.String(80), nullable=False, server_default=""),
    sa.Column("seen_at", sa.Float, nullable=False, server_default="0"),
)
"""`portfolios`: JSON list of ids, empty for every one; `subject`: issuer and subject of a sign-in elsewhere.
`second_factor_offered`: a secret that was shown and not confirmed with a code yet, since `…_offered_at`,
with `second_factor_wrong` wrong codes."""

recovery_codes = sa.Table(
    "recovery_codes",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("account", sa.String(80), nullable=False),
    sa.Column("used_at", sa.Float, nullable=False, server_default="0"),
    sa.Index("recovery_codes_by_account", "account"),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("account", sa.String(80), nullable=False),
    sa.Column("made_at", sa.Float, nullable=False),
    sa.Column("seen_at", sa.Float, nullable=False),
    sa.Column("address", sa.String(64), nullable=False, server_default=""),
    sa.Column("agent", sa.String(255), nullable=False, server_default=""),
    sa.Column("ended_at", sa.Float, nullable=False, server_default="0"),
    sa.Index("sessions_by_account", "account"),
)

sign_in_links = sa.Table(
    "sign_in_links",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("account", sa.String(80), nullable=False),
    sa.Column("made_at", sa.Float, nullable=False),
    sa.Column("made_by", sa.String(80), nullable=False, server_default=""),
    sa.Column("expires_at", sa.Float, nullable=False),
    sa.Column("used_at", sa.Float, nullable=False, server_default="0"),
)

failed_sign_ins = sa.Table(
    "failed_sign_ins",
    metadata,
    sa.Column("subject", sa.String(160), primary_key=True),
    sa.Column("times", sa.Integer, nullable=False),
    sa.Column("last_at", sa.Float, nullable=False),
)
"""`subject`: an account or an address, with which of the two it is."""

tokens = sa.Table(
    "tokens",
    metadata,
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
"""`account`: whose token it is, empty for that of a service; `expires_at` 0: never."""

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("who", sa.String(80), nullable=False),
    sa.Column("what", sa.String(64), nullable=False),
    sa.Column("target", sa.String(255), nullable=False, server_default=""),
    sa.Column("address", sa.String(64), nullable=False, server_default=""),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),
    sa.Index("audit_by_time", "at"),
    sa.Index("audit_by_what", "what", "id"),
    sqlite_autoincrement=True,
)

marks = sa.Table(
    "marks",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)
"""How far a job has come that goes through the rows of a table, by the job's name."""
