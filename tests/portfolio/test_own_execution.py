"""How a fund's own orders were carried out: in other currencies, open, filled in part, and with things left untold."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest

from portfolio.execution import execution
from portfolio.execution_model import Execution
from portfolio.query import PortfolioQuery
from storage.clickhouse.reads.orders_worked import By
from storage.stores import Stores
from tests.ingest.test_door import DAY, at
from tests.support.funded import ALPHA, Send, tell

TODAY = int(time.time()) // DAY * DAY - 2 * DAY
SENT = TODAY + 50_000


def ordered(send: Send, id: str, status: str = "filled", **other: Any) -> None:
    row = {
        "order_id": id, "ts": at(SENT + 100), "instrument": "ACME", "side": "buy", "quantity": 10, "status": status,
        "decision_price": 100, "arrival_price": 101, "submitted_at": at(SENT), **other,
    }  # fmt: skip
    tell(send, "orders", {name: value for name, value in row.items() if value is not None})


def filled(send: Send, order: str, quantity: float, price: float, number: int = 1, **other: Any) -> None:
    row = {
        "trade_id": f"{order}-{number}", "ts": at(SENT + 50 + number), "instrument": "ACME", "side": "buy",
        "quantity": quantity, "price": price, "order_id": order, **other,
    }  # fmt: skip
    tell(send, "trades", {name: value for name, value in row.items() if value is not None})


def of(stores: Stores, by: By = "strategy") -> Execution:
    stores.live.bump("portfolio")
    found = execution(stores, ALPHA, None, PortfolioQuery(), by)
    assert found is not None
    return found


def test_an_order_costs_what_perold_says_in_the_currency_of_the_portfolio(funded: Stores, send: Send) -> None:
    tell(send, "fx", {"base": "EUR", "quote": "USD", "ts": at(TODAY), "rate": 1.25})
    tell(send, "instruments", {"symbol": "ACME", "currency": "USD", "multiplier": 50})
    tell(send, "prices", {"instrument": "ACME", "ts": at(TODAY + 80_000), "price": 110})
    ordered(send, "O", "expired", ended_at=at(SENT + 100))
    filled(send, "O", 2, 102, 1, commission=3, fees=1, currency="USD")
    filled(send, "O", 4, 103, 2, commission=1, currency="USD")
    found = of(funded)
    unit, cost = 50 / 1.25, found.whole.shortfall
    assert cost.paper == pytest.approx(1_000 * unit)
    assert cost.delay == pytest.approx(6 * 1 * unit)
    assert cost.impact == pytest.approx((2 * 1 + 4 * 2) * unit)
    assert cost.missed == pytest.approx(4 * 10 * unit)
    assert cost.explicit == pytest.approx(5 / 1.25)
    assert cost.total == pytest.approx(cost.delay + cost.impact + cost.missed + cost.explicit, rel=1e-9)
    assert found.whole.arrival.value == pytest.approx(((2 * 102 + 4 * 103) / 6 / 101 - 1) * 1e4)
    assert math.isnan(found.whole.arrival.low)
    assert found.whole.traded == pytest.approx(6 * 101 * unit)
    assert found.whole.fill_ratio == pytest.approx(0.6)
    assert found.trading.traded == pytest.approx((2 * 102 + 4 * 103) * unit)
    assert math.isnan(found.trading.turnover_a_year)
    assert found.zone == "Europe/Paris"
    assert found.told == ()


def test_a_sale_hurts_where_the_price_fell(funded: Stores, send: Send) -> None:
    ordered(send, "S", side="sell", arrival_price=99)
    filled(send, "S", 10, 98, side="sell")
    cost = of(funded).whole.shortfall
    assert (cost.delay, cost.impact) == (pytest.approx(10), pytest.approx(10))


def test_without_a_rate_there_is_no_value_and_it_is_said(funded: Stores, send: Send) -> None:
    ordered(send, "O")
    filled(send, "O", 10, 102, currency="USD")
    found = of(funded)
    assert (found.whole.orders, found.whole.traded, found.whole.shortfall.orders) == (1, 0, 0)
    assert math.isnan(found.whole.shortfall.total) and math.isnan(found.whole.arrival.value)
    assert any("no rate for USD" in each for each in found.told)


@pytest.mark.parametrize(
    ("untold", "said"), [("decision_price", "1 order without decision_price"),
                         ("arrival_price", "1 order without arrival_price")],
)  # fmt: skip
def test_a_price_that_nobody_told_is_left_out_and_said(funded: Stores, send: Send, untold: str, said: str) -> None:
    ordered(send, "O", **{untold: None})
    filled(send, "O", 10, 102)
    found = of(funded)
    assert any(said in each for each in found.told)
    assert math.isnan(found.whole.shortfall.total)
    known = found.whole.arrival if untold == "decision_price" else found.whole.decision
    assert known.count == 1


def test_what_was_not_filled_has_no_cost_without_a_close(funded: Stores, send: Send) -> None:
    ordered(send, "O", "expired", ended_at=at(SENT + 100))
    found = of(funded)
    assert found.whole.shortfall.orders == 0
    assert any("ended unfilled on a day without a price" in each for each in found.told), found
    tell(send, "prices", {"instrument": "ACME", "ts": at(TODAY), "price": 107})
    assert of(funded).whole.shortfall.missed == pytest.approx(70)


def test_an_open_order_is_no_outcome_and_a_fill_of_no_order_is_traded_alone(funded: Stores, send: Send) -> None:
    ordered(send, "O", "partially_filled")
    filled(send, "O", 4, 102)
    filled(send, "X", 7, 50, order_id=None)
    found = of(funded)
    assert (found.whole.orders, found.whole.ended, found.whole.shortfall.orders) == (1, 0, 0)
    assert math.isnan(found.whole.share(found.whole.filled).value)
    assert found.trading.traded == pytest.approx(4 * 102 + 7 * 50)
    assert any("1 fill of no known order" in each for each in found.told)


def test_what_is_sent_again_for_the_same_decision_missed_nothing_the_first_time(funded: Stores, send: Send) -> None:
    tell(send, "prices", {"instrument": "ACME", "ts": at(TODAY), "price": 107})
    ordered(send, "R", "rejected", decided_at=at(SENT - 60), ended_at=at(SENT + 1), reject_reason="<b>no margin</b>")
    ordered(send, "O", decided_at=at(SENT - 60), submitted_at=at(SENT + 20))
    filled(send, "O", 10, 101)
    found = of(funded)
    assert found.whole.rejected == 1
    assert found.reasons == (("rejected", "<b>no margin</b>", 1),)
    assert (found.whole.shortfall.orders, found.whole.shortfall.missed) == (1, 0)
    assert any("sent again" in each for each in found.told)


def test_more_fills_than_were_ordered_are_no_more_than_all(funded: Stores, send: Send) -> None:
    ordered(send, "O")
    filled(send, "O", 25, 102)
    found = of(funded)
    assert found.whole.fill_ratio == 1.0
    assert found.whole.shortfall.missed == 0


def test_orders_that_told_no_time_but_their_own_have_no_latency(funded: Stores, send: Send) -> None:
    ordered(send, "O", "rejected", submitted_at=None, ended_at=None)
    found = of(funded, "venue")
    assert found.whole.orders == 1
    assert [each.count for each in found.legs] == [0, 0, 0, 0]
    assert all(math.isnan(value) for each in found.legs for value in each.quantiles)
    assert found.parts == ()


def test_the_interval_s_price_is_the_mean_of_what_was_told_meanwhile(funded: Stores, send: Send) -> None:
    ordered(send, "O", last_filled_at=at(SENT + 60))
    filled(send, "O", 10, 102)
    # Years of closes do not hide the one day on which prices were told within it.
    tell(send, "prices", *({"instrument": "ACME", "ts": at(TODAY - day * DAY + 80_000), "price": 100.0}
                           for day in range(1, 30)))  # fmt: skip
    filled(send, "EARLY", 1, 100, ts=at(TODAY - 29 * DAY))
    ordered(send, "EARLY", quantity=1, submitted_at=at(TODAY - 29 * DAY), ts=at(TODAY - 29 * DAY + 9))
    assert (of(funded).interval.count, of(funded).no_interval) == (0, "no prices within the day")
    course = ((-3_600, 90), (-1, 95), (0, 100), (30, 101), (60, 105), (61, 200), (7_200, 210))
    tell(send, "prices", *({"instrument": "ACME", "ts": at(SENT + after), "price": price} for after, price in course))
    assert of(funded).no_interval == ""
    found = of(funded).interval
    assert found.count == 1
    assert found.value == pytest.approx((102 / 102 - 1) * 1e4, abs=1e-9)
    ordered(send, "S", side="sell", last_filled_at=at(SENT + 30), ts=at(SENT + 99))
    filled(send, "S", 10, 100, side="sell")
    both = of(funded).interval
    assert both.count == 2
    assert both.value == pytest.approx(1005 * (1 - 100 / 100.5) * 1e4 / (1020 + 1005))
    ordered(send, "Q", last_filled_at=at(SENT + 10))
    filled(send, "Q", 10, 100)
    assert of(funded).interval.count == 2


def test_prices_within_days_but_not_while_an_order_was_worked_are_said_to_be_none(funded: Stores, send: Send) -> None:
    ordered(send, "O", last_filled_at=at(SENT + 60))
    filled(send, "O", 10, 102)
    tell(send, "prices", *({"instrument": "ACME", "ts": at(SENT + after), "price": 100} for after in (900, 950, 999)))
    found = of(funded)
    assert (found.interval.count, found.no_interval) == (0, "no filled order had two prices meanwhile")
