"""What must hold for any returns."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from analytics import calendar, drawdown, money_weighted, ratios, returns
from analytics.block import Block, smallest
from tests.analytics.figures import FIGURES, PLAIN

daily = st.floats(-0.5, 0.5, allow_subnormal=False).map(lambda value: round(value, 6))
some_returns = st.lists(daily, min_size=1, max_size=60)
with_gaps = st.lists(daily | st.just(math.nan), min_size=1, max_size=60)
anything = st.lists(st.floats(-3.0, 3.0) | st.sampled_from([math.nan, -1.0, 0.0, 0.0, 1e-300]), max_size=30)
matrices = arrays.arrays(
    np.float64,
    arrays.array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=daily | st.sampled_from([math.nan, 0.0, -1.0]),
)
every_figure = settings(deadline=None, max_examples=40)
"""Some fifty figures a try: slow the first time."""
DAYS = np.arange("2020-01-01", "2022-01-01", dtype="datetime64[D]")
AMOUNT_FREE = ("omega", "sharpe", "sortino", "kappa", "upside_potential_ratio", "adjusted_sharpe")


@given(anything)
@every_figure
def test_a_figure_is_a_number_or_missing_and_never_infinite(values: list[float]) -> None:
    with np.errstate(all="ignore"):
        found = {name: figure(np.array(values)) for name, figure in FIGURES.items()}
    assert not [name for name, value in found.items() if math.isinf(value)]


@every_figure
@given(matrices)
def test_many_at_once_are_each_of_them_alone(values: np.ndarray) -> None:
    for name, figure in FIGURES.items():
        together = figure(values)
        alone = [figure(column) for column in values.T]
        assert together == pytest.approx(alone, rel=1e-9, abs=1e-12, nan_ok=True), name


@every_figure
@given(matrices, st.randoms(use_true_random=False))
def test_portfolios_may_stand_in_any_order(values: np.ndarray, random: object) -> None:
    order = list(range(values.shape[1]))
    random.shuffle(order)  # type: ignore[attr-defined]
    frame = pd.DataFrame(values, columns=[f"P{at}" for at in range(values.shape[1])])
    for name, figure in FIGURES.items():
        moved = figure(frame.iloc[:, order])
        assert moved.to_numpy() == pytest.approx(
            figure(frame).reindex(moved.index).to_numpy(), rel=1e-9, nan_ok=True
        ), name


@every_figure
@given(with_gaps)
def test_a_series_an_array_and_a_block_give_the_same(values: list[float]) -> None:
    series = pd.Series(values, index=pd.DatetimeIndex(DAYS[: len(values)]))
    for name, figure in FIGURES.items():
        expected = figure(np.array(values))
        assert figure(series) == pytest.approx(expected, rel=1e-9, nan_ok=True), name
        assert figure(Block.of(values))[0] == pytest.approx(expected, rel=1e-9, nan_ok=True), name


@given(some_returns, st.floats(0.01, 1.9))
def test_a_ratio_does_not_depend_on_leverage(values: list[float], leverage: float) -> None:
    own = np.array(values)
    for figure in (ratios.sharpe, ratios.sortino, ratios.omega, ratios.kappa, ratios.tail_ratio, ratios.gain_to_pain):
        assert figure(own * leverage) == pytest.approx(figure(own), rel=1e-6, abs=1e-9, nan_ok=True)


@given(some_returns, st.floats(0.01, 1_000_000))
def test_returns_do_not_depend_on_the_currency(values: list[float], scale: float) -> None:
    levels = returns.wealth(values)
    assert returns.simple_returns(levels * scale) == pytest.approx(np.array(values), abs=1e-9)
    assert drawdown.underwater(levels * scale) == pytest.approx(drawdown.underwater(levels), abs=1e-12)


@given(some_returns, some_returns)
def test_two_spans_make_one(first: list[float], then: list[float]) -> None:
    joined = first + then
    total, one, two = (returns.total_return(part) for part in (joined, first, then))
    assert 1 + total == pytest.approx((1 + one) * (1 + two))
    assert drawdown.max_drawdown(joined) <= min(drawdown.max_drawdown(first), drawdown.max_drawdown(then)) + 1e-12
    assert drawdown.episode_count(joined) <= drawdown.episode_count(first) + drawdown.episode_count(then)
    best = max(returns.longest_win_streak(first), returns.longest_win_streak(then))
    assert best <= returns.longest_win_streak(joined) <= 2 * best


@given(some_returns)
def test_logs_add_up_to_what_compounds(values: list[float]) -> None:
    levels = returns.wealth(values)
    assert returns.log_returns(levels).sum() == pytest.approx(np.log1p(returns.total_return(values)), abs=1e-9)
    assert returns.cumulative_returns(values) == pytest.approx(levels[1:] - 1)
    assert (1 + returns.geometric_mean(values)) ** len(values) == pytest.approx(levels[-1])


@given(with_gaps)
def test_drawdown_lies_between_total_loss_and_zero_and_matches_its_spells(values: list[float]) -> None:
    path = drawdown.drawdown_path(values)
    there = path[~np.isnan(path)]
    assert ((there <= 0) & (there >= -1)).all()
    observed = returns.observed(values)
    levels = returns.wealth(observed)
    spells = drawdown.episodes(levels)
    assert drawdown.episode_count(observed) == len(spells) or not len(observed)
    for spell in spells:
        assert spell.peak < spell.trough <= spell.last
        assert levels[spell.trough] == pytest.approx(levels[spell.peak] * (1 + spell.depth))
    if not spells:
        return
    deepest = min(spells, key=lambda spell: spell.depth)
    lasted = math.nan if deepest.recovery is None else deepest.recovery - deepest.trough
    below = sum((levels[spell.peak : spell.last + 1] < levels[spell.peak] * (1 - 1e-12)).sum() for spell in spells)
    assert drawdown.max_drawdown(values) == pytest.approx(deepest.depth)
    assert drawdown.average_episode_depth(values) == pytest.approx(np.mean([spell.depth for spell in spells]))
    assert drawdown.longest_duration(values) == max(spell.last - spell.peak for spell in spells)
    assert drawdown.time_under_water(values) == pytest.approx(below / len(observed))
    assert drawdown.recovery_time(values) == pytest.approx(lasted, nan_ok=True)


@given(with_gaps, st.floats(0.5, 0.99))
def test_drawdown_at_risk_is_between_the_mean_beyond_it_and_zero(values: list[float], level: float) -> None:
    at_risk, beyond = drawdown.drawdown_at_risk(values, level), drawdown.conditional_drawdown_at_risk(values, level)
    if math.isnan(at_risk):
        assert math.isnan(beyond)
        return
    assert drawdown.max_drawdown(values) - 1e-12 <= beyond <= at_risk + 1e-12 <= 1e-12
    path = returns.observed(drawdown.drawdown_path(values))
    assert (path >= at_risk).mean() >= level - 1e-9


@given(with_gaps)
def test_months_compound_to_years_and_years_to_the_total(values: list[float]) -> None:
    dates = DAYS[:: len(DAYS) // 60][: len(values)]
    table = calendar.monthly_table(dates, values)
    by_year = [returns.total_return(row) for row in table.months]
    assert by_year == pytest.approx(list(table.totals), nan_ok=True)
    assert returns.total_return(table.totals) == pytest.approx(returns.total_return(values), nan_ok=True)


@given(
    arrays.arrays(np.float64, (4, 20), elements=st.floats(-0.2, 0.2)), st.lists(st.floats(0, 1), min_size=4, max_size=4)
)
def test_contributions_add_up_to_the_return_of_the_whole(parts: np.ndarray, weights: list[float]) -> None:
    shares = np.tile(np.array(weights)[:, None], (1, 20)) / 4
    added = returns.contribution(shares, parts)
    assert added.sum() == pytest.approx(returns.total_return((shares * parts).sum(axis=0)), abs=1e-12)


@given(st.floats(-0.9, 3.0), st.integers(2, 4000), st.floats(1.0, 1e9))
def test_money_that_only_lay_there_earned_its_rate(rate: float, days: int, amount: float) -> None:
    dates = [np.datetime64("2000-01-01"), np.datetime64("2000-01-01") + days]
    found = money_weighted.xirr(dates, [-amount, amount * (1 + rate) ** (days / 365)])
    assert found == pytest.approx(rate, rel=1e-6, abs=1e-7)


@given(st.lists(st.floats(-100, 200), min_size=1, max_size=8), st.floats(-0.5, 1.0))
def test_a_money_weighted_rate_brings_the_amounts_to_nothing(flows: list[float], rate: float) -> None:
    days = np.datetime64("2000-01-01") + 40 * np.arange(len(flows) + 2)
    money = np.array([-1000.0, *flows])
    years = 40 * np.arange(len(money)) / 365
    closing = -(money * (1 + rate) ** (40 * (len(flows) + 1) / 365 - years)).sum()
    if closing <= 0:
        return
    found = money_weighted.xirr(days, [*money, closing])
    worth = np.append(money, closing) * (1 + found) ** (-40 * np.arange(len(money) + 1) / 365)
    assert worth.sum() == pytest.approx(0, abs=1e-6 * np.abs(worth).sum())


@given(
    st.integers(1, 2000),
    st.floats(0.001, 1.0),
    st.integers(0, 2**32),
    st.sampled_from(["spread", "ties", "trend", "gaps"]),
)
@every_figure
def test_the_smallest_are_those_a_full_sort_puts_first(length: int, share: float, seed: int, kind: str) -> None:
    values = np.random.default_rng(seed).normal(size=(3, length))
    if kind == "ties":
        values = np.round(np.maximum(values, 0.0), 1)
    if kind == "trend":
        values = np.sort(values, axis=1)
    if kind == "gaps":
        values[values > 0.5], values[0] = math.nan, math.nan
    count = max(1, int(share * length))
    assert np.array_equal(smallest(values, count), np.sort(values, axis=1)[:, :count], equal_nan=True)


@given(with_gaps, st.floats(0, 1))
def test_a_quantile_is_that_of_all_returns_in_order(values: list[float], share: float) -> None:
    there = returns.observed(values)
    expected = np.quantile(there, share) if len(there) else math.nan
    assert Block.of(values).quantile(share)[0] == pytest.approx(expected, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("name", AMOUNT_FREE)
def test_a_rate_a_period_and_returns_less_it_are_the_same(name: str) -> None:
    own = np.random.default_rng(7).normal(0.001, 0.02, 250)
    rate = np.full(250, 0.0007)
    figure = getattr(ratios, name)
    arguments = (3,) if name == "kappa" else ()
    assert figure(own, *arguments, 0.0007) == pytest.approx(figure(own, *arguments, rate))
    assert name in PLAIN


def test_an_annual_rate_compounds_back_to_itself() -> None:
    assert (1 + returns.per_period_rate(0.05, 252)) ** 252 - 1 == pytest.approx(0.05)
    assert math.isnan(returns.per_period_rate(-1.5, 252))


@given(
    steps=st.lists(st.tuples(st.floats(-0.1, 0.3), st.floats(-40.0, 100.0)), min_size=1, max_size=8),
    last=st.floats(-0.3, 0.3),
)
def test_a_day_linked_at_its_flows_is_what_the_money_at_work_made(
    steps: list[tuple[float, float]], last: float
) -> None:
    value, grown, moves = 1_000.0, 1.0, []
    for earned, flow in steps:
        before = value * (1 + earned)
        grown *= 1 + earned
        value = before + flow
        moves.append((before, value, flow))
    found = returns.linked_return(1_000.0, value * (1 + last), moves)
    assert found == pytest.approx(grown * (1 + last) - 1)
