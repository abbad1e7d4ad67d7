"""What can be set of a portfolio, the names it is known by, and who changed what.

252 returns a year stood for "found from the data", and 365 for the same where weekends have values: both are 0 now.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

ADDED = (
    sa.Column("inception", sa.String(10), nullable=False, server_default=""),
    sa.Column("ended", sa.String(10), nullable=False, server_default=""),
    sa.Column("frequency", sa.String(1), nullable=False, server_default=""),
    sa.Column("calendar", sa.String(24), nullable=False, server_default=""),
    sa.Column("strategy", sa.String(64), nullable=False, server_default=""),
    sa.Column("colour", sa.String(1), nullable=False, server_default=""),
)


def upgrade() -> None:
    with op.batch_alter_table("portfolios") as table:
        for column in ADDED:
            table.add_column(column)
        table.alter_column("periods_per_year", server_default="0")
    op.execute("UPDATE portfolios SET periods_per_year = 0")
    op.create_table(
        "known_names",
        sa.Column("name", sa.String(120), primary_key=True),
        sa.Column("portfolio", sa.String(64), nullable=False),
    )
    op.create_table(
        "portfolio_changes",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("who", sa.String(80), nullable=False, server_default=""),
        sa.Column("portfolio", sa.String(64), nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("detail", sa.Text, nullable=False, server_default=""),
        sa.Column("into", sa.String(64), nullable=False, server_default=""),
        sa.Column("wins", sa.String(64), nullable=False, server_default=""),
        sa.Column("stage", sa.String(16), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("portfolio_changes")
    op.drop_table("known_names")
    op.execute("UPDATE portfolios SET periods_per_year = 252 WHERE periods_per_year = 0")
    with op.batch_alter_table("portfolios") as table:
        table.alter_column("periods_per_year", server_default="252")
        for column in ADDED:
            table.drop_column(column.name)
