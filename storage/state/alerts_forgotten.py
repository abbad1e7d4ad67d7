"""Forgetting what alerting has kept for long enough: nothing that is open, and no history that is not copied yet."""

from __future__ import annotations

import sqlalchemy as sa

from storage.state.access_tables import marks
from storage.state.alert_tables import (
    alert_history,
    alert_incidents,
    alert_messages,
    alert_requests,
    alert_silences,
    alert_windows,
)
from storage.state.database import State
from storage.state.outbox import OF_CHANNELS

MOST_INCIDENTS = 1_000
"""In one transaction: nobody waits long for it."""


def forget_alerts(state: State, before: float, copied: str) -> int:
    """Forget what was over before that time (epoch seconds) and return how many incidents that were.

    copied: the mark of the copy of the history: what is above it stays. Incidents are forgotten with their messages,
    and with what was asked of them. Raises StorageUnavailable.
    """
    with state.begin() as connection:
        mark = connection.execute(sa.select(marks.c.value).where(marks.c.name == copied)).scalar() or 0
        connection.execute(sa.delete(alert_history).where(alert_history.c.at < before, alert_history.c.id <= int(mark)))
        # Of no incident: digests, tests, what was told of channels.
        done = (alert_messages.c.incident == OF_CHANNELS, alert_messages.c.done_at < before)
        connection.execute(sa.delete(alert_messages).where(*done))
        for table in (alert_silences, alert_windows):
            connection.execute(sa.delete(table).where(table.c.ends < before))
        of = alert_incidents.c
        asked = sa.select(of.id).where(of.closed_at < before).order_by(of.id).limit(MOST_INCIDENTS)
        ids = [*connection.execute(asked).scalars()]
        for table, column in (
            (alert_messages, alert_messages.c.incident),
            (alert_requests, alert_requests.c.incident),
            (alert_incidents, of.id),
        ):
            connection.execute(sa.delete(table).where(column.in_(ids)))
        return len(ids)
