"""Returns a year of each portfolio."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("portfolios") as table:
        table.add_column(sa.Column("periods_per_year", sa.Integer, nullable=False, server_default="252"))


def downgrade() -> None:
    with op.batch_alter_table("portfolios") as table:
        table.drop_column("periods_per_year")
