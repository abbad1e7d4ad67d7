"""What each person has seen of the notices, and the reads that notices are made from, in either database."""

from __future__ import annotations

import pytest

from storage.state.alert_log import read_happened
from storage.state.alerts import HistoryRow, add_history
from storage.state.audit import Entry, add_entry, newest_of
from storage.state.database import State
from storage.state.halts import Halt, add_halt, end_halt, expired_halts
from storage.state.notices_seen import END, UpTo, mark_seen, seen_by, up_to


def test_what_was_seen_stays_seen_and_is_of_one_account_alone(either_state: State) -> None:
    mark_seen(either_state, "ana", UpTo(7, 3, 1_700_000_000, 0), 10.0)
    mark_seen(either_state, "ana", UpTo(5, 4, 0, 1_700_000_000_123), 20.0)
    with either_state.reading() as connection:
        assert seen_by(connection, "ana") == (UpTo(7, 4, 1_700_000_000, 1_700_000_000_123), 20.0)
        assert seen_by(connection, "ben") is None
    mark_seen(either_state, "ana", UpTo(1, 1, 1, 1), 30.0)
    with either_state.reading() as connection:
        assert seen_by(connection, "ana") == (UpTo(7, 4, 1_700_000_000, 1_700_000_000_123), 20.0)


@pytest.mark.parametrize("place", [UpTo(), UpTo(1, 2, 3, 4), END])
def test_a_place_is_read_as_it_was_written(place: UpTo) -> None:
    assert up_to(place.text) == place


def test_notices_are_read_newest_first_and_without_what_is_none(either_state: State) -> None:
    with either_state.begin() as connection:
        add_history(connection, [HistoryRow(float(at), what) for at, what in enumerate(["fires", "near_miss"] * 3)])
        for what in ("import taken", "signed in", "file refused", "import taken"):
            add_entry(connection, Entry(1.0, "ana", what))
    add_halt(either_state, Halt("a", "ana", "a drill", 100.0, 150.0))
    ended = add_halt(either_state, Halt("b", "ana", "a drill", 100.0, 150.0))
    end_halt(either_state, ended.id, "ana", 120.0)
    with either_state.reading() as connection:
        rows = read_happened(connection, {"fires"}, 2, END.alerts)
        assert [row.at for _, row in rows] == [4.0, 2.0]
        assert [row.at for _, row in read_happened(connection, {"fires"}, 9, rows[-1][0])] == [0.0]
        found = newest_of(connection, {"import taken", "file refused"}, 2, END.done)
        assert [each.what for each in found] == ["import taken", "file refused"]
        found = newest_of(connection, {"import taken", "file refused"}, 9, found[-1].id)
        assert [each.what for each in found] == ["import taken"]
        assert not expired_halts(connection, 149.0, 9)
        assert [each.portfolio for each in expired_halts(connection, 150.0, 9)] == ["a"]
