"""Where a return came from and what trading cost: the parts add up to the whole."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import attribution, execution, exposure, money_weighted, returns

prices = st.floats(1.0, 100.0)
WEIGHTS, PASSIVE_WEIGHTS = np.array([0.4, 0.3, 0.3]), np.array([0.4, 0.2, 0.4])
GAINED, PASSIVE = np.array([0.2, -0.05, 0.06]), np.array([0.1, -0.04, 0.08])
ACTIVE = float(WEIGHTS @ GAINED - PASSIVE_WEIGHTS @ PASSIVE)


@pytest.mark.parametrize("model", ["BF", "BHB"])
@pytest.mark.parametrize("fold", [True, False])
def test_effects_add_up_to_the_active_return(model: attribution.Model, fold: bool) -> None:
    effects = attribution.brinson(WEIGHTS, PASSIVE_WEIGHTS, GAINED, PASSIVE, model, fold)
    assert effects.total.sum() == pytest.approx(ACTIVE, abs=1e-12)


def test_geometric_effects_compound_to_the_active_return() -> None:
    effects = attribution.brinson_geometric(WEIGHTS, PASSIVE_WEIGHTS, GAINED, PASSIVE)
    both = (1 + effects.allocation.sum()) * (1 + effects.selection.sum()) - 1
    own, benchmark = float(WEIGHTS @ GAINED), float(PASSIVE_WEIGHTS @ PASSIVE)
    assert both == pytest.approx(attribution.excess_geometric(own, benchmark), abs=1e-12)
    assert math.isnan(attribution.excess_geometric(0.1, -1.0))


def test_drifting_parts_add_up_to_what_they_grew_to() -> None:
    gains = np.random.default_rng(2).normal(0.01, 0.04, (30, 4))
    weights = np.array([0.1, 0.2, 0.3, 0.2])
    drifted = attribution.drifting_weights(gains, weights, np.zeros(30, dtype=bool))
    held = (weights * np.cumprod(1 + gains, axis=0)[-1]).sum() + 0.2
    assert attribution.compounded_contribution(drifted, gains).sum() == pytest.approx(held - 1)
    reset = attribution.drifting_weights(gains, weights, np.ones(30, dtype=bool))
    assert np.allclose(reset, weights)


def test_contributions_of_a_fund_come_back_by_name() -> None:
    index = pd.date_range("2024-01-01", periods=3)
    gains = pd.DataFrame({"A": [0.1, 0.2, math.nan], "B": [0.0, -0.1, 0.05]}, index=index)
    weights = pd.DataFrame({"A": [0.5, 0.5, 0.0], "B": [0.5, 0.5, 1.0]}, index=index)
    found = returns.contribution(weights, gains)
    assert list(found.index) == ["A", "B"]
    assert found.sum() == pytest.approx(1.05 * 1.05 * 1.05 - 1)


@given(st.floats(1, 1000), st.floats(0, 1), prices, prices, prices, prices, st.sampled_from([1, -1]))
def test_shortfall_is_paper_profit_less_real_profit(
    ordered: float, share: float, decision: float, arrival: float, fill: float, close: float, side: int
) -> None:
    filled, fees = ordered * share, 3.0
    found = execution.implementation_shortfall(ordered, filled, decision, arrival, fill, close, fees, side)
    paper, real = side * ordered * (close - decision), side * filled * (close - fill) - fees
    assert found.total * ordered * decision == pytest.approx(paper - real, abs=1e-6)


def test_trades_and_positions_without_anything_have_no_figure() -> None:
    assert math.isnan(execution.expectancy([]))
    assert math.isnan(execution.expectancy_ratio([5.0, 3.0]))
    assert execution.expectancy_ratio([-1.0, -2.0]) == -1.0
    assert math.isnan(execution.turnover(10.0, 0.0))
    assert math.isnan(exposure.gross_leverage([5.0, -5.0], 0.0))
    assert math.isnan(exposure.extremes([], 100.0).max_long)
    assert exposure.by_group({"A": 2.0, "B": 3.0}, {"A": "Energy"}) == {"Energy": 2.0, "": 3.0}


def test_money_weighted_is_time_weighted_without_flows_and_tells_good_timing() -> None:
    dates = np.array(["2023-01-01", "2023-07-01", "2024-01-01"], dtype="datetime64[D]")
    still = money_weighted.money_weighted_return(dates, [100.0, 50.0, 100.0], [0.0, 0.0, 0.0])
    assert still == pytest.approx(0.0, abs=1e-9)
    # 50 comes in at the low and doubles with the rest.
    bought_low = money_weighted.money_weighted_return(dates, [100.0, 100.0, 200.0], [0.0, 50.0, 0.0])
    assert bought_low > 0.3
    year = money_weighted.money_weighted_return(dates[1:], [100.0, 110.0], [0.0, 0.0], annualise=True)
    assert year == pytest.approx(1.1 ** (365 / 184) - 1)
    assert math.isnan(money_weighted.money_weighted_return(dates[:1], [100.0], [0.0]))
