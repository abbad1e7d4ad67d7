"""The Holdings page: what it shows of a day, by group, of one instrument, and of a portfolio that told nothing."""

from __future__ import annotations

import math
import re
import time
from dataclasses import replace
from typing import Any

import pytest

from access.viewer import Viewer
from core.clock import SystemClock
from core.roles import Role
from dashboard.holdings.charts import instrument_history
from dashboard.tabs import holdings
from dashboard.views.tab import Choices, View
from sample.load import load_sample
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.ingest.test_door import DAY, at
from tests.support.funded import sender

VIEWER = Viewer("ana", Role.VIEWER)


@pytest.fixture
def sample(stores: Stores) -> Stores:
    load_sample(stores)
    return stores


def view(stores: Stores, viewer: Viewer = VIEWER, **choices: str) -> View:
    found = holdings.build(stores, Choices.of(choices), viewer)
    assert set(found.slots) <= set(holdings.PAGE.slots)
    assert set(found.figures) <= set(holdings.PAGE.graphs)
    return found


def text_of(part: Any) -> str:
    """Return what a reader reads of a part of the page."""
    if part is None or isinstance(part, str | int | float):
        return str(part or "")
    if isinstance(part, list | tuple):
        return " ".join(map(text_of, part))
    return text_of(getattr(part, "children", None))


def test_the_newest_report_of_the_fund_with_all_its_parts(sample: Stores) -> None:
    found = view(sample)
    table = text_of(found.slots["holdings-positions-table"])
    for name in ("Momentum equity", "Sector pairs", "Trend following", "Factor risk parity"):
        assert name in table
    assert "report of 2022-12-28" in text_of(found.slots["holdings-mark"])
    assert found.slots["holdings-remarks"] == []


def test_a_strategy_alone_has_no_column_of_strategies(sample: Stores) -> None:
    table = text_of(view(sample, portfolio="sample:pairs").slots["holdings-positions-table"])
    assert "Strategy" not in table


@pytest.mark.parametrize(
    ("group", "names"), [("sector", ("Energy", "Financials")), ("asset_class", ("equity", "fund")),
                         ("portfolio", ("Sector pairs",)), ("nonsense", ("Energy",))],
)  # fmt: skip
def test_groups_are_those_that_are_asked_for(sample: Stores, group: str, names: tuple[str, ...]) -> None:
    table = text_of(view(sample, group=group).slots["holdings-groups-table"])
    assert all(name in table for name in names)


def test_the_map_holds_every_position_once_and_its_groups_are_their_sums(sample: Stores) -> None:
    (tiles,) = view(sample).figures["holdings-map-graph"]["data"]
    rows = list(zip(tiles["ids"], tiles["parents"], tiles["values"], strict=True))
    ((whole, _, size),) = (row for row in rows if not row[1])
    groups = {id: value for id, parent, value in rows if parent == whole}
    assert math.fsum(groups.values()) == pytest.approx(size, abs=0.1)
    for name, value in groups.items():
        assert value == pytest.approx(math.fsum(each for _, parent, each in rows if parent == name), abs=0.1)
    assert len({id for id, _, _ in rows}) == len(rows)


def test_an_earlier_day_and_the_history_of_an_instrument_end_with_it(sample: Stores) -> None:
    found = view(sample, asof="2018-02-10", instrument="XOM")
    assert "2018-02-09" in text_of(found.slots["holdings-mark"])
    price, quantity = found.figures["holdings-history-graph"]["data"]
    assert price["x"][-1] <= "2018-02-09"
    assert len(price["x"]) == len(quantity["y"]) > 100


def test_a_day_that_is_none_is_told_and_the_newest_report_shown(sample: Stores) -> None:
    found = view(sample, asof="2018-02-31")
    assert "As of" in text_of(found.slots["holdings-remarks"])
    assert "2022-12-28" in text_of(found.slots["holdings-mark"])


def test_before_the_first_report_there_is_nothing_and_it_is_said(sample: Stores) -> None:
    found = view(sample, asof="2010-01-01")
    assert "reported no positions on or before 2010-01-01" in text_of(found.slots["holdings-strip"])
    assert set(found.as_of.values()) == {None}


def test_a_name_in_the_data_is_text(stores: Stores) -> None:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "<b>Alpha</b>", currency="EUR")])
    assert re.search("<b>Alpha</b> reported no positions yet", text_of(view(stores).slots["holdings-strip"]))


def test_who_may_see_a_part_alone_sees_no_other(stores: Stores) -> None:
    put_portfolios(
        stores.state,
        [Portfolio("own", "fund", "Fund"), Portfolio("own", "alpha", "Alpha", "fund"),
         Portfolio("own", "beta", "Beta", "fund")],
    )  # fmt: skip
    for name in ("alpha", "beta"):
        ts = int(stores.clock.now()) // 86_400 * 86_400
        values = f"('own', '{name}', toDateTime({ts}), '{name.upper()}', 10, 5, 50, 1)"
        stores.clickhouse.command(
            "INSERT INTO positions (origin, portfolio, ts, instrument, quantity, price, market_value, version) "
            f"VALUES {values}"
        )
    limited = Viewer("ben", Role.VIEWER, portfolios=frozenset({"alpha"}))
    for portfolio in ("own:fund", "own:beta", "own:alpha", ""):
        found = view(stores, limited, portfolio=portfolio)
        assert "BETA" not in repr(found)
        assert "ALPHA" in text_of(found.slots["holdings-positions-table"])


def test_the_history_of_two_reports_has_ticks_of_days_and_of_whole_units() -> None:
    day = 19_000 * 86_400
    rows = [("alpha", day, 2.0, 10.5, 21.0), ("alpha", day + 86_400, 3.0, 10.0, 30.0)]
    figure = instrument_history(rows, "EUR")
    axis, quantity = figure["layout"]["xaxis"], figure["layout"]["yaxis2"]
    assert (axis["dtick"], axis["hoverformat"]) == (86_400_000, "%Y-%m-%d")
    assert "%H" not in axis["tickformat"]
    assert (quantity["dtick"], quantity["tickformat"]) == (1, ",d")
    assert figure["data"][0]["mode"] == "lines+markers"
    assert "tickformat" not in instrument_history([("alpha", day, 0.5, 1.0, 0.5)], "EUR")["layout"]["yaxis2"]


def test_of_a_value_that_is_nothing_no_gain_is_a_share(stores: Stores) -> None:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha", currency="EUR")])
    stores = replace(stores, clock=SystemClock())
    day = int(time.time()) // DAY * DAY - 3 * DAY
    send = sender(stores)
    assert send("instruments", [{"symbol": "ES", "asset_class": "future", "multiplier": 50}]).status_code == 200
    for number, price in enumerate((100, 103)):
        row = {"portfolio": "alpha", "ts": at(day + number * DAY), "instrument": "ES", "quantity": 1, "price": price}
        assert send("positions", [row]).status_code == 200
    found = view(stores, portfolio="own:alpha")
    assert "+150" in text_of(found.slots["holdings-movers-table"])


def test_the_history_of_parts_that_report_at_other_hours_is_one_of_days() -> None:
    rows = [
        (name, day * DAY + hour * 3_600, quantity + day, 10.0 + hour, 0.0)
        for day in (20_000, 20_001)
        for name, hour, quantity in (("alpha", 9, 500), ("alpha", 16, 100), ("beta", 17, 50))
    ]
    price, quantity = instrument_history(rows, "EUR")["data"]
    assert quantity["x"] == price["x"] == ["2024-10-04", "2024-10-05"]
    assert list(quantity["y"]) == [40_150, 40_152]
    assert list(price["y"]) == [27, 27]
