"""Channels that people make."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.create_table(
        "alert_channels",
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


def downgrade() -> None:
    op.drop_table("alert_channels")
