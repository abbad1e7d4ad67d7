"""How well orders traded, how they fared, how long it took and what size cost."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from analytics import execution, impact, orders

NAN = math.nan
prices = arrays.arrays(np.float64, (4, 6), elements=st.floats(1.0, 100.0))


@given(prices, st.lists(st.floats(0.0, 1.0), min_size=6, max_size=6), st.sampled_from([1, -1]))
def test_parts_of_many_shortfalls_are_paper_less_real_profit(table: np.ndarray, shares: list[float], side: int) -> None:
    decision, arrival, fill, close = table
    ordered = np.arange(1.0, 7.0) * 100
    filled, fees = ordered * np.array(shares), np.linspace(0.0, 5.0, 6)
    found = execution.implementation_shortfall(ordered, filled, decision, arrival, fill, close, fees, side)
    paper, real = side * ordered * (close - decision), side * filled * (close - fill) - fees
    assert found.total * found.paper == pytest.approx(paper - real, abs=1e-9 * 1e5)


def test_an_order_without_a_fill_or_a_rest_needs_no_price_of_it() -> None:
    found = execution.implementation_shortfall([100, 100], [0, 100], 10.0, 11.0, [NAN, 11.5], [12.0, NAN])
    assert found.realised.tolist() == pytest.approx([0.0, 0.05])
    assert found.missed.tolist() == pytest.approx([0.2, 0.0])


def test_slippage_hurts_on_either_side() -> None:
    assert execution.slippage([1, -1, 1], [100.1, 99.9, 99.0], [100.0, 100.0, 100.0]) == pytest.approx([10, 10, -100])
    found = execution.mean_slippage(1, [100.1, 100.3], [100.0, 100.0], [300.0, 100.0])
    assert found.value == pytest.approx(15.0)
    assert found.low < 15.0 < found.high
    assert execution.mean_slippage(-1, [100.1, 100.3], [100.0, 100.0], [300.0, 100.0]).value == pytest.approx(-15.0)


def test_the_markets_own_average_in_each_interval() -> None:
    times, paid, traded = np.arange(6.0), [10.0, 11.0, 12.0, 13.0, 14.0, 15.0], [1.0, 2.0, 1.0, 0.0, 0.0, 5.0]
    found = execution.interval_vwap(times, paid, traded, [0.0, 1.0, 3.0, 5.0, 9.0], [2.0, 1.5, 4.0, 99.0, 10.0])
    assert found[:2] == pytest.approx([(10 + 22 + 12) / 4, 11.0])
    assert np.isnan(found[[2, 4]]).all()
    assert found[3] == pytest.approx(15.0)
    many = np.random.default_rng(2).lognormal(8.0, 0.01, 200_000)
    short = execution.interval_vwap(np.arange(2e5), many, np.full(200_000, 1e6), [199_990.0], [199_999.0])
    assert short[0] == pytest.approx(many[-10:].mean(), rel=1e-12)


def test_turnover_and_what_costs_take_of_a_year() -> None:
    assert execution.turnover([20.0, 10.0], [50.0, 0.0])[0] == pytest.approx(0.4)
    assert math.isnan(execution.turnover([20.0, 10.0], [50.0, 0.0])[1])
    assert execution.cost_drag([1.0, 3.0], [10_000.0, 10_000.0], 252) == pytest.approx(2e-4 * 252)
    assert math.isnan(execution.cost_drag([], [], 252))


def test_outcomes_with_how_sure_they_are() -> None:
    states = ["filled"] * 81 + ["rejected"] * 15 + ["cancelled"] * 167
    found = orders.outcomes(states, ["filled", "rejected", "cancelled", "expired"])
    assert found.counts.tolist() == [81.0, 15.0, 167.0, 0.0]
    assert (found.shares.low[0], found.shares.high[0]) == (
        pytest.approx(0.2553, abs=6e-5),
        pytest.approx(0.3662, abs=6e-5),
    )
    assert found.shares.high[3] > found.shares.low[3] == 0.0
    assert orders.outcomes(["b", "a"]).names == ("a", "b")
    assert orders.outcomes([]).names == ()
    assert orders.fill_ratio([100.0, 50.0], [100.0, 20.0]) == pytest.approx(0.8)
    assert math.isnan(orders.fill_ratio([], []))


def test_how_long_each_leg_takes() -> None:
    stamps = np.zeros((101, 3))
    stamps[:, 1] = np.arange(101) / 100
    stamps[:, 2] = stamps[:, 1] + 2.0
    stamps[:51, 2] = NAN
    found = orders.latencies(stamps, ("submit", "acknowledge", "fill"))
    assert found.legs == ("submit → acknowledge", "acknowledge → fill")
    assert found.counts.tolist() == [101.0, 50.0]
    assert found.quantiles[0].tolist() == pytest.approx([0.5, 0.95, 0.99])
    assert found.quantiles[1].tolist() == pytest.approx([2.0, 2.0, 2.0])
    skewed = orders.latencies([[1.0, 0.9999]], ("submit", "acknowledge"), tolerance=0.001)
    assert skewed.quantiles[0].tolist() == [0.0, 0.0, 0.0]
    assert np.isnan(orders.latencies(np.empty((0, 2)), ("a", "b")).quantiles).all()


def test_the_square_root_of_size_is_found_again() -> None:
    draw = np.random.default_rng(23)
    volatility, share = draw.uniform(50, 300, 4000), draw.uniform(0.0001, 0.2, 4000)
    cost = 2.0 + 0.8 * volatility * np.sqrt(share) + draw.normal(0.0, 20.0, 4000) * (1 + 5 * share)
    found = impact.square_root_impact(cost, volatility, share * 1e6, np.full(4000, 1e6))
    assert found.low < 0.8 < found.high
    assert found.coefficient == pytest.approx(0.8, abs=0.05)
    assert found.intercept == pytest.approx(2.0, abs=5 * found.intercept_error)
    assert found.cost(100.0, 0.01) == pytest.approx(found.intercept + found.coefficient * 10.0)
    exact = impact.square_root_impact([1.0, 2.0, 3.0], [10.0] * 3, [1.0, 4.0, 9.0], [100.0] * 3)
    assert (exact.coefficient, exact.r_squared) == (pytest.approx(1.0), pytest.approx(1.0))
    assert exact.coefficient_error == pytest.approx(0.0, abs=1e-9)
    assert math.isnan(impact.square_root_impact([1.0, 2.0, 3.0], [1.0] * 3, [5.0] * 3, [9.0] * 3).coefficient)
    assert impact.square_root_impact([], [], [], []).observations == 0


def test_the_fit_from_sums_is_that_of_the_orders() -> None:
    draw = np.random.default_rng(31)
    for many in (0, 2, 3, 40, 5_000):
        volatility, share = draw.uniform(50, 300, many), draw.uniform(0.0001, 0.2, many)
        x, y = volatility * np.sqrt(share), draw.normal(2.0, 30.0, many)
        powers = [(1, 0), (2, 0), (3, 0), (4, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 1), (2, 2), (3, 1)]
        sums = impact.ImpactSums(many, *(float((x**one * y**two).sum()) for one, two in powers))
        found, told = impact.square_root_impact_of(sums), impact.square_root_impact(y, volatility, share, np.ones(many))
        for name in ("coefficient", "coefficient_error", "low", "high", "intercept", "intercept_error", "r_squared",
                     "residual"):  # fmt: skip
            assert getattr(found, name) == pytest.approx(getattr(told, name), rel=1e-8, abs=1e-10, nan_ok=True), name
        assert found.observations == many
    alike = impact.square_root_impact_of(
        impact.ImpactSums(3, 6.0, 12.0, 24.0, 48.0, 6.0, 14.0, 12.0, 28.0, 24.0, 56.0, 48.0)
    )
    assert math.isnan(alike.coefficient)


def test_the_error_of_the_slope_covers_as_often_as_it_says() -> None:
    draw, hits = np.random.default_rng(29), 0
    for _ in range(300):
        share = draw.uniform(0.001, 0.2, 150)
        cost = 0.9 * 100.0 * np.sqrt(share) + draw.normal(0.0, 10.0, 150) * (0.5 + 10 * share)
        found = impact.square_root_impact(cost, np.full(150, 100.0), share, np.ones(150))
        hits += found.low <= 0.9 <= found.high
    assert 0.90 <= hits / 300 <= 0.98


def test_what_cannot_be_traded_is_told() -> None:
    with pytest.raises(ValueError, match=r"price\[1\]: is not above 0"):
        execution.slippage([1, 1], [10.0, 0.0], [10.0, 10.0])
    with pytest.raises(ValueError, match="reference: 1, not 2"):
        execution.slippage([1, 1], [10.0, 10.0], [10.0])
    with pytest.raises(ValueError, match="side: one is neither 1"):
        execution.slippage([1, 0], [10.0, 10.0], [10.0, 10.0])
    with pytest.raises(ValueError, match="ends: one is before its start"):
        execution.interval_vwap([1.0], [5.0], [1.0], [2.0], [1.0])
    with pytest.raises(ValueError, match="trades are out of order"):
        execution.interval_vwap([2.0, 1.0], [5.0, 5.0], [1.0, 1.0], [2.0], [3.0])
    with pytest.raises(ValueError, match=r"capital\[0\]: is not above 0"):
        execution.cost_drag([1.0], [0.0], 252)
    with pytest.raises(ValueError, match="first_fill of order 1 is before"):
        orders.latencies([[0, 1, 2, 3, 4], [0, 5, NAN, 4, 6]])
    with pytest.raises(ValueError, match="states: 'lost' is none of filled"):
        orders.outcomes(["lost"], ["filled"])
    with pytest.raises(ValueError, match=r"filled\[0\]: is more than was ordered"):
        orders.fill_ratio([1.0], [2.0])
    with pytest.raises(ValueError, match=r"volume\[0\]: is not above 0"):
        impact.square_root_impact([1.0], [1.0], [1.0], [0.0])
