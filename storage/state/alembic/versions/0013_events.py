"""Events and notes: what programs and people wrote down of moments."""

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


def downgrade() -> None:
    op.drop_table("events")
