"""Scenarios of stress that people keep."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "scenarios",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("moves", sa.Text, nullable=False),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("made_at", sa.Float, nullable=False),
        sa.UniqueConstraint("name", name="scenarios_by_name"),
    )


def downgrade() -> None:
    op.drop_table("scenarios")
