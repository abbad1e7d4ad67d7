"""Refused files of the inbox that a person has looked at."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "looked_at",
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("stamp", sa.String(64), primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("who", sa.String(80), nullable=False, server_default=""),
    )


def downgrade() -> None:
    op.drop_table("looked_at")
