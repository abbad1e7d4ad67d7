"""What series of prices and rates are, blends of them, and the risk-free rate of each currency."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "series",
        sa.Column("origin", sa.String(16), primary_key=True),
        sa.Column("symbol", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False, server_default=""),
        sa.Column("day_count", sa.String(16), nullable=False, server_default=""),
        sa.Column("note", sa.String(500), nullable=False, server_default=""),
    )
    op.create_table(
        "blends",
        sa.Column("origin", sa.String(16), primary_key=True),
        sa.Column("id", sa.String(48), primary_key=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("parts", sa.Text, nullable=False),
        sa.Column("rebalancing", sa.String(16), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False, server_default=""),
    )
    op.create_table(
        "risk_free",
        sa.Column("origin", sa.String(16), primary_key=True),
        sa.Column("currency", sa.String(3), primary_key=True),
        sa.Column("percent", sa.Float, nullable=False, server_default="0"),
        sa.Column("series", sa.String(64), nullable=False, server_default=""),
    )


def downgrade() -> None:
    for table in ("risk_free", "blends", "series"):
        op.drop_table(table)
