"""How the management fee of a portfolio is charged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0024"


def upgrade() -> None:
    with op.batch_alter_table("portfolios") as table:
        table.add_column(sa.Column("management_accrual", sa.String(16), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("portfolios") as table:
        table.drop_column("management_accrual")
