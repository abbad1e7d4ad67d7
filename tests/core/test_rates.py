"""Counters to rates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.rates import Rates

counts = st.integers(min_value=0, max_value=2**53)
gaps = st.floats(min_value=0.01, max_value=299.9)


@given(st.lists(st.tuples(counts, gaps), min_size=2, max_size=30))
def test_a_rate_is_never_negative_and_rates_times_time_give_the_growth(looks: list[tuple[int, float]]) -> None:
    rates, now, before = Rates(), 1_000.0, None
    for value, gap in looks:
        now += gap
        rate = rates.per_second("c", value, now)
        if before is None or value < before[0]:
            assert rate is None
        else:
            assert rate is not None
            assert rate >= 0
            assert rate * (now - before[1]) == pytest.approx(value - before[0])
        before = (value, now)


def test_a_reset_costs_one_tick_and_the_next_rate_counts_from_the_new_start() -> None:
    rates = Rates()
    values = [100, 150, 10, 60]
    seen = [rates.per_second("c", value, 5.0 * tick) for tick, value in enumerate(values)]
    assert seen == [None, 10.0, None, 10.0]


def test_a_mean_over_a_long_gap_is_not_shown_as_the_present() -> None:
    rates = Rates(longest_gap_seconds=60)
    rates.per_second("c", 0, 0.0)
    assert rates.per_second("c", 1_000_000, 61.0) is None
    assert rates.per_second("c", 1_000_010, 62.0) == 10.0


def test_two_looks_at_the_same_moment_give_no_rate() -> None:
    rates = Rates()
    rates.per_second("c", 1, 5.0)
    assert rates.per_second("c", 2, 5.0) is None


def test_counters_not_seen_any_more_are_forgotten() -> None:
    rates = Rates()
    for number in range(100):
        rates.per_second(("process", number), 1, float(number))
    rates.forget(before_monotonic=90.0)
    assert len(rates) == 10
    assert rates.per_second(("process", 5), 2, 100.0) is None
    assert rates.per_second(("process", 95), 11, 100.0) == 2.0


def test_deltas_are_of_known_counters_of_one_run() -> None:
    rates = Rates()
    assert rates.deltas("run 1", {"hits": 10, "misses": None}, 0.0).rate("hits") is None
    deltas = rates.deltas("run 1", {"hits": 30, "misses": 5}, 10.0)
    assert (deltas.rate("hits"), deltas.change("hits")) == (2.0, 20.0)
    assert (deltas.rate("misses"), deltas.change("misses")) == (None, 0.0)
    assert rates.deltas("run 2", {"hits": 40}, 20.0).rate("hits") is None, "it was started anew"
