"""Who asked for an action; empty for what was asked for before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    with op.batch_alter_table("actions") as table:
        table.add_column(sa.Column("who", sa.String(80), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("actions") as table:
        table.drop_column("who")
