"""Headlines, contributions, parts and the VaR test of a portfolio are numbers that need no page."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.model import Facts
from dashboard.tabs.portfolio import build
from dashboard.views.tab import Choices
from portfolio.backtest import value_at_risk_test
from portfolio.contribution import contributed, parts_with_values
from portfolio.data import PortfolioData
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
from portfolio.reading import read
from portfolio.summary import side_by_side
from portfolio.warnings import warnings
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.dashboard.portfolio.test_tab import DAY, START, put_nav, put_prices
from tests.portfolio.test_data import course
from tests.support.views import OPERATOR, text


def test_headlines_are_ratios_amounts_and_days(stores: Stores) -> None:
    put_nav(stores, "alpha", [100.0, 110.0, 99.0, 104.5], origin="sample")
    put_prices(stores, [50.0, 51.0, 52.0, 51.0])
    data = read(stores, PortfolioQuery(), None)
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
    beside, alone = (estimates(read(stores, PortfolioQuery(benchmark=each), None)) for each in ("", "none"))
    assert [each.metric.key for each in beside[-2:]] == ["beta", "information_ratio"]
    assert len(alone) == len(beside) - 2
    assert all(each.benchmark is None for each in (*alone, *beside[-2:]))
    volatility = beside[1]
    assert volatility.interval[0] < volatility.value < volatility.interval[1]


def test_contributions_and_shares_of_the_parts_add_up(stores: Stores) -> None:
    for seed, name in enumerate(("alpha", "beta")):
        put_nav(stores, name, course(seed), origin="sample")
    data = read(stores, PortfolioQuery(), None)
    found = contributed(data, parts_with_values(data))
    assert found.total == pytest.approx(sum(course(0)[-1:] + course(1)[-1:]) / 200 - 1)
    assert found.unallocated == pytest.approx(0.0)
    assert sum(part.share for part in parts(data)) == pytest.approx(1.0)


def test_the_var_test_is_of_the_returns_that_have_a_forecast(stores: Stores) -> None:
    put_nav(stores, "alpha", course(0), origin="sample")
    found = value_at_risk_test(read(stores, PortfolioQuery(), None))
    assert found is not None
    assert found.result.observations == np.isfinite(found.forecast).sum() < len(found.days)
    assert (found.returns[found.result.positions] < -found.forecast[found.result.positions]).all()
    assert value_at_risk_test(read(stores, PortfolioQuery(frequency="M"), None)) is None


def test_parts_that_are_the_fund_leave_nothing_however_they_lend_each_other(stores: Stores) -> None:
    """Money that moves from part to part is none of the fund's."""
    rng = np.random.default_rng(4)
    count = 60
    values, flows = np.full((3, count), 1_000.0), np.zeros((3, count))
    for day in range(1, count):
        flows[:, day] = rng.normal(0, 200, 3) if day % 3 == 0 else 0.0
        flows[2, day] -= flows[:, day].sum() if day % 6 == 0 else 0.0
        values[:, day] = values[:, day - 1] * (1 + rng.normal(0, 0.02, 3)) + flows[:, day]
    put_nav(stores, "fund", values.sum(axis=0).tolist(), flows.sum(axis=0).tolist())
    for number in range(3):
        put_nav(stores, f"p{number}", values[number].tolist(), flows[number].tolist())
        put_portfolios(stores.state, [Portfolio("own", f"p{number}", f"P{number}", parent="fund")])
    data = read(stores, PortfolioQuery(portfolio="own:fund"), None)
    found = contributed(data, parts_with_values(data))
    assert found.are_own and abs(found.total) > 0.001
    assert found.unallocated == pytest.approx(0.0, abs=1e-12)


