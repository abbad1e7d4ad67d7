"""The Execution page: what it shows of orders, beside a broker's link and outages, and where there are none."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import orjson
import pytest

from access.viewer import Viewer
from core.alerts.spec import HISTORY
from core.clock import SystemClock
from core.kinds.ib.source import IbSource
from core.kinds.ib.spec import CONNECTED, REQUESTS_RATE
from core.model import Sample, labels
from core.roles import Role
from dashboard.portfolio.firing import with_firing
from dashboard.tabs import execution, portfolio, risk
from dashboard.views.marks import Marks
from dashboard.views.serialize import prepare
from dashboard.views.tab import Choices, View
from sample.load import load_sample
from storage.state.alerts import HistoryRow, add_history
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.support.views import text

VIEWER = Viewer("ana", Role.VIEWER)
GATEWAY = orjson.dumps({"collector": "ib:live", "machine": "host-1"}).decode()
IN_2020 = 1_584_144_000.0
"""2020-03-14."""


@pytest.fixture
def sample(stores: Stores) -> Stores:
    load_sample(stores)
    return stores


def view(stores: Stores, viewer: Viewer = VIEWER, **choices: str) -> View:
    found = execution.build(stores, Choices.of(choices), viewer)
    prepare(execution.PAGE, Choices.of(choices), "1", found)
    return found


def words(found: View, slot: str) -> str:
    return text(found.slots[f"execution-{slot}"])


def broken(stores: Stores, start: float, end: float, severity: str = "critical") -> None:
    with stores.state.begin() as connection:
        for at, what in ((start, "fires"), (end, "resolved")):
            add_history(connection, [HistoryRow(at, what, "gateway", GATEWAY, severity, detail="the link is lost")])
    stores.live.bump(HISTORY)


def test_the_page_tells_how_orders_ended_what_they_cost_and_how_long_they_took(sample: Stores) -> None:
    found = view(sample, window="ITD")
    for each in ("Orders", "Filled", "Rejected", "Fill rate", "Shortfall", "Turnover", "Cost drag"):
        assert each in words(found, "strip")
    assert "no prices within the day" in words(found, "strip")
    assert "no shares to borrow" in words(found, "outcomes-table")
    assert "submit → acknowledge" in words(found, "latency-table")
    assert "Sector pairs" in words(found, "parts-table")
    assert "/portfolio/execution?portfolio=sample%3Apairs" in repr(found.slots["execution-parts-table"])
    assert not any(found.notes.values())


def test_the_bars_of_the_shortfall_add_up_to_its_total(sample: Stores) -> None:
    (bars,) = view(sample, window="ITD").figures["execution-shortfall-graph"]["data"]
    *parts, total = bars["y"]
    assert math.fsum(parts) == pytest.approx(total, abs=0.005)
    assert total != 0


@pytest.mark.parametrize(
    ("by", "names"), [("venue", ("NYSE", "IEX")), ("hour", ("10:00", "America/New_York")),
                      ("size", ("10.0 K – 100 K",)), ("broker", ("IB", "Prime")),
                      ("instrument", ("XOM", "/portfolio/trades?portfolio=sample%3Afund"))],
)  # fmt: skip
def test_groups_are_those_that_are_asked_for(sample: Stores, by: str, names: tuple[str, ...]) -> None:
    found = view(sample, by=by)
    told = repr(found.slots["execution-parts-table"]) + str(found.slots["execution-by-said"])
    assert all(name in told for name in names)


@pytest.mark.parametrize(
    ("choices", "said"), [({"by": "moon"}, "By: “moon”"), ({"window": "9Y"}, "Window: “9Y”"),
                          ({"asof": "2018-02-31"}, "As of: “2018-02-31”"), ({"asof": "-1", "by": ""}, "As of: “-1”")],
)  # fmt: skip
def test_what_cannot_be_is_told_and_what_is_shown_instead(sample: Stores, choices: dict[str, str], said: str) -> None:
    found = view(sample, **choices)
    assert said in words(found, "remarks")
    assert "2022-12-27" in words(found, "mark")


def test_before_the_first_order_there_is_nothing_and_it_is_said_how_orders_come(sample: Stores) -> None:
    found = view(sample, asof="2010-01-01")
    assert "told of no orders or trades on or before 2010-01-01" in words(found, "strip")
    assert "orders.csv" in words(found, "strip")
    assert "No portfolio" not in words(found, "strip")


def test_an_outage_is_set_beside_the_rest_and_can_be_chosen_by_component(sample: Stores) -> None:
    assert "no outage to compare with" in words(view(sample, window="ITD"), "outage-table")
    broken(sample, IN_2020, IN_2020 + 20 * 86_400)
    found = view(sample, window="ITD")
    assert "What it cost, USD" in words(found, "outage-table")
    assert "95 %" in words(found, "outage-said")
    assert "any component" in words(found, "components")
    same = view(sample, window="ITD", component="ib:live")
    assert words(same, "outage-table") == words(found, "outage-table")
    other = view(sample, window="ITD", component="ib:<b>nobody</b>")
    assert "no outage to compare with" in words(other, "outage-table")


def test_too_few_orders_inside_are_told_and_nothing_is_compared(sample: Stores) -> None:
    broken(sample, IN_2020, IN_2020 + 60)
    found = view(sample, window="ITD")
    assert "too few to compare" in words(found, "outage-said")


def test_what_only_informs_is_no_outage(sample: Stores) -> None:
    broken(sample, IN_2020, IN_2020 + 20 * 86_400, "info")
    assert "no outage to compare with" in words(view(sample, window="ITD"), "outage-table")


def test_outages_are_bands_on_the_charts_of_what_portfolios_gained_and_lost(sample: Stores) -> None:
    broken(sample, IN_2020, IN_2020 + 3_600)
    for page in map(with_firing, (portfolio.TAB, execution.PAGE, risk.PAGE)):
        marks = Marks(sample).of(page, Choices(), VIEWER)
        assert marks is not None
        (band,) = orjson.loads(marks)
        assert (band["at"], band["until"], band["severity"]) == (IN_2020, IN_2020 + 3_600, "critical")


def test_the_broker_stands_on_the_time_axis_where_one_is_watched_and_else_how(sample: Stores) -> None:
    without = view(sample, window="ITD")
    assert "watch: ib:" in words(without, "broker")
    rows = len(without.figures["execution-time-graph"]["data"])
    watch = sample.settings.watch.model_copy(update={"ib": (IbSource(name="live"),)})
    watching = replace(sample, settings=sample.settings.model_copy(update={"watch": watch}))
    assert "No reading" in words(view(watching, window="ITD"), "broker")
    now = time.time()
    put_portfolios(watching.state, [Portfolio("own", "alpha", "Alpha")])
    order(watching, "alpha", now - 2 * 86_400, "alpha-0")
    order(watching, "alpha", now)
    for at in range(60):
        ts, of = now - 3_600 + 60 * at, labels(instance="live")
        found = [Sample(CONNECTED, float(at < 30), of), Sample(REQUESTS_RATE, 5.0, of)]
        watching.writer.put("host-1", ts, found)
    watching.writer.flush()
    today = replace(watching, clock=SystemClock())
    told = view(today, window="ITD", portfolio="own:alpha")
    *_, link, use = told.figures["execution-time-graph"]["data"]
    assert len(told.figures["execution-time-graph"]["data"]) == rows + 2
    assert {0.0, 100.0} <= set(link["y"])
    assert {each for each in use["y"] if each is not None} == {10.0}
    assert not told.slots["execution-broker"]


def order(stores: Stores, portfolio: str, at: float, id: str = "") -> None:
    stores.clickhouse.command(
        "INSERT INTO orders (origin, portfolio, order_id, ts, placed, instrument, side, quantity, decision_price, "
        f"status, broker, version) VALUES ('own', '{portfolio}', '{id or portfolio}', {int(at)}, {int(at)}, "
        f"'{portfolio.upper()}', 'buy', 10, 5, 'new', 'BROKER-{portfolio.upper()}', 1)"
    )


def test_who_may_see_a_part_alone_sees_no_other(stores: Stores) -> None:
    put_portfolios(
        stores.state,
        [Portfolio("own", "fund", "Fund"), Portfolio("own", "alpha", "Alpha", "fund"),
         Portfolio("own", "beta", "Beta", "fund")],
    )  # fmt: skip
    for name in ("alpha", "beta"):
        order(stores, name, stores.clock.now())
    limited = Viewer("ben", Role.VIEWER, portfolios=frozenset({"alpha"}))
    for asked in ("own:fund", "own:beta", "own:alpha", ""):
        for by in ("instrument", "broker", "strategy"):
            found = view(stores, limited, portfolio=asked, by=by)
            # What was asked for is said back, whether there is such a portfolio or not.
            assert "BETA" not in repr(found).replace(f"“{asked}”", "").upper()
            assert "Orders 1" in words(found, "strip")
            assert found.as_of["execution-outcomes"] == int(stores.clock.now())
