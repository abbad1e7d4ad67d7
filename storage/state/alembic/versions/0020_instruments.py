"""What holdings are grouped by, and how much of an instrument trades: what is told of instruments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    with op.batch_alter_table("series") as table:
        for name, length in (("asset_class", 16), ("sector", 64), ("industry", 64), ("country", 2), ("tags", 200)):
            table.add_column(sa.Column(name, sa.String(length), nullable=False, server_default=""))
        table.add_column(sa.Column("multiplier", sa.Float, nullable=False, server_default="1"))
        table.add_column(sa.Column("daily_volume", sa.Float, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("series") as table:
        for name in ("asset_class", "sector", "industry", "country", "tags", "multiplier", "daily_volume"):
            table.drop_column(name)
