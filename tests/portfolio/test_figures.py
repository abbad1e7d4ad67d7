"""Headlines, contributions, parts and the VaR test of a portfolio are numbers that need no page."""

from __future__ import annotations

import math

import numpy as np
import pytest

from portfolio.backtest import value_at_risk_test
from portfolio.contribution import contributed, parts_with_values
from portfolio.data import read
from portfolio.headlines import (
    current_drawdown,
    day_return,
    estimates,
    net_asset_value,
    observations,
    total_return,
    year_return,
)
from portfolio.parts import parts
from portfolio.query import PortfolioQuery
from storage.stores import Stores
from tests.dashboard.portfolio.test_tab import put_nav, put_prices
from tests.portfolio.test_data import course


def test_headlines_are_ratios_amounts_and_days(stores: Stores) -> None:
    put_nav(stores, "alpha", [100.0, 110.0, 99.0, 104.5], origin="sample")
    put_prices(stores, [50.0, 51.0, 52.0, 51.0])
    data = read(stores, PortfolioQuery())
    value, day, total, drawdown = (each(data) for each in (net_asset_value, day_return, total_return, current_drawdown))
    assert (value.value, value.change) == (104.5, 5.5)
    assert (day.own, day.benchmark) == pytest.approx((104.5 / 99 - 1, 51 / 52 - 1))
    assert total.ahead == pytest.approx(0.045 - 0.02)
    assert math.isnan(year_return(data).own)
    assert (drawdown.depth, drawdown.change) == pytest.approx((-0.05, 0.05))
    assert drawdown.peak == data.own.daily.dates[1]
    assert drawdown.days == int((data.own.daily.dates[3] - data.own.daily.dates[1]).astype(int))
    assert observations(data) == 3


def test_estimates_against_the_benchmark_need_one(stores: Stores) -> None:
    put_nav(stores, "alpha", course(0), origin="sample")
    put_prices(stores, course(9))
    beside, alone = (estimates(read(stores, PortfolioQuery(benchmark=each))) for each in ("", "none"))
    assert [each.metric.key for each in beside[-2:]] == ["beta", "information_ratio"]
    assert len(alone) == len(beside) - 2
    assert all(each.benchmark is None for each in (*alone, *beside[-2:]))
    volatility = beside[1]
    assert volatility.interval[0] < volatility.value < volatility.interval[1]


def test_contributions_and_shares_of_the_parts_add_up(stores: Stores) -> None:
    for seed, name in enumerate(("alpha", "beta")):
        put_nav(stores, name, course(seed), origin="sample")
    data = read(stores, PortfolioQuery())
    found = contributed(data, parts_with_values(data))
    assert found.total == pytest.approx(sum(course(0)[-1:] + course(1)[-1:]) / 200 - 1)
    assert found.unallocated == pytest.approx(0.0)
    assert sum(part.share for part in parts(data)) == pytest.approx(1.0)


def test_the_var_test_is_of_the_returns_that_have_a_forecast(stores: Stores) -> None:
    put_nav(stores, "alpha", course(0), origin="sample")
    found = value_at_risk_test(read(stores, PortfolioQuery()))
    assert found is not None
    assert found.result.observations == np.isfinite(found.forecast).sum() < len(found.days)
    assert (found.returns[found.result.positions] < -found.forecast[found.result.positions]).all()
    assert value_at_risk_test(read(stores, PortfolioQuery(frequency="M"))) is None
