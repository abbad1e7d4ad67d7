"""The sum of parts: what an investor in all of them has, whatever their calendars, beginnings and ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portfolio.given import Said
from portfolio.history import History, Move, Nav, history_of
from portfolio.series.total import on_days, summed

MONDAY = np.datetime64("2024-01-01")
Floats = list[float]


def history(
    days: list[int] | np.ndarray, values: Floats, flows: Floats | None = None, moves: tuple[Move, ...] = ()
) -> History:
    dates = MONDAY + np.asarray(days)
    money = np.zeros(len(values)) if flows is None else np.array(flows)
    return history_of(Nav(dates, np.array(values), money, int(dates[-1].astype(int)) * 86_400, moves))


def of(*parts: History) -> History:
    return summed([(str(number), part) for number, part in enumerate(parts)])


def weekdays(count: int, first: int = 0) -> np.ndarray:
    return np.array([day for day in range(first, first + 2 * count + 9) if day % 7 < 5][:count])


def test_values_and_money_add_up_and_what_moves_between_parts_is_no_money_of_the_whole() -> None:
    one = history([0, 1, 2], [100.0, 110.0, 71.0], [0.0, 0.0, -50.0])
    two = history([0, 1, 2], [100.0, 90.0, 149.0], [0.0, 0.0, 50.0])
    found = of(one, two)
    assert found.nav.value.tolist() == [200.0, 200.0, 220.0]
    assert found.nav.flow.tolist() == [0.0, 0.0, 0.0]
    assert found.track.returns[1:] == pytest.approx([0.0, 0.10])
    assert found.made_of == ("0", "1")


def test_a_day_that_one_calendar_does_not_have_carries_its_last_value() -> None:
    days = weekdays(15)
    found = of(history(days, [100.0] * 15), history(np.delete(days, 7), [50.0 + at for at in range(14)]))
    assert found.nav.value.tolist() == [150.0 + at for at in (*range(7), *range(6, 14))]


def test_nothing_is_carried_across_a_gap_of_a_part() -> None:
    whole = weekdays(60)
    kept = np.concatenate([whole[:20], whole[40:]])
    found = of(history(whole, np.full(60, 100.0).tolist()), history(kept, np.full(40, 50.0).tolist()))
    assert found.nav.dates.tolist() == (MONDAY + kept).tolist()
    assert np.isnan(found.track.returns[20])
    assert np.isfinite(found.track.returns[1:20]).all()


def test_a_part_that_begins_later_brings_its_value_and_one_that_ends_takes_it_out() -> None:
    days = weekdays(40)
    rising = [100 * 1.01**at for at in range(40)]
    late = history(days[20:], [500.0] * 20)
    over = history(days[:20], [300.0] * 20)
    begins = of(history(days, rising), late)
    assert begins.nav.flow[20] == pytest.approx(500.0)
    # It comes in at the close of its first day: the day's return is that of what was there.
    assert begins.track.returns[20] == pytest.approx(0.01)
    told = of(history(days, rising), history(days[20:], [500.0] * 20, [500.0, *[0.0] * 19]))
    assert told.nav.flow.tolist() == begins.nav.flow.tolist()
    assert told.track.returns[1:].tolist() == begins.track.returns[1:].tolist()
    ends = of(history(days, rising), over)
    assert ends.nav.flow[20] == pytest.approx(-300.0)
    assert ends.nav.value[20] == pytest.approx(rising[20])
    # It goes out at the end of the day after its last value, and earns nothing on it.
    assert ends.track.returns[20] == pytest.approx(0.01 * rising[19] / (rising[19] + 300))
    assert ends.track.returns[21:] == pytest.approx(np.full(19, 0.01))


def test_a_part_that_is_said_to_have_ended_is_over_at_once_and_the_sum_goes_on() -> None:
    ends = np.arange("2024-01", "2024-10", dtype="datetime64[M]").astype("datetime64[D]") + 27
    going, over = (history((ends[:count] - MONDAY).astype(int), [100.0] * count) for count in (9, 6))
    waits = of(going, over)
    assert (len(waits.nav), waits.nav.newest) == (6, over.nav.newest)
    found = of(going, replace(over, ended="2024-06-30"))
    assert found.nav.value.tolist() == [200.0] * 6 + [100.0] * 3
    assert found.nav.flow.tolist() == [0.0] * 6 + [-100.0, 0.0, 0.0]
    assert found.nav.newest == going.nav.newest


def test_days_outside_what_is_said_of_a_sum_are_counted() -> None:
    days = weekdays(30)
    part = history(days, [100.0] * 30)
    said = Said(inception=str(MONDAY + days[4]), ended=str(MONDAY + days[19]))
    found = summed([("0", part)], said)
    assert (len(found.nav), found.left_out, found.ended) == (16, 14, said.ended)


def test_a_feed_that_is_a_day_late_is_no_end() -> None:
    days = weekdays(40)
    found = of(history(days, [100.0] * 40), history(days[:-1], [50.0] * 39))
    assert found.nav.value[-1] == 150.0
    assert found.nav.newest == (MONDAY + days[-2]).astype("datetime64[s]").astype(int)


def test_months_that_all_have_are_those_of_the_sum() -> None:
    ends = np.array(["2024-01-31", "2024-02-29", "2024-03-29", "2024-04-30", "2024-05-31"], dtype="datetime64[D]")
    monthly = history((ends - MONDAY).astype(int), [100.0, 110.0, 121.0, 121.0, 133.1])
    every = np.arange(0, 152)
    daily = history(every, np.linspace(50, 60, 152).tolist())
    found = of(monthly, daily)
    assert found.cadence.rhythm == "monthly"
    assert found.nav.dates.astype("datetime64[M]").astype(str).tolist() == [f"2024-0{month}" for month in range(1, 6)]
    behind = of(monthly, history((ends - MONDAY).astype(int)[:-1], [10.0] * 4))
    assert str(behind.nav.dates[-1]) == "2024-04-30"


def test_money_that_moves_within_a_day_stays_linked() -> None:
    """100 rises to 110 by noon, 110 come in, 220 fall to 198: +10 % and −10 %, −1 % on the day; beside 300 at +2 %."""
    noon = int(MONDAY.astype("datetime64[s]").astype(int)) + 86_400 + 43_200
    moved = history([0, 1], [100.0, 198.0], [0.0, 110.0], (Move(noon, 110.0, 220.0, 110.0),))
    assert moved.track.returns[1] == pytest.approx(-0.01)
    found = of(moved, history([0, 1], [300.0, 306.0]))
    weight = (100 + 110) / (100 + 110 + 300)
    assert found.track.returns[1] == pytest.approx(weight * -0.01 + (1 - weight) * 0.02)


def a_part(draw: np.random.Generator, count: int) -> History:
    """Return a part with money in and out that begins and ends somewhere within `count` weekdays."""
    first = int(draw.integers(0, count - 12))
    last = int(draw.integers(first + 12, count + 1))
    steps = draw.normal(0, 0.02, last - first)
    flows = draw.choice([0.0, 0.0, 0.0, 20.0, -20.0], last - first)
    flows[0] = 0.0
    values = [float(draw.uniform(200, 500))]
    for step, flow in zip(steps[1:], flows[1:], strict=True):
        values.append((values[-1] + max(flow, 0.0)) * (1 + step) + min(flow, 0.0))
    return history(weekdays(count)[first:last], values, flows.tolist())


@given(st.integers(0, 2**32), st.integers(1, 4))
@settings(max_examples=40)
def test_the_parts_weighted_returns_are_those_of_their_values_and_money(seed: int, count: int) -> None:
    draw = np.random.default_rng(seed)
    parts = [a_part(draw, 40) for _ in range(count)]
    found = of(*parts)
    nav, known = found.nav, found.track
    beside = on_days(parts, nav.dates, nav.dates[-1])
    assert nav.value == pytest.approx(beside.value.sum(axis=0))
    told = np.isfinite(known.returns[1:])
    assert known.returns[1:][told] == pytest.approx(beside.whole_returns()[told])
    begun = {int(np.searchsorted(nav.dates, part.nav.dates[0])) for part in parts}
    for at in set(np.flatnonzero(told) + 1) - begun:
        gains = nav.value[at] - nav.value[at - 1] - nav.flow[at]
        assert known.returns[at] == pytest.approx(gains / (nav.value[at - 1] + max(nav.flow[at], 0.0)), abs=1e-9)


@given(st.integers(0, 2**32))
@settings(max_examples=20)
def test_a_sum_of_sums_is_the_sum_of_all(seed: int) -> None:
    draw, days = np.random.default_rng(seed), weekdays(20)
    parts = [history(days, draw.uniform(10, 99, 20).tolist()) for _ in range(3)]
    nested, flat = of(of(*parts[:2]), parts[2]), of(*parts)
    assert nested.nav.value == pytest.approx(flat.nav.value)
    assert nested.track.returns[1:] == pytest.approx(flat.track.returns[1:])
