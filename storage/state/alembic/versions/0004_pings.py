"""Pings of jobs: what they told of themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "pings",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("job", sa.String(64), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=True),
        sa.Column("bytes", sa.BigInteger, nullable=True),
        sa.Column("files", sa.BigInteger, nullable=True),
        sa.Column("expected", sa.BigInteger, nullable=True),
        sa.Column("message", sa.String(500), nullable=False, server_default=""),
    )
    op.create_index("pings_by_job", "pings", ["job", "id"])


def downgrade() -> None:
    op.drop_table("pings")
