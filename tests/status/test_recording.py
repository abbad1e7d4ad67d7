"""When a state becomes a row: at each change, of what flaps at some of them, never a calmer one than was left out."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.model import SEVERITY, Status
from status.recording import (
    FLAP_ROWS,
    FLAP_SECONDS,
    REPEAT_SECONDS,
    SETTLE_SECONDS,
    Recorded,
    first_recorded,
    recorded_after,
)
from storage.clickhouse.reads.state_changes import ComponentId, StateChange

ID = ComponentId("", "redis:main")
FLAPPING = st.lists(st.tuples(st.sampled_from(Status), st.floats(0.1, 200)), min_size=1, max_size=120)


def recorded(told: Iterable[tuple[Status, float]]) -> tuple[Recorded, list[StateChange]]:
    known, rows = None, []
    for state, ts in told:
        why = f"{state} at {ts:.3f}"
        if known is None:
            known, row = first_recorded(ID, state, why, ts, 13.0)
        else:
            known, row = recorded_after(known, state, why, ts, 13.0)
        rows += [row] if row else []
    assert known is not None
    return known, rows


def every(seconds: float, count: int, *states: Status) -> list[tuple[Status, float]]:
    return [(states[n % len(states)], n * seconds) for n in range(count)]


def test_a_state_that_holds_is_one_row_and_keeps_its_newest_reason_for_the_row_that_ends_it() -> None:
    _, rows = recorded([*every(5, 100, Status.OK), (Status.DOWN, 500.0)])
    assert [(row.state, row.before, row.held_seconds) for row in rows] == [
        (Status.OK, None, 0.0), (Status.DOWN, Status.OK, 500.0),
    ]  # fmt: skip
    assert rows[1].before_why == "ok at 495.000"


def test_a_component_that_flaps_each_second_for_a_day_gives_few_rows_and_is_not_told_as_fine() -> None:
    known, rows = recorded(every(1, 86_400, Status.OK, Status.DOWN))
    assert len(rows) == FLAP_ROWS
    assert known.state is Status.DOWN
    _, settled = recorded_after(known, Status.OK, "answers", 86_400.0, 13.0)
    assert settled is None
    known, _ = recorded_after(known, Status.OK, "answers", 86_400.0, 13.0)
    known, settled = recorded_after(known, Status.OK, "answers", 86_400.0 + SETTLE_SECONDS, 13.0)
    assert settled is not None
    assert (settled.ts, settled.state) == (86_400.0, Status.OK), "with the time at which it began"
    assert settled.why.endswith("changes before it left out: it flapped)")


def test_calmer_states_that_alternate_settle_at_the_worse_of_them() -> None:
    flapped = every(1, 2 * FLAP_ROWS, Status.OK, Status.DOWN)
    after = [(state, 100.0 + ts) for state, ts in every(10, 30, Status.OK, Status.WARNING)]
    _, rows = recorded([*flapped, *after])
    assert rows[FLAP_ROWS].state is Status.WARNING


@given(FLAPPING)
def test_rows_are_few_in_order_and_never_calmer_than_what_they_leave_out(steps: list[tuple[Status, float]]) -> None:
    ts, told = 1_000.0, []
    for state, pause in steps:
        told.append((state, ts))
        ts += pause
    known, rows = recorded(told)
    assert [row.ts for row in rows] == sorted({row.ts for row in rows})
    assert all(row.before is before.state for before, row in pairwise(rows))
    for row in rows:
        lately = [each for each in rows if row.ts - FLAP_SECONDS < each.ts <= row.ts]
        assert len(lately) <= FLAP_ROWS + 1 + 5 * FLAP_SECONDS / SETTLE_SECONDS
    if known.settling is None:
        assert known.state is told[-1][0]
    else:
        assert SEVERITY[known.state] >= SEVERITY[told[-1][0]]


def test_a_clock_that_was_set_back_puts_no_change_before_another() -> None:
    _, rows = recorded([(Status.OK, 1_000.0), (Status.DOWN, 400.0), (Status.OK, 401.0)])
    assert [row.ts for row in rows] == [1_000.0, 1_000.001, 1_000.002]


def test_a_state_that_holds_for_months_is_told_again_before_its_row_is_dropped() -> None:
    known, rows = recorded([(Status.OK, 0.0), (Status.OK, REPEAT_SECONDS), (Status.OK, REPEAT_SECONDS + 5)])
    assert [(row.ts, row.before) for row in rows] == [(0.0, None), (REPEAT_SECONDS, Status.OK)]
    assert known.since == 0.0
