"""The Exposure page: what it shows of a window, by group, and of a portfolio that told nothing or lacks something."""

from __future__ import annotations

from dataclasses import replace

import pytest

from access.viewer import Viewer
from core.clock import SystemClock
from core.roles import Role
from dashboard.tabs import exposure, holdings
from dashboard.views.tab import Choices, View
from sample.load import load_sample
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.dashboard.tabs.test_holdings import text_of
from tests.ingest.test_door import DAY, at
from tests.portfolio.test_holdings import TODAY, held
from tests.support.funded import sender, tell

VIEWER = Viewer("ana", Role.VIEWER)


def view(stores: Stores, viewer: Viewer = VIEWER, **choices: str) -> View:
    found = exposure.build(stores, Choices.of(choices), viewer)
    assert set(found.slots) <= set(exposure.PAGE.slots)
    assert set(found.figures) <= set(exposure.PAGE.graphs)
    return found


def test_the_fund_over_all_its_days(stores: Stores) -> None:
    load_sample(stores)
    found = view(stores)
    names = [trace["name"] for trace in found.figures["exposure-course-graph"]["data"]]
    assert names == ["Gross", "Long", "Net", "Short"]
    assert "2014-01-02 – 2022-12-28" in text_of(found.slots["exposure-mark"])
    assert found.slots["exposure-remarks"] == []
    table = text_of(found.slots["exposure-groups-table"])
    assert "Health Care" in table and "All" in table


@pytest.mark.parametrize("group", ["portfolio", "instrument", "nonsense"])
def test_other_groups_and_one_that_is_none(stores: Stores, group: str) -> None:
    load_sample(stores)
    found = view(stores, group=group)
    lines = found.figures["exposure-group-graph"]["data"]
    assert len(lines) == {"portfolio": 4, "instrument": 6, "nonsense": 6}[group]
    assert (lines[-1]["name"] == "others") == (group != "portfolio")


def test_a_choice_that_cannot_be_is_told_and_the_rest_is_shown(stores: Stores) -> None:
    load_sample(stores)
    found = view(stores, window="2Y")
    assert "Window" in text_of(found.slots["exposure-remarks"])
    assert found.figures["exposure-course-graph"]["data"]


def test_a_portfolio_without_positions_says_what_to_send(stores: Stores) -> None:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha", currency="EUR")])
    found = view(stores)
    assert "Alpha reported no positions yet" in text_of(found.slots["exposure-strip"])
    assert "positions.csv" in text_of(found.slots["exposure-strip"])


def test_it_is_as_old_as_the_report_that_holdings_shows(stores: Stores) -> None:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha", currency="EUR")])
    stores = replace(stores, clock=SystemClock())
    send = sender(stores)
    for day, hour in ((-2, 20), (-1, 9), (-1, 17)):
        report = {"ts": at(TODAY + day * DAY + hour * 3_600), "instrument": "ACME", "quantity": 1, "price": 10}
        tell(send, "positions", report)
    tell(send, "cash", {"ts": "2020-01-01T00:00:00Z", "currency": "EUR", "amount": 100})
    ages = {name: seen for page in (exposure, holdings) for name, seen in
            page.build(stores, Choices(), VIEWER).as_of.items()}  # fmt: skip
    assert ages["exposure-course"] == ages["holdings-positions"] == TODAY - DAY + 17 * 3_600


def test_what_has_no_rate_is_left_out_and_named(stores: Stores) -> None:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha", currency="EUR")])
    stores = replace(stores, clock=SystemClock())
    send = sender(stores)
    held(send, -1, 10, 10)
    held(send, 0, 10, 10)
    tell(send, "cash", {"ts": "2020-01-01T00:00:00Z", "currency": "EUR", "amount": 100})
    assert view(stores).slots["exposure-remarks"] == []
    held(send, 0, 10, 10, instrument="SWISS", currency="CHF")
    assert "no rate for CHF" in text_of(view(stores).slots["exposure-remarks"])


def test_somebody_limited_to_a_portfolio_sees_that_one_alone(stores: Stores) -> None:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha"), Portfolio("own", "beta", "Beta")])
    limited = replace(VIEWER, portfolios=frozenset({"beta"}))
    page = str(exposure.layout(stores, Choices(), limited))
    assert "Beta" in page and "Alpha" not in page
    assert "Beta reported" in text_of(view(stores, limited, portfolio="own:alpha").slots["exposure-strip"])
