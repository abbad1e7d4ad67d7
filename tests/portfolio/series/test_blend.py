"""A blend's index is what an investor who held its parts, and restored the weights, would have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.performance import Track, track
from portfolio.series.blend import blended

START = np.datetime64("2021-01-29")
Steps = st.lists(st.floats(-0.2, 0.2), min_size=2, max_size=90)


def of_returns(returns: list[float], start: np.datetime64 = START) -> Track:
    levels = 100 * np.cumprod([1.0, *(1 + each for each in returns)])
    return track(start + np.arange(len(levels)), levels)


def test_sixty_forty_by_month_as_worked_out_by_hand() -> None:
    """100 put in as 60 and 40 at the end of January, restored at the end of February.

    February: shares 10 %, bonds −5 %: 60 · 1.10 + 40 · 0.95 = 66 + 38 = 104; restored to 62.40 and 41.60.
    Mid-March: shares −10 %, bonds +2 %: 62.40 · 0.90 + 41.60 · 1.02 = 56.16 + 42.432 = 98.592.
    End of March, since February: shares +5 %, bonds +1 %: 65.52 + 42.016 = 107.536; restored to 64.5216 and 43.0144.
    April: shares +20 %, bonds 0 %: 77.42592 + 43.0144 = 120.44032.
    """
    days = np.array(["2021-01-29", "2021-02-26", "2021-03-15", "2021-03-31", "2021-04-30"], dtype="datetime64[D]")
    shares = track(days, [50.0, 55.0, 49.5, 57.75, 69.3])
    bonds = track(days, [200.0, 190.0, 193.8, 191.9, 191.9])
    found = blended([shares, bonds], [0.6, 0.4], "monthly")
    assert (100 * found.index).tolist() == pytest.approx([100.0, 104.0, 98.592, 107.536, 120.44032])
    # Never restored: 60 and 40 of the first day, 60 · 1.386 + 40 · 0.9595.
    assert 100 * blended([shares, bonds], [0.6, 0.4], "never").index[-1] == pytest.approx(121.54)
    # By quarter it is restored at the end of March only: 69.3 + 38.38 = 107.68; 64.608 · 1.2 + 43.072.
    assert 100 * blended([shares, bonds], [0.6, 0.4], "quarterly").index[-1] == pytest.approx(120.6016)


@given(Steps, Steps, st.floats(-0.5, 1.5))
def test_restored_each_day_it_earns_the_weighted_mean_of_the_returns(
    one: list[float], two: list[float], w: float
) -> None:
    count = min(len(one), len(two))
    found = blended([of_returns(one[:count]), of_returns(two[:count])], [w, 1 - w], "daily")
    assert found.returns[1:] == pytest.approx(w * np.array(one[:count]) + (1 - w) * np.array(two[:count]), abs=1e-9)


@given(Steps, Steps, st.floats(0, 1))
def test_never_restored_its_weights_drift_with_the_prices(one: list[float], two: list[float], w: float) -> None:
    count = min(len(one), len(two))
    a, b = of_returns(one[:count]), of_returns(two[:count])
    found = blended([a, b], [w, 1 - w], "never")
    assert found.index == pytest.approx(w * a.index + (1 - w) * b.index)


@given(Steps, st.sampled_from(["daily", "monthly", "quarterly", "yearly", "never"]))
def test_of_one_part_or_of_equal_ones_it_is_that_part(steps: list[float], rebalancing: str) -> None:
    part = of_returns(steps)
    for parts, weights in (([part], [1.0]), ([part, part], [0.3, 0.7])):
        found = blended(parts, weights, rebalancing)  # type: ignore[arg-type]
        assert found.index == pytest.approx(part.index)
        assert (found.dates == part.dates).all()


@given(Steps, st.sets(st.integers(1, 89)))
def test_a_day_that_one_part_lacks_is_none_of_the_blend(steps: list[float], missing: set[int]) -> None:
    whole = of_returns(steps)
    kept = np.array([at for at in range(len(whole)) if at not in missing])
    part = track(whole.dates[kept], whole.index[kept])
    found = blended([whole, part], [0.5, 0.5], "never")
    assert (found.dates == part.dates).all()
    assert found.index == pytest.approx(whole.index[kept])


def test_what_one_part_does_not_know_the_blend_does_not_know() -> None:
    part = of_returns([0.1, 0.1, 0.1])
    gap = Track(part.dates, np.array([np.nan, 0.1, np.nan, 0.1]), part.index)
    assert np.isnan(blended([part, gap], [0.5, 0.5], "daily").returns).tolist() == [True, False, True, False]


def test_parts_without_a_common_day_have_no_blend() -> None:
    assert not len(blended([of_returns([0.1]), of_returns([0.1], START + 900)], [0.5, 0.5], "daily"))
