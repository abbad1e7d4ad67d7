"""What positions, groups, periods, costs and currencies added: the parts are the whole."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from analytics import attribution, contribution, currency, linking

MONTHS = ["2024-01"] * 3 + ["2024-02"] * 4 + ["2024-03"] * 2
gains = arrays.arrays(np.float64, (9, 4), elements=st.floats(-10.0, 10.0))
rates = arrays.arrays(np.float64, (6, 5), elements=st.floats(-0.2, 0.2))


@given(gains, st.floats(0.0, 3.0))
def test_groups_and_months_add_up_to_the_return_of_the_whole(pnl: np.ndarray, cost: float) -> None:
    capital = 100.0 + np.arange(9.0)
    found = contribution.contributions(pnl, capital, ["b", "a", "b", "a"], MONTHS, cost)
    daily = (pnl.sum(axis=1) - cost) / capital
    whole = np.prod(1 + daily) - 1
    assert found.groups == ("a", "b")
    assert found.periods == ("2024-01", "2024-02", "2024-03")
    assert found.returns[1] == pytest.approx(np.prod(1 + daily[3:7]) - 1, abs=1e-12)
    assert np.prod(1 + found.returns) - 1 == pytest.approx(whole, abs=1e-12)
    assert found.total.sum() + found.total_costs == pytest.approx(whole, abs=1e-12)


@given(gains)
def test_positions_of_a_group_add_up_to_it(pnl: np.ndarray) -> None:
    by_name = contribution.contributions(pnl, np.full(9, 100.0), ["w", "x", "y", "z"])
    by_group = contribution.contributions(pnl, np.full(9, 100.0), ["long", "long", "short", "short"])
    assert by_group.total == pytest.approx([by_name.total[:2].sum(), by_name.total[2:].sum()], abs=1e-12)
    assert by_name.total == pytest.approx(
        attribution.compounded_contribution(np.ones_like(pnl), pnl / 100.0), abs=1e-12
    )


def test_segments_of_positions_give_brinson_what_it_takes() -> None:
    draw = np.random.default_rng(8)
    weights, passive = (draw.dirichlet(np.ones(6), 40) for _ in range(2))
    gained = draw.normal(0.0, 0.02, (40, 6))
    sectors = ["Tech", "Energy", "Tech", "Energy", "Health", "Health"]
    own, other = (contribution.segments(held, gained, sectors) for held in (weights, passive))
    assert own.names == ("Energy", "Health", "Tech")
    effects = attribution.brinson(own.weights, other.weights, own.returns, other.returns)
    whole, benchmark = (weights * gained).sum(axis=1), (passive * gained).sum(axis=1)
    assert effects.total.sum(axis=1) == pytest.approx(whole - benchmark, abs=1e-12)
    year = linking.linked(effects.total, whole, benchmark, "menchero")
    assert year.sum() == pytest.approx(np.prod(1 + whole) - np.prod(1 + benchmark), abs=1e-12)


@given(rates, st.integers(0, 2**32 - 1))
def test_local_currency_and_cross_are_the_profit_in_base_currency(local: np.ndarray, seed: int) -> None:
    draw = np.random.default_rng(seed)
    start, end = draw.uniform(0.5, 2.0, (2, 6, 5))
    held = draw.normal(0.0, 0.5, (6, 5))
    pnl = held * ((1 + local) * end / start - 1)
    found = currency.currency_pnl(pnl, held, start, end)
    assert found.total == pytest.approx(pnl, abs=1e-12)
    assert found.local == pytest.approx(held * local, abs=1e-12)
    assert found.currency == pytest.approx(held * (end / start - 1), abs=1e-12)


def test_what_cannot_be_attributed_is_told() -> None:
    pnl = np.ones((2, 2))
    with pytest.raises(ValueError, match=r"capital\[1\]: is not above 0"):
        contribution.contributions(pnl, [100.0, 0.0], ["a", "b"])
    with pytest.raises(ValueError, match=r"pnl\[0, 1\]: is missing"):
        contribution.contributions([[1.0, math.nan]], [100.0], ["a", "b"])
    with pytest.raises(ValueError, match="groups: 1, not 2"):
        contribution.contributions(pnl, [100.0, 100.0], ["a"])
    with pytest.raises(ValueError, match="days apart"):
        contribution.contributions(np.ones((3, 1)), np.full(3, 9.0), ["a"], ["Q1", "Q2", "Q1"])
    with pytest.raises(ValueError, match="'Tech' has a net weight of 0 on day 0"):
        contribution.segments([[0.1, -0.1]], [[0.02, 0.01]], ["Tech", "Tech"])
    with pytest.raises(ValueError, match=r"rate_end\[0\]: is not above 0"):
        currency.currency_pnl([0.1], [1.0], [1.0], [0.0])
    with pytest.raises(ValueError, match="benchmark_weights: 1, not 2"):
        attribution.brinson([0.5, 0.5], [1.0], [0.1, 0.1], [0.0, 0.0])
