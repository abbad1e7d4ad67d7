"""What positions cost, worked out from trades: where these explain how many are held, and as reported elsewhere."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest

from portfolio.costs import Costed, costed
from portfolio.day_holdings import holdings
from sample.load import load_sample, portfolios
from storage.state.portfolios import Portfolio
from storage.stores import Stores
from tests.ingest.test_door import DAY, at
from tests.support.funded import ALPHA, Send

FUND, *STRATEGIES = portfolios("sample")
TODAY = int(time.time()) // DAY * DAY - 2 * DAY


def of(stores: Stores, portfolio: Portfolio, method: str, day: str = "") -> Costed:
    found = holdings(stores, portfolio, None, np.datetime64(day) if day else None)
    assert found is not None
    return costed(stores, found, None, method)


def figures(found: Costed) -> dict[str, tuple[float, float, float]]:
    return {each.instrument: (each.average_cost, each.unrealised, each.realised) for each in found.holdings.positions}


@pytest.mark.parametrize("day", ["2015-03-31", "2022-12-28"])
def test_every_position_of_the_sample_is_explained_on_any_day_and_gains_stay(stores: Stores, day: str) -> None:
    load_sample(stores)
    reported = of(stores, FUND, "reported", day)
    for method in ("fifo", "average"):
        found = of(stores, FUND, method, day)
        assert len(found.worked_out) == len(found.holdings.positions)
        for each, before in zip(found.holdings.positions, reported.holdings.positions, strict=True):
            assert each.realised + each.unrealised == pytest.approx(before.total, rel=1e-9, abs=1e-6)
    average = of(stores, FUND, "average", day).holdings.positions
    # The report leaves commission and fees out, which are a ten-thousandth.
    assert [each.average_cost for each in average] == pytest.approx(
        [each.average_cost for each in reported.holdings.positions], rel=5e-4
    )


def test_first_in_first_out_and_average_part_and_what_no_trade_explains_stays_reported(
    funded: Stores, send: Send
) -> None:
    def row(id: str, side: str, quantity: float, price: float, **other: Any) -> dict[str, Any]:
        return {"portfolio": "alpha", "trade_id": id, "ts": at(TODAY - DAY + int(id)), "instrument": "ACME",
                "side": side, "quantity": quantity, "price": price, **other}  # fmt: skip

    rows = [row("1", "buy", 100, 10), row("2", "buy", 100, 20), row("3", "sell", 100, 30)]
    assert send("trades", rows).status_code == 200
    held = {"portfolio": "alpha", "ts": at(TODAY), "price": 25, "average_cost": 14, "quantity": 100}
    answer = send("positions", [{**held, "instrument": "ACME"}, {**held, "instrument": "OTHER"}])
    assert answer.status_code == 200
    costs = {method: of(funded, ALPHA, method) for method in ("reported", "fifo", "average", "nonsense")}
    told = {method: figures(found) for method, found in costs.items()}
    assert told["fifo"]["ACME"] == (20, 500, 2_000)
    assert told["average"]["ACME"] == (15, 1_000, 1_500)
    assert told["reported"]["ACME"] == told["nonsense"]["ACME"] == (14, 1_100, 1_400)
    assert told["fifo"]["OTHER"][:2] == (14, 1_100)
    assert math.isnan(told["fifo"]["OTHER"][2])
    left = "of 1 position as reported: no trades in their own currency explain how many are held"
    assert costs["fifo"].said == f"first in first out; {left}"


def test_what_trades_of_another_currency_cost_is_not_the_cost_of_a_position(funded: Stores, send: Send) -> None:
    fx = {"base": "EUR", "quote": "USD", "ts": at(TODAY - DAY), "rate": 1.25}
    assert send("fx", [fx]).status_code == 200
    row = {"portfolio": "alpha", "instrument": "ACME", "quantity": 100}
    bought = {**row, "trade_id": "1", "ts": at(TODAY - DAY), "side": "buy", "price": 10, "currency": "EUR"}
    assert send("trades", [bought]).status_code == 200
    held = {**row, "ts": at(TODAY), "price": 15, "average_cost": 12.5, "currency": "USD"}
    assert send("positions", [held]).status_code == 200
    found = of(funded, ALPHA, "fifo")
    assert found.worked_out == frozenset()
    assert figures(found)["ACME"][:2] == (12.5, pytest.approx(100 * 2.5 / 1.25))
