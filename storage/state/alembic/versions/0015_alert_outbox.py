"""The outbox is asked by receiver: what waits for it, and how much it was sent of late."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_index("alert_messages_by_receiver", "alert_messages", ["receiver", "status", "done_at"])
    op.create_index("alert_messages_held", "alert_messages", ["receiver", "status", "muted_by"])


def downgrade() -> None:
    op.drop_index("alert_messages_held", "alert_messages")
    op.drop_index("alert_messages_by_receiver", "alert_messages")
