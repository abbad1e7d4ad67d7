"""What a shock, the worst days and restless markets would cost, and what thought-of trades change."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from analytics import covariance, holdings_risk, stress, what_if
from analytics.stress import Shock, Window

VALUES = np.array([100.0, 200.0, -50.0])
RETURNS = np.random.default_rng(9).normal(0.0, 0.01, (300, 3))
SECTORS, CURRENCIES = ["Tech", "Energy", "Tech"], ["USD", "EUR", "EUR"]
books = arrays.arrays(np.float64, 3, elements=st.floats(-1e5, 1e5).map(lambda value: round(value, 2)))


def test_stated_shocks() -> None:
    market = stress.shocked(VALUES, Shock(market=-0.1), betas=[1.0, 0.5, 2.0])
    assert market.tolist() == pytest.approx([-10.0, -10.0, 10.0])
    sector = stress.shocked(VALUES, Shock(groups={"Tech": -0.2}), groups=SECTORS)
    assert sector.tolist() == pytest.approx([-20.0, 0.0, 10.0])
    euro = stress.shocked(VALUES, Shock(currencies={"EUR": -0.1}), currencies=CURRENCIES)
    assert euro.tolist() == pytest.approx([0.0, -20.0, 5.0])
    every = stress.shocked(VALUES, Shock(-0.1, {"Energy": -0.1}, {"EUR": 0.1}), np.ones(3), SECTORS, CURRENCIES)
    assert every.tolist() == pytest.approx([-10.0, 200 * (0.8 * 1.1 - 1), -50 * (0.9 * 1.1 - 1)])
    assert stress.shocked([100.0], Shock(market=-0.6), betas=[2.0]).tolist() == [-100.0]


def test_a_position_moves_by_all_of_its_labels() -> None:
    labels = np.array([SECTORS, ["Long", "Long", "Short"]]).T
    found = stress.shocked(VALUES, Shock(groups={"Tech": -0.2, "Short": 0.1}), groups=labels)
    assert found.tolist() == pytest.approx([-20.0, 0.0, 5.0])


def test_the_worst_windows_share_no_day() -> None:
    pnl = np.array([1.0, -5.0, -4.0, 2.0, -3.0, -3.0, 9.0, -1.0])
    assert stress.worst_windows(pnl, 2, 3) == [Window(1, 2, -9.0), Window(4, 5, -6.0)]
    assert stress.worst_windows(pnl, 1, 2) == [Window(1, 1, -5.0), Window(2, 2, -4.0)]
    assert stress.worst_windows(pnl, 9) == []
    assert stress.worst_windows([1.0, 2.0], 1) == []
    assert stress.replayed([100.0, -10.0], [[-0.1, 0.1], [-0.1, 0.1]]).tolist() == pytest.approx([-19.0, -2.1])


@given(books, st.floats(0.0, 4.0))
def test_twice_the_volatility_is_twice_the_loss(values: np.ndarray, times: float) -> None:
    matrix = covariance.covariance(RETURNS)
    calm = holdings_risk.risk_of_covariance(values, matrix)
    wild = holdings_risk.risk_of_covariance(values, stress.restless(matrix, times))
    assert wild.value_at_risk == pytest.approx(times * calm.value_at_risk, rel=1e-9, abs=1e-9)


def test_moving_as_one_leaves_no_diversification() -> None:
    matrix = np.diag([0.0001, 0.0004])
    as_one = stress.restless(matrix, correlation=1.0)
    assert covariance.correlation(as_one) == pytest.approx(np.ones((2, 2)))
    assert covariance.diversification_ratio([100.0, 100.0], as_one) == pytest.approx(1.0)
    assert covariance.book_deviation([100.0, 100.0], as_one) == pytest.approx(3.0)
    assert covariance.book_deviation([200.0, -100.0], as_one) == pytest.approx(0.0, abs=1e-12)
    half = stress.restless(matrix, correlation=0.5)
    assert covariance.correlation(half)[0, 1] == pytest.approx(0.5)


def test_trades_change_every_figure_and_cash_pays() -> None:
    book = what_if.Holdings(
        VALUES, 400.0, np.ones(3), np.array([10.0, 1e4, 1e4]), RETURNS, covariance.ledoit_wolf(RETURNS).matrix
    )
    found = {change.name: change for change in what_if.what_if(book, [-100.0, 0.0, 50.0], cost_ratio=0.01)}
    assert (found["nav"].before, found["nav"].after) == (400.0, pytest.approx(398.5))
    assert (found["cash"].before, found["cash"].after) == (150.0, pytest.approx(198.5))
    assert found["gross_ratio"].before == pytest.approx(0.875)
    assert found["short_ratio"].after == 0.0
    assert found["effective_number"].after == pytest.approx(1.0)
    assert found["beta_adjusted_ratio"].after == pytest.approx(200 / 398.5)
    assert found["out_in_5_days_ratio"].before < found["out_in_5_days_ratio"].after == 1.0
    alone = holdings_risk.historical_risk([0.0, 200.0, 0.0], RETURNS)
    assert found["historical_var"].after == pytest.approx(alone.value_at_risk)
    assert found["parametric_es"].difference == found["parametric_es"].after - found["parametric_es"].before
    same = what_if.what_if(book, np.zeros(3))
    assert all(change.difference == 0 for change in same)
    assert len(what_if.headline(what_if.Holdings(VALUES, 400.0))) == 9


def test_what_cannot_be_stressed_is_told() -> None:
    with pytest.raises(ValueError, match="betas: a shock of the market"):
        stress.shocked(VALUES, Shock(market=-0.1))
    with pytest.raises(ValueError, match="market: is missing"):
        stress.shocked(VALUES, Shock(market=math.nan), betas=[1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="currencies: a shock of EUR"):
        stress.shocked(VALUES, Shock(currencies={"EUR": -0.1}))
    with pytest.raises(ValueError, match="groups: Tech falls by more than 100 %"):
        stress.shocked(VALUES, Shock(groups={"Tech": math.nan}), groups=SECTORS)
    with pytest.raises(ValueError, match=r"groups: no position has Enrgy; did you mean Energy\?"):
        stress.shocked(VALUES, Shock(groups={"Enrgy": -0.1}), groups=SECTORS)
    with pytest.raises(ValueError, match="currencies: no position has XXX; there are EUR, USD"):
        stress.shocked(VALUES, Shock(currencies={"XXX": -0.1}), currencies=CURRENCIES)
    with pytest.raises(ValueError, match="groups: 1, not 3"):
        stress.shocked(VALUES, Shock(groups={"Tech": -0.1}), groups=["Tech"])
    with pytest.raises(ValueError, match="length: 0"):
        stress.worst_windows([1.0], 0)
    with pytest.raises(ValueError, match="correlation: 2"):
        stress.restless(np.eye(2), 1.0, 2.0)
    with pytest.raises(ValueError, match="trades: 1, not 3"):
        what_if.what_if(what_if.Holdings(VALUES, 400.0), [1.0])
    with pytest.raises(ValueError, match="nav: is not above 0"):
        what_if.headline(what_if.Holdings(VALUES, 0.0))
