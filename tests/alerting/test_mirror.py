"""The history of alerts in ClickHouse: every row once, whatever is emptied or restored in between."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerting.mirror import NAME, Mirror
from storage.state.alerts import HistoryRow, add_history
from storage.state.audit import set_mark
from storage.state.database import State
from storage.stores import Stores


@pytest.fixture
def stores(stores: Stores, either_state: State) -> Stores:
    return replace(stores, state=either_state)


def put(stores: Stores, *what: str) -> None:
    now = stores.clock.now()
    with stores.state.begin() as connection:
        add_history(connection, [HistoryRow(now, each, "cpu", '{"host":"a"}', "critical", 7) for each in what])


def copied(stores: Stores) -> list[tuple[int, str, str, int]]:
    found = stores.clickhouse.rows("SELECT id, what, labels, incident FROM alert_history ORDER BY id")
    return [(int(id), str(what), str(labels), int(incident)) for id, what, labels, incident in found]


def test_each_row_is_copied_once_and_by_the_engine_that_runs_alone(stores: Stores) -> None:
    active = [False]
    mirror = Mirror(stores, lambda: active[0])
    put(stores, "fires", "resolved")
    assert mirror.step() == 0
    active[0] = True
    assert (mirror.step(), mirror.step()) == (2, 0)
    put(stores, "fires")
    assert mirror.step() == 1
    assert copied(stores) == [
        (1, "fires", '{"host":"a"}', 7), (2, "resolved", '{"host":"a"}', 7), (3, "fires", '{"host":"a"}', 7),
    ]  # fmt: skip


def test_what_was_copied_and_not_marked_is_there_once(stores: Stores) -> None:
    mirror = Mirror(stores, lambda: True)
    put(stores, "fires", "resolved")
    mirror.step()
    set_mark(stores.state, NAME, 0)  # it ended between copying and remembering that
    put(stores, "fires")
    mirror.step()
    assert [id for id, *_ in copied(stores)] == [1, 2, 3]
