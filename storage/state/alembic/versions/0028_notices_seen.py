"""Up to where each person has seen the notices; the audit is looked through by what was done."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.create_table(
        "notices_seen",
        sa.Column("account", sa.String(80), primary_key=True),
        sa.Column("alerts", sa.BigInteger, nullable=False),
        sa.Column("done", sa.BigInteger, nullable=False),
        sa.Column("safe", sa.BigInteger, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_index("audit_by_what", "audit", ["what", "id"])


def downgrade() -> None:
    op.drop_index("audit_by_what", "audit")
    op.drop_table("notices_seen")
