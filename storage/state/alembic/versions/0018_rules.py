"""Rules that people make: who changed them last, drafts of them, and rules that are switched off."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.add_column("alert_rules", sa.Column("changed_by", sa.String(80), nullable=False, server_default=""))
    op.add_column("alert_rules", sa.Column("changed_at", sa.Float, nullable=False, server_default="0"))
    op.add_column("alert_rules", sa.Column("version", sa.Integer, nullable=False, server_default="1"))
    op.create_table(
        "alert_rules_off",
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_table(
        "alert_rule_drafts",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(80), nullable=False, server_default=""),
        sa.Column("version", sa.Integer, nullable=False, server_default="0"),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("made_at", sa.Float, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("alert_rule_drafts")
    op.drop_table("alert_rules_off")
    for name in ("version", "changed_at", "changed_by"):
        op.drop_column("alert_rules", name)
