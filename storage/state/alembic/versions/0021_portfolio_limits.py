"""Limits of portfolios that people set, each version of them, and when limits were broken."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "portfolio_limits",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_table(
        "limit_breaches",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("limit_id", sa.String(24), nullable=False),
        sa.Column("portfolio", sa.String(64), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("what", sa.String(500), nullable=False, server_default=""),
        sa.Column("began_at", sa.Float, nullable=False),
        sa.Column("value", sa.Float, nullable=False),
        sa.Column("worst", sa.Float, nullable=False),
        sa.Column("worst_at", sa.Float, nullable=False),
        sa.Column("ended_at", sa.Float, nullable=True),
        sa.Column("ended_why", sa.String(200), nullable=False, server_default=""),
    )
    op.create_index("limit_breaches_by_portfolio", "limit_breaches", ["portfolio", "began_at"])
    op.create_index("limit_breaches_by_end", "limit_breaches", ["ended_at"])


def downgrade() -> None:
    op.drop_table("limit_breaches")
    op.drop_table("portfolio_limits")
