"""What is old and over is forgotten; what is open, young or not copied yet is not."""

from __future__ import annotations

import pytest

from alerting.forgetting import Forgetting
from alerting.mirror import NAME
from core.alerts.matchers import read_matchers
from core.alerts.silence import Silence
from core.clock import FakeClock
from storage.state.alert_requests import Ask, Request, ask, requests_of
from storage.state.alerts import (
    HistoryRow,
    KeptIncident,
    KeptMessage,
    add_history,
    add_messages,
    messages_of,
    read_history,
    read_incidents,
    write_incident,
)
from storage.state.audit import set_mark
from storage.state.database import State
from storage.state.silences import add_silence, silences_in

DAY = 86_400.0


@pytest.mark.parametrize("is_active", [True, False])
def test_what_is_over_for_long_enough_is_forgotten_by_the_engine_that_runs(state: State, is_active: bool) -> None:
    clock = FakeClock()
    now = clock.now()
    with state.begin() as connection:
        for closed in (now - 40 * DAY, now - 20 * DAY, None):
            id = write_incident(connection, KeptIncident("g", "closed" if closed else "open", 0.0, None, "{}"))
            add_messages(connection, [KeptMessage(id, 0, "desk", "opened", "sent", 0.0, 0.0, "{}")])
        add_history(connection, [HistoryRow(now - days * DAY, "fires") for days in (50, 40, 20)])
    for id in (1, 2):
        ask(state, Request(id, Ask.RESOLVE, "ana", now))
    with state.begin() as connection:
        for id, days in ((1, 40), (2, 20)):
            row = KeptIncident("g", "closed", 0.0, now - days * DAY, "{}", id)
            write_incident(connection, row)
    for begins in (now - 50 * DAY, now - 10 * DAY):
        add_silence(state, Silence(read_matchers("a=b"), begins, begins + DAY, "why", "ana", begins))
    set_mark(state, NAME, 1)
    forgetting = Forgetting(state, clock, 30, lambda: is_active)
    assert forgetting.step() == is_active
    assert forgetting.step() == 0
    with state.reading() as connection:
        kept = [each.id for each in read_incidents(connection, closed=True) + read_incidents(connection)]
        assert kept == ([2, 3] if is_active else [1, 2, 3])
        assert [len(messages_of(connection, id)) for id in (1, 2, 3)] == [not is_active, 1, 1]
        assert [len(requests_of(connection, id)) for id in (1, 2)] == [not is_active, 1]
        assert len(silences_in(connection, 0.0)) == (1 if is_active else 2)
        # The second is as old, and not copied yet.
        assert [id for id, _ in read_history(connection, 9)] == ([3, 2] if is_active else [3, 2, 1])
