"""What an import took, so that it can be undone; how files of a kind are read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

ADDED = (
    sa.Column("who", sa.String(80), nullable=False, server_default=""),
    sa.Column("kind", sa.String(16), nullable=False, server_default=""),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("first", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("last", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("names", sa.Text, nullable=False, server_default="[]"),
    sa.Column("created", sa.Text, nullable=False, server_default="[]"),
    sa.Column("added", sa.Integer, nullable=False, server_default="0"),
    sa.Column("restated", sa.Integer, nullable=False, server_default="0"),
    sa.Column("doubts", sa.Text, nullable=False, server_default="[]"),
    sa.Column("undone", sa.Float, nullable=False, server_default="0"),
    sa.Column("undone_by", sa.String(80), nullable=False, server_default=""),
)


def upgrade() -> None:
    with op.batch_alter_table("imports") as table:
        for column in ADDED:
            table.add_column(column)
    op.create_table(
        "mappings",
        sa.Column("header", sa.String(64), primary_key=True),
        sa.Column("stem", sa.String(255), primary_key=True),
        sa.Column("mapping", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("who", sa.String(80), nullable=False, server_default=""),
    )


def downgrade() -> None:
    op.drop_table("mappings")
    with op.batch_alter_table("imports") as table:
        for column in ADDED:
            table.drop_column(column.name)
