"""What was sent stays to be seen: rows of programs an hour together, files one by one, and what is hard to believe."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from access.viewer import Viewer
from core.clock import FakeClock
from core.errors import ImportRejected, UndoRejected
from core.ingest.kinds import KINDS
from core.roles import Role
from dashboard.portfolio.choice_bar import _doubted
from dashboard.tabs import imports
from portfolio.imports.accepted import accepted_doubts
from portfolio.imports.undo import undo
from portfolio.ingest.files import take_rows_file
from portfolio.ingest.request import Asked
from portfolio.ingest.sparing import take_good_rows
from storage.state.audit import Wanted, read_entries
from storage.state.imports import recent_imports
from storage.state.portfolios import list_portfolios
from storage.state.sent_rows import WHAT, audit_sent, list_sent
from storage.stores import Stores
from tests.ingest.test_door import DAY, at
from tests.support.funded import Send, sender
from tests.support.views import built, text

TODAY = int(time.time()) // DAY * DAY
SATURDAY = next(day for day in range(TODAY - 2 * DAY, TODAY - 9 * DAY, -DAY) if (day // DAY + 3) % 7 == 5)
WEEK = [SATURDAY - back * DAY for back in range(26, 0, -1) if (SATURDAY // DAY - back + 3) % 7 < 5]


def worth(day: int, nav: float) -> dict[str, Any]:
    return {"portfolio": "alpha", "ts": at(day), "nav": nav}


@pytest.fixture
def weekdays(send: Send) -> None:
    assert send("nav", [worth(day, 1_000.0) for day in WEEK]).json["told"] == []


@pytest.mark.usefixtures("weekdays")
def test_a_value_hard_to_believe_is_taken_and_told_to_who_sent_it_and_to_readers(funded: Stores, send: Send) -> None:
    answer = send("nav", [worth(SATURDAY, 1_000_000.0)]).json
    assert answer["added"] == 1
    (jump, weekend) = answer["told"]
    assert "row 1" in jump and "1,000 became 1,000,000" in jump and "ten times" in jump
    assert "row 1" in weekend and "Saturday" in weekend
    assert send("nav", [worth(SATURDAY, 1_000_000.0)]).json["told"] == [], "it is told once"
    alpha = next(each for each in list_portfolios(funded.state) if each.id == "alpha")
    (doubted,) = accepted_doubts(funded.state, alpha, None)
    assert [row.value for row in doubted.rows] == [1_000_000.0]
    assert "1 value of rows sent by ops was taken although doubted" in text(_doubted([doubted]))


@pytest.mark.usefixtures("weekdays")
def test_files_and_pulled_rows_are_doubted_alike(funded: Stores) -> None:
    row = f"portfolio,ts,nav\nalpha,{at(SATURDAY)},1000000\n".encode()
    taken = take_rows_file(funded, "a.nav.csv", row, KINDS["nav"], "inbox")
    assert "1,000 became 1,000,000" in str(taken)
    take_good_rows(funded, Asked(KINDS["nav"], who="desk"), [worth(SATURDAY + 1, 5.0)])
    alpha = next(each for each in list_portfolios(funded.state) if each.id == "alpha")
    assert len(accepted_doubts(funded.state, alpha, None)) == 2


def test_a_program_that_sends_often_is_one_line_an_hour_and_one_entry_of_the_audit(funded: Stores) -> None:
    clock = FakeClock(TODAY - DAY + 600.0)
    stores = replace(funded, clock=clock)
    for number in range(5):
        row = {"portfolio": ["alpha"], "trade_id": [f"t{number}"], "ts": [at(TODAY - DAY)], "instrument": ["ACME"],
               "side": ["buy"], "quantity": [1], "price": [2.5]}  # fmt: skip
        send = sender(stores)
        assert send("trades", [{name: cells[0] for name, cells in row.items()}]).status_code == 200
        clock.advance(1.0)
    assert sender(stores)("trades", [{"portfolio": "alpha"}]).status_code == 422
    (sent,) = list_sent(stores.state, 10)
    assert (sent.who, sent.kind, sent.batches, sent.rows, sent.added, sent.refused) == ("ops", "trades", 6, 5, 5, 1)
    audit_sent(stores.state, clock.now())
    assert read_entries(stores.state, Wanted(what=WHAT)) == [], "the hour is not over"
    clock.advance(3_600.0)
    audit_sent(stores.state, clock.now())
    audit_sent(stores.state, clock.now())
    (entry,) = read_entries(stores.state, Wanted(what=WHAT))
    assert (entry.who, entry.target) == ("ops", "trades")
    assert "5 rows in 6 batches" in entry.detail and "1 refused" in entry.detail
    assert "trades" in text(built(imports.PAGE, stores).slots[imports.SENT.slot])
    limited = Viewer("zoe", Role.VIEWER, portfolios=frozenset({"alpha"}))
    assert imports._sent(stores, limited) == [], "whose rows others sent, nobody knows"


def test_files_of_rows_are_listed_taken_or_refused_and_say_that_they_are_not_undone(funded: Stores) -> None:
    header = "portfolio,trade_id,ts,instrument,side,quantity,price\n"
    good = f"{header}alpha,t1,{at(TODAY - DAY)},ACME,buy,1,2\n".encode()
    take_rows_file(funded, "fills.trades.csv", good, KINDS["trades"], "inbox")
    with pytest.raises(ImportRejected):
        take_rows_file(funded, "bad.trades.csv", f"{header}nobody,t2,x,ACME,buy,1,2\n".encode(), KINDS["trades"], "ana")
    refused, taken = recent_imports(funded.state)
    assert (refused.name, refused.outcome, refused.who) == ("bad.trades.csv", "refused", "ana")
    assert (taken.name, taken.outcome, taken.who, taken.rows, taken.added) == (
        "fills.trades.csv", "taken", "inbox", 1, 1,
    )  # fmt: skip
    with pytest.raises(UndoRejected, match="send them anew"):
        undo(funded, taken.id)
    assert "send it anew" in text(built(imports.PAGE, funded).slots[imports.IMPORTS.slot])
    whats = {entry.what for entry in read_entries(funded.state)}
    assert {"import taken", "file refused"} <= whats
