"""A price that is hard to believe is marked on Holdings, with the reason; one that may be so is not."""

from __future__ import annotations

from typing import Any

from access.viewer import Viewer
from core.roles import Role
from dashboard.tabs import holdings
from dashboard.views.tab import Choices
from storage.stores import Stores
from tests.dashboard.tabs.test_holdings import text_of
from tests.ingest.test_door import DAY, at
from tests.portfolio.test_holdings import TODAY
from tests.support.funded import Send

VIEWER = Viewer("ana", Role.VIEWER)


def held(send: Send, day: int, **prices: float) -> None:
    tell(send, "positions", *(
        {"portfolio": "alpha", "ts": at(TODAY + day * DAY), "instrument": name, "quantity": 100, "price": price}
        for name, price in prices.items()
    ))  # fmt: skip


def stored(send: Send, day: int, **prices: float) -> None:
    tell(send, "prices", *(
        {"ts": at(TODAY + day * DAY), "instrument": name, "price": price} for name, price in prices.items()
    ))  # fmt: skip


def tell(send: Send, kind: str, *rows: dict[str, Any]) -> None:
    answer = send(kind, list(rows))
    assert answer.status_code == 200, answer.text


def shown(stores: Stores) -> tuple[str, str]:
    found = holdings.build(stores, Choices.of({"portfolio": "own:alpha"}), VIEWER)
    return text_of(found.slots["holdings-remarks"]), text_of(found.slots["holdings-positions-table"])


def test_prices_far_from_their_neighbours_and_old_ones_are_marked_with_the_reason(funded: Stores, send: Send) -> None:
    held(send, -1, FINE=10, JUMPS=12.5, PENCE=300, OLD=7, UNSENT=5)
    stored(send, -30, OLD=7)
    stored(send, 0, FINE=10.4, PENCE=3.01)
    held(send, 0, FINE=10.5, JUMPS=126, PENCE=301, OLD=7, UNSENT=5)
    told, table = shown(funded)
    assert "doubted" in told and "JUMPS: 12.50 in the report before, 126.00 now: more than 10 times" in told
    assert "PENCE: 301.00 in the report, 3.0100 stored of" in told
    assert "OLD: the newest stored price is of" in told and "30 days before the report" in told
    assert "FINE" not in told and "UNSENT" not in told
    assert table.count("doubted") == 3


def test_a_split_explains_a_price_and_nothing_is_said_of_one_that_is_fine(funded: Stores, send: Send) -> None:
    held(send, -1, ACME=500)
    split = {"portfolio": "alpha", "transaction_id": "s", "ts": at(TODAY + 40_000), "action": "split",
             "instrument": "ACME", "split_ratio": 20}  # fmt: skip
    tell(send, "transactions", split)
    held(send, 0, ACME=25.5)
    told, table = shown(funded)
    assert "doubted" not in told and "doubted" not in table