def test_a_price_that_is_none_is_left_out_and_told(stores: Stores) -> None:
    put_nav(stores, "alpha", course(0), origin="sample")
    prices = course(9)
    good = side_by_side(read_with(stores, prices)).of("annual_return", 1)
    bad = read_with(stores, [*prices[:300], 0.0, *prices[301:]])
    assert side_by_side(bad).of("annual_return", 1) == pytest.approx(good, abs=0.002)
    assert bad.benchmark is not None and bad.benchmark.daily.dates[-1] == bad.nav.dates[-1]
    (said,) = warnings(stores, bad)
    assert said == f"Benchmark: the price of S&P 500 is zero or negative on {bad.nav.dates[300]}; it is left out there."


def read_with(stores: Stores, prices: list[float]) -> PortfolioData:
    put_prices(stores, prices)
    return read(stores, PortfolioQuery(), None)


def test_two_returns_tell_no_volatility(stores: Stores) -> None:
    put_nav(stores, "alpha", [100.0, 200.0, 110.0])
    found = side_by_side(read(stores, PortfolioQuery(), None))
    for key in ("volatility", "downside_deviation", "mean_return", "ewma_volatility", "semi_deviation"):
        assert found.reason(key) == "needs 20 returns", key


def test_what_money_earned_is_told_beside_what_the_fund_did(stores: Stores) -> None:
    values, flows = [100.0], [0.0]
    for day in range(1, 731):
        flows.append(900.0 if day == 365 else 0.0)
        values.append(values[-1] * (1.2 if day <= 365 else 0.9) ** (1 / 365) + flows[-1])
    put_nav(stores, "alpha", values, flows)
    found = side_by_side(read(stores, PortfolioQuery(), None))
    assert found.of("total_return") == pytest.approx(1.2 * 0.9 - 1, abs=1e-3)
    rate = found.of("xirr")
    assert 100 * (1 + rate) ** 2 + 900 * (1 + rate) == pytest.approx(values[-1], rel=1e-3)
    assert rate < 0 < found.of("total_return"), "most of the money came before the fall"
    assert found.of("modified_dietz") == pytest.approx((values[-1] - 1_000) / (100 + 900 / 2), rel=1e-3)
    assert found.reason("cash_share") == "its positions are not known"


def test_the_cash_of_a_fund_is_that_of_its_parts_where_all_is_known(stores: Stores) -> None:
    put_nav(stores, "fund", [100.0, 200.0])
    columns = ("origin", "portfolio", "ts", "instrument", "quantity", "price", "market_value", "version")
    for number, cash in enumerate((30.0, 20.0)):
        put_nav(stores, f"p{number}", [50.0, 100.0])
        put_portfolios(stores.state, [Portfolio("own", f"p{number}", f"P{number}", parent="fund")])
        row = ("own", f"p{number}", START + DAY, "CASH", cash, 1.0, cash, 1)
        stores.clickhouse.insert(Facts("positions", columns, tuple([each] for each in row)))
        stores.live.bump("portfolio")
    found = side_by_side(read(stores, PortfolioQuery(portfolio="own:fund"), None))
    assert found.of("cash_share") == pytest.approx(50 / 200)
    part = side_by_side(read(stores, PortfolioQuery(portfolio="own:p0"), None))
    assert part.of("cash_share") == pytest.approx(0.3)


def test_the_more_was_tried_the_more_of_a_sharpe_ratio_is_luck(stores: Stores) -> None:
    put_nav(stores, "alpha", course(3))
    few, many = (side_by_side(read(stores, PortfolioQuery(trials=each), None)) for each in (1, 500))
    assert few.of("deflated_sharpe") == pytest.approx(few.of("probabilistic_sharpe"))
    assert many.of("deflated_sharpe") < few.of("deflated_sharpe")
    assert few.of("sharpe_low_resampled") < few.of("sharpe") < few.of("sharpe_high_resampled")


def test_a_value_out_of_nothing_is_told(stores: Stores) -> None:
    put_nav(stores, "alpha", [0.0, 500.0, 510.0])
    told = text(build(stores, Choices(), OPERATOR).slots["portfolio-notes"])
    assert "from 0 to 500 on 2024-01-02 without a flow" in told
