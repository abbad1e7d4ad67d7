"""The fees of a portfolio, and whether its values come before or after them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

ADDED = (
    ("management_fee", 12), ("performance_fee", 12), ("hurdle", 12), ("high_water_mark", 3), ("crystallisation", 8),
    ("nav_is", 5),
)  # fmt: skip


def upgrade() -> None:
    with op.batch_alter_table("portfolios") as table:
        for name, length in ADDED:
            table.add_column(sa.Column(name, sa.String(length), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("portfolios") as table:
        for name, _ in ADDED:
            table.drop_column(name)
