"""What was answered to batches that came with an Idempotency-Key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "ingest_answers",
        sa.Column("who", sa.String(160), primary_key=True),
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("at", sa.Float, nullable=False, index=True),
        sa.Column("answer", sa.Text, nullable=False, server_default=""),
    )


def downgrade() -> None:
    op.drop_table("ingest_answers")
