"""Events and notes: what programs and people wrote down of moments. How far pulls have come, and rows not taken."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("until", sa.Float, nullable=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("tags", sa.Text, nullable=False, server_default="[]"),
        sa.Column("portfolio", sa.String(80), nullable=False, server_default=""),
        sa.Column("component", sa.String(160), nullable=False, server_default=""),
        sa.Column("who", sa.String(80), nullable=False, server_default=""),
        sa.Column("made_at", sa.Float, nullable=False),
        sa.Column("changed_at", sa.Float, nullable=False, server_default="0"),
        sa.Column("deleted_at", sa.Float, nullable=False, server_default="0"),
    )
    op.create_index("events_by_time", "events", ["at"])
    op.create_table(
        "pulled",
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("mark", sa.Text, nullable=False, server_default=""),
        sa.Column("rows", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("refused", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("refused_at", sa.Float, nullable=False, server_default="0"),
    )
    op.create_table(
        "refused_rows",
        sa.Column("source", sa.String(80), primary_key=True),
        sa.Column("digest", sa.String(32), primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("refused_rows")
    op.drop_table("pulled")
    op.drop_table("events")
