"""When a second factor was offered that is not confirmed yet, and how many wrong codes were given for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("accounts", sa.Column("second_factor_offered_at", sa.Float, nullable=False, server_default="0"))
    op.add_column("accounts", sa.Column("second_factor_wrong", sa.Integer, nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("accounts", "second_factor_wrong")
    op.drop_column("accounts", "second_factor_offered_at")
