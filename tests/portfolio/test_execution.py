"""How orders were carried out, added up where they are stored, is what the pure functions say of every single one."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analytics.comparison import total_difference
from analytics.execution import implementation_shortfall, mean_slippage
from analytics.impact import square_root_impact
from analytics.orders import fill_ratio, latencies, outcomes
from portfolio.execution import execution
from portfolio.execution_model import BYS, Execution
from portfolio.query import PortfolioQuery
from sample.load import load_sample, portfolios
from storage.clickhouse.reads.orders_worked import By
from storage.state.portfolios import Portfolio
from storage.stores import Stores

FUND, *STRATEGIES = portfolios("sample")
EVERYTHING = PortfolioQuery()
TIE = 1e-9
NEVER = 0
STAMPS = ("decided_at", "submitted_at", "acknowledged_at", "first_filled_at", "last_filled_at")
ORDERS = f"""
    SELECT o.portfolio, o.order_id, o.instrument, side, o.quantity, status, decision_price, arrival_price, done, spent,
        paid, {", ".join(f"toUnixTimestamp64Micro({name})" for name in STAMPS)}, toUnixTimestamp64Micro(ended_at), close
    FROM orders AS o FINAL
    LEFT JOIN (
        SELECT portfolio, order_id, sum(quantity) AS done, sum(quantity * price) AS spent,
            sum(commission + fees) AS paid
        FROM trades FINAL GROUP BY portfolio, order_id
    ) AS f ON f.portfolio = o.portfolio AND f.order_id = o.order_id
    LEFT JOIN (
        SELECT instrument, toDate(ts) AS day, any(price) AS close FROM prices FINAL GROUP BY instrument, day
    ) AS c ON c.instrument = o.instrument AND c.day = toDate(o.ended_at)
