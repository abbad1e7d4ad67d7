"""What today's book may lose: the parts add up, and others' code gives the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.covariance import ledoit_wolf as published_ledoit_wolf

from analytics import covariance, holdings_risk, modified_risk, past_risk, tails

draw = np.random.default_rng(21)
RETURNS = draw.standard_t(4, (600, 8)) * 0.01 + draw.normal(0.0, 0.006, (600, 1))
VALUES = np.array([500.0, -300.0, 250.0, 100.0, -50.0, 400.0, 0.0, 75.0])
books = arrays.arrays(np.float64, 8, elements=st.floats(-1e6, 1e6).map(lambda value: round(value, 2)))
LEVELS = pytest.mark.parametrize("level", [0.9, 0.95, 0.99, 0.999])


@pytest.mark.parametrize("shape", [(600, 8), (60, 40), (30, 100), (500, 2)])
def test_the_shrunk_covariance_is_scikit_learns(shape: tuple[int, int]) -> None:
    days = np.random.default_rng(5).standard_t(5, shape) * 0.01
    days[:, 1] += days[:, 0]
    matrix, shrinkage = published_ledoit_wolf(days)
    found = covariance.ledoit_wolf(days)
    assert found.shrinkage == pytest.approx(shrinkage, rel=1e-10)
    np.testing.assert_allclose(found.matrix, matrix, rtol=1e-10, atol=1e-16)


def test_few_days_are_shrunk_more_than_many() -> None:
    many = np.random.default_rng(6).normal(size=(2000, 20)) * np.linspace(0.5, 2.0, 20)
    few, all_ = covariance.ledoit_wolf(many[:30]).shrinkage, covariance.ledoit_wolf(many).shrinkage
    assert 0.0 < all_ < few <= 1.0


def test_what_a_covariance_says() -> None:
    matrix = np.diag([0.04, 0.01, 0.0])
    assert covariance.correlation(matrix)[0, :2].tolist() == [1.0, 0.0]
    assert math.isnan(covariance.correlation(matrix)[2, 2])
    assert covariance.book_deviation([3.0, 4.0, 9.0], matrix) == pytest.approx(math.hypot(0.6, 0.4))
    assert covariance.diversification_ratio(np.ones(4), np.eye(4)) == pytest.approx(2.0)
    assert covariance.diversification_ratio(np.ones(4), np.ones((4, 4))) == pytest.approx(1.0)
    assert math.isnan(covariance.diversification_ratio(np.zeros(4), np.eye(4)))
    np.testing.assert_allclose(covariance.correlation(covariance.covariance(RETURNS)), np.corrcoef(RETURNS.T))


@LEVELS
def test_the_simulated_loss_is_that_of_the_books_own_history(level: float) -> None:
    pnl = holdings_risk.hypothetical_pnl(VALUES, RETURNS)
    found = holdings_risk.historical_risk(VALUES, RETURNS, level)
    assert found.value_at_risk == pytest.approx(float(tails.value_at_risk(pnl / 1e6, level)) * 1e6)
    assert found.expected_shortfall == pytest.approx(float(tails.expected_shortfall(pnl / 1e6, level)) * 1e6)
    ten = holdings_risk.historical_risk(VALUES, RETURNS, level, 10)
    assert ten.value_at_risk == pytest.approx(found.value_at_risk * math.sqrt(10))


def test_fat_tails_lose_more_than_normal_ones_and_too_fat_ones_are_not_told() -> None:
    mild = np.random.default_rng(2).standard_t(12, (600, 8)) * 0.01
    normal = holdings_risk.parametric_risk(VALUES, mild, 0.99, 1, "sample").value_at_risk
    found = modified_risk.modified_risk(VALUES, mild, 0.99)
    assert found is not None
    assert normal * 0.9 < found.value_at_risk < found.expected_shortfall
    shares = holdings_risk.hypothetical_pnl(VALUES, mild) / 1e4
    var = float(tails.value_at_risk(shares, 0.99, method="cornish_fisher")) * 1e4
    assert found.value_at_risk == pytest.approx(var)
    crash = mild.copy()
    crash[0] = -0.5
    assert modified_risk.modified_risk(np.abs(VALUES), crash, 0.99) is None
    assert modified_risk.modified_risk(np.zeros(8), mild) is None


@LEVELS
@pytest.mark.parametrize("horizon", [1, 10])
def test_components_with_skewness_and_kurtosis_are_value_times_slope_and_add_up(level: float, horizon: int) -> None:
    mild = np.random.default_rng(2).standard_t(12, (600, 8)) * 0.01 - 0.002 * np.random.default_rng(3).random((600, 1))
    found = modified_risk.modified_risk(VALUES, mild, level, horizon)
    assert found is not None
    assert found.component_var.sum() == pytest.approx(found.value_at_risk, rel=1e-9)
    assert found.component_es.sum() == pytest.approx(found.expected_shortfall, rel=1e-9)
    more = modified_risk.modified_risk(VALUES + np.eye(8)[0], mild, level, horizon)
    less = modified_risk.modified_risk(VALUES - np.eye(8)[0], mild, level, horizon)
    assert more is not None and less is not None
    assert found.marginal_var[0] == pytest.approx((more.value_at_risk - less.value_at_risk) / 2, rel=1e-4)
    sold = modified_risk.modified_risk(VALUES * (np.arange(8) != 1), mild, level, horizon)
    assert sold is not None
    assert found.incremental_var[1] == pytest.approx(found.value_at_risk - sold.value_at_risk)


def test_what_was_to_be_said_the_evening_before_is_that_days_own_risk() -> None:
    books = np.array([VALUES, VALUES * 2.0, -VALUES])
    places = [597, 598, 300]
    said = past_risk.past_var(books, RETURNS, places, 0.95, 250)
    for at, (end, book) in enumerate(zip(places, books, strict=True)):
        evening = holdings_risk.historical_risk(book, RETURNS[end - 250 : end], 0.95)
        assert said[at] == pytest.approx(evening.value_at_risk)
    normal = past_risk.past_var(books, RETURNS, places, 0.95, 250, "parametric")
    assert normal[1] == pytest.approx(1.6448536 * math.sqrt(np.mean((RETURNS[348:598] @ books[1]) ** 2)))
    modified = past_risk.past_var(books, RETURNS, places, 0.95, 250, "cornish_fisher")
    for at, (end, book) in enumerate(zip(places, books, strict=True)):
        one = modified_risk.modified_risk(book, RETURNS[end - 250 : end], 0.95)
        assert modified[at] == pytest.approx(one.value_at_risk if one else math.nan, nan_ok=True)
    wild = np.where(np.arange(len(RETURNS))[:, None] == 400, -0.9, RETURNS)
    assert np.isnan(past_risk.past_var(books, wild, places, 0.99, 250, "cornish_fisher")).any(), "tails too fat for it"
    with pytest.raises(ValueError, match="places: a day has fewer than 598 days before it"):
        past_risk.past_var(books, RETURNS, places, 0.95, 598)


def test_bets_are_as_many_as_move_apart() -> None:
    apart = covariance.principal_shares(np.ones(4), np.diag([1.0, 1.01, 0.99, 1.02]))
    assert apart.effective_bets == pytest.approx(4.0, rel=1e-3)
    assert covariance.principal_shares([3.0, 1.0], np.ones((2, 2))).effective_bets == pytest.approx(1.0)
    assert math.isnan(covariance.principal_shares(np.zeros(2), np.eye(2)).effective_bets)
    found = covariance.principal_shares(VALUES, covariance.covariance(RETURNS))
    assert found.market.sum() == pytest.approx(1.0) and found.book.sum() == pytest.approx(1.0)
    deviation = covariance.book_deviation(VALUES, covariance.covariance(RETURNS))
    assert np.sum(found.exposure**2) == pytest.approx(deviation**2)


@pytest.mark.parametrize("scaling", ["sqrt", "overlapping"])
@pytest.mark.parametrize("horizon", [1, 10])
@given(books)
@settings(deadline=None, max_examples=25)
def test_components_add_up_and_shorts_mirror_longs(
    scaling: holdings_risk.Scaling, horizon: int, values: np.ndarray
) -> None:
    simulated = holdings_risk.historical_risk(values, RETURNS, 0.95, horizon, scaling)
    normal = holdings_risk.parametric_risk(values, RETURNS, 0.95, horizon)
    size = 1e-9 * max(1.0, float(np.abs(values).sum()))
    for found in (simulated, normal):
        assert found.component_var.sum() == pytest.approx(found.value_at_risk, abs=size)
        assert found.component_es.sum() == pytest.approx(found.expected_shortfall, abs=size)
        assert found.marginal_var * values == pytest.approx(found.component_var, abs=size)
    mirror = holdings_risk.parametric_risk(-values, RETURNS, 0.95, horizon)
    assert mirror.component_var == pytest.approx(normal.component_var, abs=size)
    double = holdings_risk.historical_risk(2 * values, RETURNS, 0.95, horizon, scaling)
    assert double.value_at_risk == pytest.approx(2 * simulated.value_at_risk, abs=size)


@pytest.mark.parametrize("risk", [holdings_risk.historical_risk, holdings_risk.parametric_risk])
def test_incremental_is_what_selling_saves_and_marginal_what_a_little_more_costs(risk: type) -> None:
    found = risk(VALUES, RETURNS, 0.95)
    for at in range(len(VALUES)):
        without = VALUES.copy()
        without[at] = 0.0
        saved = found.value_at_risk - risk(without, RETURNS, 0.95).value_at_risk
        assert found.incremental_var[at] == pytest.approx(saved, abs=1e-9)
    little = VALUES.copy()
    little[2] += 1e-4
    moved = risk(little, RETURNS, 0.95).value_at_risk - found.value_at_risk
    assert found.marginal_var[2] == pytest.approx(moved / 1e-4, rel=1e-3)


def test_a_single_position_has_the_textbook_loss() -> None:
    # Of a normal distribution 5 % lie beyond 1.645 σ, 2.063 σ away in the mean; two that move apart add up in squares.
    one = holdings_risk.risk_of_covariance([100.0], [[0.0001]], 0.95)
    assert one.value_at_risk == pytest.approx(1.645, abs=1e-3)
    assert one.expected_shortfall == pytest.approx(2.0627, abs=1e-4)
    two = holdings_risk.risk_of_covariance([100.0, 100.0], np.eye(2) * 0.0001, 0.95, 10)
    assert two.value_at_risk == pytest.approx(one.value_at_risk * math.sqrt(20))
    flat = holdings_risk.risk_of_covariance([0.0, 0.0], np.eye(2), 0.95)
    assert (flat.value_at_risk, flat.marginal_var.tolist()) == (0.0, [0.0, 0.0])


def test_overlapping_spans_compound() -> None:
    found = holdings_risk.historical_risk([100.0], [[-0.1], [-0.1], [0.1], [0.2]], 0.999, 2, "overlapping")
    assert found.value_at_risk == pytest.approx(19.0, abs=0.05)


def test_what_cannot_be_risked_is_told() -> None:
    with pytest.raises(ValueError, match=r"returns\[1, 0\]: is missing"):
        holdings_risk.historical_risk([1.0], [[0.1], [math.nan]])
    with pytest.raises(ValueError, match=r"returns: 600 × 8, not any × 2"):
        holdings_risk.parametric_risk([1.0, 2.0], RETURNS)
    with pytest.raises(ValueError, match="level: 95 is not between 0 and 1"):
        holdings_risk.historical_risk(VALUES, RETURNS, 95)
    with pytest.raises(ValueError, match="horizon: 0 is below 1"):
        holdings_risk.parametric_risk(VALUES, RETURNS, 0.95, 0)
    with pytest.raises(ValueError, match="too few"):
        holdings_risk.historical_risk([1.0], [[0.1]] * 5, 0.95, 5, "overlapping")
    with pytest.raises(ValueError, match=r"returns\[0, 0\]: is below"):
        holdings_risk.historical_risk([1.0], [[-1.5], [0.1]])
    with pytest.raises(ValueError, match="at least two"):
        covariance.ledoit_wolf([[0.1]])
