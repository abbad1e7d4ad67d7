"""What programs sent, an entry an hour, sender and kind of rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.create_table(
        "sent_rows",
        sa.Column("hour", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("who", sa.String(80), primary_key=True),
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("batches", sa.BigInteger, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("added", sa.BigInteger, nullable=False),
        sa.Column("restated", sa.BigInteger, nullable=False),
        sa.Column("refused", sa.BigInteger, nullable=False),
        sa.Column("last", sa.Float, nullable=False),
        sa.Column("why", sa.String(500), nullable=False, server_default=""),
        sa.Column("doubts", sa.Text, nullable=False, server_default="[]"),
        sa.Column("is_audited", sa.Boolean, nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    op.drop_table("sent_rows")