"""


@pytest.fixture
def orders(sample: Stores) -> dict[str, Any]:
    """Every order of the sample fund with its fills, a column each."""
    names = ("portfolio", "id", "instrument", "side", "quantity", "status", "decision", "arrival", "done", "spent",
             "paid", *STAMPS, "ended_at", "close")  # fmt: skip
    columns = dict(zip(names, zip(*sample.clickhouse.rows(ORDERS), strict=True), strict=True))
    found = {name: np.array(values) for name, values in columns.items()}
    found["side"] = np.where(found["side"] == "buy", 1.0, -1.0)
    keys = list(zip(*(found[name].tolist() for name in ("portfolio", "instrument", "side", "quantity", "decided_at")),
                    strict=True))  # fmt: skip
    newest: dict[Any, int] = {}
    for key, sent in zip(keys, found["submitted_at"].tolist(), strict=True):
        newest[key] = max(newest.get(key, 0), sent)
    later = np.array([newest[key] for key in keys])
    found["is_again"] = (found["done"] == 0) & (found["submitted_at"] < later)
    return found


@pytest.fixture
def sample(stores: Stores) -> Stores:
    load_sample(stores)
    return stores


def of(stores: Stores, portfolio: Portfolio = FUND, by: By = "strategy", bands: Any = (), **asked: Any) -> Execution:
    found = execution(stores, portfolio, None, replace(EVERYTHING, **asked), by, bands)
    assert found is not None
    return found


def close(value: float) -> Any:
    return pytest.approx(value, rel=TIE)


def test_outcomes_fills_and_latencies_are_those_of_the_orders(sample: Stores, orders: dict[str, Any]) -> None:
    found = of(sample)
    told = outcomes(orders["status"])
    for name, many, value, low in zip(told.names, told.counts, told.shares.value, told.shares.low, strict=True):
        share = found.whole.share(getattr(found.whole, name))
        assert getattr(found.whole, name) == many
        assert (share.value, share.low) == (close(value), close(low))
    assert found.whole.orders == found.whole.ended == len(orders["id"])
    assert found.whole.fill_ratio == close(fill_ratio(orders["quantity"], orders["done"]))
    stamps = np.column_stack([np.where(orders[name] == NEVER, np.nan, orders[name] / 1e6) for name in STAMPS])
    legs = latencies(stamps)
    assert [each.count for each in found.legs] == legs.counts.tolist()
    for each, quantiles in zip(found.legs, legs.quantiles, strict=True):
        assert each.quantiles == pytest.approx(quantiles.tolist(), rel=1e-6, abs=1e-6)
    reasons = [many for status, _, many in found.reasons if status == "rejected"]
    assert sum(reasons) == found.whole.rejected
    assert len(reasons) > 1


@pytest.mark.parametrize("reference", ["arrival", "decision"])
def test_slippage_and_its_interval_are_those_of_single_orders(
    sample: Stores, orders: dict[str, Any], reference: str
) -> None:
    done = orders["done"] > 0
    paid = orders["spent"][done] / orders["done"][done]
    told = mean_slippage(orders["side"][done], paid, orders[reference][done], orders["done"][done])
    found = getattr(of(sample).whole, reference)
    assert (found.value, found.low, found.high, found.count) == (
        close(told.value), close(told.low), close(told.high), told.count
    )  # fmt: skip


def test_the_parts_of_the_shortfall_add_up_to_it_and_are_those_of_single_orders(
    sample: Stores, orders: dict[str, Any]
) -> None:
    counted = ~orders["is_again"]
    one = {name: values[counted] for name, values in orders.items()}
    paid = one["spent"] / np.where(one["done"] > 0, one["done"], 1.0)
    rest = np.where(one["status"] == "filled", one["done"], one["quantity"])
    told = implementation_shortfall(
        rest, one["done"], one["decision"], one["arrival"], paid, one["close"], one["paid"], one["side"]
    )
    found = of(sample).whole.shortfall
    assert found.orders == int(counted.sum())
    for name, of_orders in (("delay", told.delay), ("impact", told.realised), ("missed", told.missed),
                            ("explicit", told.explicit), ("total", told.total)):  # fmt: skip
        assert getattr(found, name) == pytest.approx(float((of_orders * told.paper).sum()), rel=1e-9, abs=1e-4), name
    assert found.delay + found.impact + found.missed + found.explicit == close(found.total)


def test_what_size_costs_is_fitted_to_single_orders(sample: Stores, orders: dict[str, Any]) -> None:
    found = of(sample).impact
    assert found.fit is not None
    sql = """
        SELECT instrument, groupArray(price) FROM (
            SELECT instrument, ts, price FROM prices FINAL WHERE ts >= '2021-12-27' AND ts < '2022-12-28' ORDER BY ts
        ) GROUP BY instrument
    """
    spread = {name: float(np.diff(np.log(prices)).std(ddof=1)) * 1e4 for name, prices in sample.clickhouse.rows(sql)}
    from sample.instruments import INSTRUMENTS

    done = orders["done"] > 0
    names = orders["instrument"][done].tolist()
    paid = orders["spent"][done] / orders["done"][done]
    cost = orders["side"][done] * (paid / orders["arrival"][done] - 1) * 1e4
    told = square_root_impact(
        cost, [spread[name] for name in names], orders["done"][done],
        [INSTRUMENTS[name].daily_volume for name in names],
    )  # fmt: skip
    for name in ("coefficient", "coefficient_error", "low", "intercept", "intercept_error", "r_squared", "residual"):
        assert getattr(found.fit, name) == pytest.approx(getattr(told, name), rel=1e-6), name
    assert sum(each.cost.count for each in found.points) == told.observations


@pytest.mark.parametrize("by", list(BYS))
def test_groups_and_periods_add_up_to_the_whole(sample: Stores, by: By) -> None:
    found = of(sample, by=by)
    for parts in (found.parts, [each.part for each in found.periods]):
        if by == "venue" and parts is found.parts:
            assert {"NYSE", "NASDAQ", "IEX"} <= {each.name for each in parts}
            assert math.fsum(each.traded for each in parts) == close(found.whole.traded)
            assert math.fsum(each.arrival_lost for each in parts) == close(found.whole.arrival_lost)
            continue
        for name in ("orders", "filled", "rejected", "traded", "arrival_lost"):
            assert math.fsum(getattr(each, name) for each in parts) == close(getattr(found.whole, name)), name
        total = math.fsum(each.shortfall.total for each in parts if each.shortfall.orders)
        assert total == close(found.whole.shortfall.total)


def test_the_fund_is_its_strategies_and_each_is_alone_what_it_is_in_the_fund(sample: Stores) -> None:
    whole = of(sample)
    for each in STRATEGIES:
        alone = of(sample, each).whole
        (inside,) = (part for part in whole.parts if part.key == each.id)
        assert (alone.orders, alone.traded) == (inside.orders, close(inside.traded))
        assert alone.arrival.low == close(inside.arrival.low)


def test_turnover_and_costs_are_those_of_the_trades(sample: Stores) -> None:
    found = of(sample).trading
    sql = "SELECT sum(quantity * price), sum(commission + fees), count() FROM trades FINAL"
    ((traded, costs, fills),) = sample.clickhouse.rows(sql)
    assert (found.traded, found.costs, found.fills) == (close(traded), close(costs), fills)
    assert found.without_order == 0
    assert 0 < found.drag_a_year < 0.01
    year = [each for each in found.months if str(each.month).startswith("2020")]
    assert len(year) == 12
    assert all(0 < each.turnover < 10 and 0 < each.drag < 0.01 for each in year)


def test_hours_are_those_of_the_session(sample: Stores) -> None:
    found = of(sample, by="hour")
    assert found.zone == "America/New_York"
    assert [each.name for each in found.parts] == sorted(each.name for each in found.parts)
    assert {each.name for each in found.parts} <= {f"{hour:02d}:00" for hour in range(9, 16)}


def test_an_outage_costs_what_its_orders_cost_more_than_others(sample: Stores, orders: dict[str, Any]) -> None:
    bands = ((1_584_300_000, 1_584_400_000), (1_585_000_000, 1_585_300_000))
    found = of(sample, bands=bands).outage
    assert found is not None and found.is_compared
    sent = orders["submitted_at"] / 1e6
    inside = np.any([(sent >= start) & (sent < end) for start, end in bands], axis=0)
    assert found.inside.orders == inside.sum() > 10
    paid = orders["spent"] / np.where(orders["done"] > 0, orders["done"], 1.0)
    rest = np.where(orders["status"] == "filled", orders["done"], orders["quantity"])
    each = implementation_shortfall(
        rest, orders["done"], orders["decision"], orders["arrival"], paid, orders["close"], orders["paid"],
        orders["side"],
    )  # fmt: skip
    cost, counted = each.total * each.paper, ~orders["is_again"]
    told = total_difference(cost[inside & counted], cost[~inside & counted])
    assert (found.cost.value, found.cost.low, found.cost.high) == pytest.approx((told.value, told.low, told.high), 1e-6)
    assert found.inside.orders + found.outside.orders == len(sent)


def test_a_window_counts_its_own_orders_alone(sample: Stores, orders: dict[str, Any]) -> None:
    day = np.datetime64("2020-06-30")
    found = of(sample, window="MTD", as_of=day)
    sent = orders["submitted_at"].astype("datetime64[us]").astype("datetime64[D]")
    inside = (sent >= np.datetime64("2020-06-01")) & (sent <= day)
    assert found.whole.orders == inside.sum() > 0
    assert (str(found.first), str(found.last), found.step) == ("2020-06-01", "2020-06-30", "day")
    assert execution(sample, FUND, None, replace(EVERYTHING, as_of=np.datetime64("2010-01-01")), "strategy") is None
