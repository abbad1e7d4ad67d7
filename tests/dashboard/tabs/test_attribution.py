"""The Attribution page: where a return came from, against what, after which fees, and what it says where nothing is."""

from __future__ import annotations

from typing import Any

import pytest

from access.viewer import Viewer
from core.roles import Role
from dashboard.tabs import attribution
from dashboard.views.tab import Choices, View
from sample.load import load_sample
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.dashboard.portfolio.test_tab import put_nav
from tests.dashboard.tabs.test_holdings import text_of

VIEWER = Viewer("ana", Role.VIEWER)
BLEND = "blend:EQW"


@pytest.fixture
def sample(stores: Stores) -> Stores:
    load_sample(stores)
    return stores


def view(stores: Stores, viewer: Viewer = VIEWER, **choices: str) -> View:
    found = attribution.build(stores, Choices.of(choices), viewer)
    assert set(found.slots) <= set(attribution.PAGE.slots)
    assert set(found.figures) <= set(attribution.PAGE.graphs)
    return found


def links(part: Any) -> list[str]:
    """Return where the links of a part of the page lead."""
    if isinstance(part, list | tuple):
        return [each for one in part for each in links(one)]
    own = [str(part.href)] if getattr(part, "href", None) else []
    return [*own, *links(getattr(part, "children", None) or [])] if part is not None else []


def test_the_fund_by_sector_with_what_no_position_added(sample: Stores) -> None:
    found = view(sample)
    assert found.slots["attribution-remarks"] == []
    table = text_of(found.slots["attribution-groups-table"])
    for name in ("Energy", "Health Care", "Cash and other", "Costs", "Total"):
        assert name in table
    assert "Unexplained" not in table
    (bars,) = found.figures["attribution-bars-graph"]["data"]
    assert sum(bars["x"][:-1]) == pytest.approx(bars["x"][-1], abs=0.002)
    assert "send benchmark_weights" in text_of(found.slots["attribution-brinson-table"])
    said = text_of(found.slots["attribution-fees-said"])
    assert "1.5 % a year, charged each day, days / 365, 15 % of gains, with high-water mark" in said
    gross, net = found.figures["attribution-gross-net-graph"]["data"]
    assert gross["y"][-1] > net["y"][-1] > 100


def test_effects_are_shown_against_a_benchmark_whose_constituents_are_known(sample: Stores) -> None:
    for way in ("arithmetic", "geometric"):
        found = view(sample, benchmark=BLEND, window="1Y", way=way, linking="menchero")
        table = text_of(found.slots["attribution-brinson-table"])
        assert "Excess return" in table and "Information Technology" in table
        assert ("Interaction" in table) == (way == "arithmetic")


@pytest.mark.parametrize("group", ["portfolio", "instrument", "currency"])
@pytest.mark.parametrize("unit", ["return", "money"])
def test_periods_are_shown_newest_first_and_come_to_the_total(sample: Stores, group: str, unit: str) -> None:
    found = view(sample, group=group, unit=unit, every="day")
    table = text_of(found.slots["attribution-periods-table"])
    assert table.index("2022-12-28") < table.index("2022-12-27") < table.index("before 2022-")
    assert ("other" in table.replace("Cash and other", "")) == (group == "instrument")


def test_names_lead_to_the_strategy_and_to_the_holding(sample: Stores) -> None:
    found = view(sample, group="portfolio", window="1Y")
    assert "/portfolio/attribution?group=portfolio&portfolio=sample%3Apairs&window=1Y" in links(
        found.slots["attribution-groups-table"]
    )
    assert "/portfolio/holdings?instrument=XOM&portfolio=sample%3Afund" in links(
        found.slots["attribution-positions-table"]
    )


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"group": "nonsense"}, "Grouped by: “nonsense” is none of"),
        ({"every": "week"}, "Period: “week” is none of day, month, quarter, year. year is used."),
        ({"model": "x", "way": ""}, "Model: “x” is none of BF, BHB. BF is used."),
        ({"window": "9Y"}, "Window: “9Y” is none of"),
        ({"from": "2021-02-31"}, "Range: from: “2021-02-31” is no date"),
        ({"benchmark": "NOPE"}, "Benchmark: there are no prices of “NOPE”"),
        ({"portfolio": "own:nobody"}, "there is no “own:nobody”"),
    ],
)
def test_what_cannot_be_is_told_and_something_else_is_used(sample: Stores, choices: dict[str, str], said: str) -> None:
    found = view(sample, **choices)
    assert said in text_of(found.slots["attribution-remarks"])
    assert "Energy" in text_of(found.slots["attribution-groups-table"])


def test_where_nothing_is_known_it_says_what_to_send(stores: Stores) -> None:
    assert "No portfolio yet" in text_of(view(stores).slots["attribution-strip"])
    put_portfolios(stores.state, [Portfolio("own", "alpha", "<b>Alpha</b>")])
    found = view(stores)
    assert "<b>Alpha</b> has no return in this window" in text_of(found.slots["attribution-strip"])
    assert "positions, trades and NAV" in text_of(found.slots["attribution-strip"])
    assert set(found.as_of.values()) == {None}


def test_a_range_without_values_has_no_figures(sample: Stores) -> None:
    found = view(sample, **{"from": "2001-01-01", "to": "2001-12-31"})
    assert "has no return in this window" in text_of(found.slots["attribution-strip"])


def test_fees_of_a_portfolio_that_reports_its_values_alone_are_shown(stores: Stores) -> None:
    terms = {"management_fee": "2", "performance_fee": "20", "hurdle": "4", "nav_is": "gross"}
    for name in ("plain", "fees"):
        put_nav(stores, name, [100.0, 101.0, 104.0, 110.0])
    put_portfolios(stores.state, [Portfolio("own", "fees", "Fees", **terms)])
    found = view(stores, portfolio="own:fees", window="ALL")
    assert "Fees reported no positions" in text_of(found.slots["attribution-strip"])
    assert "gross +10.0 %, net +" in text_of(found.slots["attribution-strip"])
    assert "2 % a year, charged each day, days / 365, 20 % of gains" in text_of(found.slots["attribution-fees-said"])
    assert "10.0 %" in text_of(found.slots["attribution-fees-table"])
    gross, net = found.figures["attribution-gross-net-graph"]["data"]
    assert gross["y"][-1] == 110.0 > net["y"][-1] > 100
    assert found.notes["attribution-gross-net"] == "" and "attribution-groups" in found.as_of
    none = view(stores, portfolio="own:plain", window="ALL")
    assert "once fees are set" in none.notes["attribution-gross-net"]
    assert none.notes["attribution-fees"] == "" and text_of(none.slots["attribution-fees-table"])
