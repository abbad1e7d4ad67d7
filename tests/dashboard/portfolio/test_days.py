"""The Portfolio tab where days differ: portfolios of seven and of five days a week, and weeks and months."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.model import Facts
from dashboard.portfolio.choice_bar import span
from portfolio.contribution import shares_of
from portfolio.summary import ITSELF, side_by_side
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.dashboard.portfolio.test_charts import charts
from tests.dashboard.portfolio.test_tab import shown
from tests.support.views import text

DAYS = pd.date_range("2018-01-05", "2020-06-15")
WEEKDAYS = DAYS[DAYS.day_of_week < 5]
OWN = ("volatility", "annual_return", "sharpe", "total_return", "max_drawdown", "observations")


def course(seed: int = 1) -> pd.Series:
    steps = np.random.default_rng(seed).normal(0.0004, 0.01, len(DAYS))
    return pd.Series(100 * np.cumprod(1 + steps), DAYS)


def seconds(days: pd.Index[Any]) -> list[int]:
    return [int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) for day in days]


def put(stores: Stores, id: str, values: pd.Series, periods: int, parent: str = "") -> None:
    count = len(values)
    data = (["own"] * count, [id] * count, seconds(values.index), values.tolist(), [0.0] * count, [1] * count)
    stores.clickhouse.insert(Facts("nav", ("origin", "portfolio", "ts", "nav", "flow", "version"), data))
    kept = Portfolio("own", id, id.title(), parent=parent, benchmark="INDEX", periods_per_year=periods)
    put_portfolios(stores.state, [kept])
    stores.live.bump("portfolio")


def put_prices(stores: Stores, values: pd.Series) -> None:
    count = len(values)
    data = (["own"] * count, ["INDEX"] * count, seconds(values.index), values.tolist(), [1] * count)
    stores.clickhouse.insert(Facts("prices", ("origin", "instrument", "ts", "price", "version"), data))


@pytest.mark.parametrize("frequency", ["D", "W", "M"])
@pytest.mark.parametrize("window", ["ITD", "1Y"])
def test_the_same_asset_has_beta_one_whatever_days_it_is_valued_on(stores: Stores, frequency: str, window: str) -> None:
    put(stores, "all", course(), 365)
    put(stores, "week", course()[WEEKDAYS], 252)
    put_prices(stores, course()[WEEKDAYS])
    for own, other in (("all", "week"), ("week", "all")):
        page = shown(stores, portfolio=f"own:{own}", compare=f"own:{other}", frequency=frequency, window=window)
        found = side_by_side(page)
        if frequency == "D":
            assert found["beta"][:2] == pytest.approx(1.0)
            assert found["tracking_error"][:2].tolist() == [0.0, 0.0]
            assert found["batting_average"][:2].tolist() == [0.0, 0.0]
            assert np.isnan(found["information_ratio"][:2]).all()
            assert charts(stores, portfolio=f"own:{own}").figures["portfolio-capture-graph"]["data"][1]["x"] == [100.0]
        assert (found["common_observations"][:2] >= 10).all()
        assert found.reason("beta", 2) == ITSELF
        assert np.isnan(found.of("correlation", 2))


def test_the_benchmark_s_own_figures_are_those_of_its_own_number_of_days(stores: Stores) -> None:
    put(stores, "all", course(), 365)
    put(stores, "week", course()[WEEKDAYS], 252)
    put_prices(stores, course()[WEEKDAYS])
    found = side_by_side(shown(stores, portfolio="own:all", compare="own:week"))
    assert found.of("volatility", 2) == pytest.approx(found.of("volatility", 1), rel=0.03)


def test_a_compared_portfolio_has_the_figures_of_its_own_page(stores: Stores) -> None:
    put(stores, "all", course(1), 365)
    put(stores, "week", course(2)[WEEKDAYS], 252)
    put_prices(stores, course(3)[WEEKDAYS])
    for own, other in (("all", "week"), ("week", "all")):
        for frequency in ("D", "W", "M"):
            beside = side_by_side(
                shown(stores, portfolio=f"own:{own}", compare=f"own:{other}", frequency=frequency, window="1Y")
            )
            alone = side_by_side(shown(stores, portfolio=f"own:{other}", frequency=frequency, window="1Y"))
            for key in OWN:
                assert beside.of(key, 1) == pytest.approx(alone.of(key), nan_ok=True), (own, frequency, key)


def test_calendar_figures_are_the_same_at_every_frequency(stores: Stores) -> None:
    put(stores, "week", course()[WEEKDAYS], 252)
    put_prices(stores, course(3)[WEEKDAYS])
    daily, weekly, monthly = (side_by_side(shown(stores, frequency=each)) for each in "DWM")
    keys = [each.key for each in daily.metrics if each.key.startswith(("return_", "best_m", "worst_y", "positive_m"))]
    values = course()[WEEKDAYS]
    assert daily.of("return_3m") == pytest.approx(values.iloc[-1] / values[:"2020-03-15"].iloc[-1] - 1)
    assert len(keys) == 13
    for key in keys:
        assert weekly[key] == pytest.approx(daily[key], nan_ok=True), key
        assert monthly[key] == pytest.approx(daily[key], nan_ok=True), key


def test_parts_of_other_days_add_up_to_the_return_of_the_fund(stores: Stores) -> None:
    parts = {"all": course(1), "week": course(2)[WEEKDAYS]}
    whole = parts["all"] + parts["week"].reindex(DAYS).ffill()
    for days, periods in ((DAYS, 365), (WEEKDAYS, 252)):
        id = f"fund{periods}"
        put(stores, id, whole[days], periods)
        for name, values in parts.items():
            put(stores, name, values, 365 if name == "all" else 252, parent=id)
        for last in ("2020-06-15", "2020-06-14"):
            page = shown(stores, portfolio=f"own:{id}", asof=last)
            total = sum(share.added for share in shares_of(page, list(page.family)))
            assert total == pytest.approx(whole[days][:last].iloc[-1] / whole[days].iloc[0] - 1)
        heat = charts(stores, portfolio=f"own:{id}").figures["portfolio-correlation-graph"]["data"][0]
        true = parts["all"][WEEKDAYS].pct_change().corr(parts["week"].pct_change())
        assert heat["z"][0][1] == pytest.approx(true, abs=0.006)


def test_a_window_longer_than_the_history_says_where_that_starts(stores: Stores) -> None:
    put(stores, "week", course()[WEEKDAYS], 252)
    for choices in ({"window": "5Y"}, {"from": "1483228800", "to": "1546300800"}):
        assert "history starts 2018-01-05" in text(span(shown(stores, **choices)))
    for window in ("ITD", "1Y", "MTD", "1D"):
        assert "history starts" not in text(span(shown(stores, window=window)))
