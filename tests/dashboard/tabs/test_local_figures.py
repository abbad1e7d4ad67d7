"""What is held or traded in another currency stands in the tables in its own one too; elsewhere no column is wasted."""

from __future__ import annotations

import pytest

from access.viewer import Viewer
from core.roles import Role
from dashboard.tabs import attribution, holdings, trades
from dashboard.views.tab import Choices, Page
from storage.stores import Stores
from tests.dashboard.tabs.test_holdings import text_of
from tests.ingest.test_door import DAY, at
from tests.portfolio.test_holdings import TODAY, bought, held
from tests.support.funded import Send, tell


def shown(stores: Stores, page: Page, slot: str) -> str:
    assert page.build is not None
    found = page.build(stores, Choices.of({"portfolio": "own:alpha", "window": "ITD"}), Viewer("ana", Role.VIEWER))
    return text_of(found.slots[slot])


@pytest.mark.parametrize("currency", ["USD", "EUR"])
def test_local_figures_stand_beside_those_of_the_portfolio(funded: Stores, send: Send, currency: str) -> None:
    tell(send, "fx", *({"base": "EUR", "quote": "USD", "ts": at(TODAY + day * DAY), "rate": 1.25} for day in (-2, 0)))
    for day in (-2, -1, 0):
        tell(send, "nav", {"ts": at(TODAY + day * DAY), "nav": 10_000})
    bought(send, -2, 100, 10, currency=currency)
    held(send, -2, 100, 10, currency=currency)
    sold = {"trade_id": "sold", "ts": at(TODAY - DAY + 50_000), "instrument": "ACME", "side": "sell", "quantity": 60,
            "price": 15, "currency": currency}  # fmt: skip
    tell(send, "trades", sold)
    held(send, -1, 40, 15, currency=currency)
    held(send, 0, 40, 15, currency=currency)
    is_foreign = currency == "USD"
    held_now = shown(funded, holdings.PAGE, "holdings-positions-table")
    assert ("Local value" in held_now, held_now.count("USD")) == (is_foreign, int(is_foreign)), "said once a row"
    assert ("600" in held_now, "480" in held_now) == (True, is_foreign), "40 × 15 in its own, at 1.25 in euro"
    trips = shown(funded, trades.PAGE, "trades-trips-table")
    assert ("Local profit" in trips, "+300" in trips, "+240" in trips) == (is_foreign, True, is_foreign)
    assert ("Currency" in shown(funded, attribution.PAGE, "attribution-positions-table")) == is_foreign
