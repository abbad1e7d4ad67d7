"""The Portfolio tab: right figures, honest marks, and something sensible for every hard history."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from core.model import Facts
from dashboard.portfolio.cards import headlines
from dashboard.portfolio.fragments import FRAGMENTS
from dashboard.tabs.portfolio import TAB, build, layout
from dashboard.views.serialize import prepare
from dashboard.views.tab import Choices
from portfolio.data import PortfolioData
from portfolio.query import PortfolioQuery
from portfolio.reading import read
from status.freshness import stale_after_seconds
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.support.views import OPERATOR, text

START = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())
DAY = 86_400


def put_nav(
    stores: Stores, id: str, values: list[float], flows: list[float] | None = None, origin: str = "own"
) -> None:
    count = len(values)
    ts = [START + day * DAY for day in range(count)]
    names = ("origin", "portfolio", "ts", "nav", "flow", "version")
    data = ([origin] * count, [id] * count, ts, values, flows or [0.0] * count, [1] * count)
    stores.clickhouse.insert(Facts("nav", names, data))
    stores.live.bump("portfolio")
    put_portfolios(stores.state, [Portfolio(origin, id, id.title(), benchmark="SP500" if origin == "sample" else "")])


def put_prices(stores: Stores, values: list[float], origin: str = "sample") -> None:
    count = len(values)
    ts = [START + day * DAY for day in range(count)]
    data = ([origin] * count, ["SP500"] * count, ts, values, [1] * count)
    stores.clickhouse.insert(Facts("prices", ("origin", "instrument", "ts", "price", "version"), data))
    stores.live.bump("portfolio")


def shown(stores: Stores, **choices: str) -> PortfolioData:
    return read(stores, PortfolioQuery.parse(choices)[0], None)


def cards(stores: Stores, **choices: str) -> dict[str, str]:
    return {each.id: each.value for each in headlines(shown(stores, **choices))}


def test_money_that_came_in_is_no_return(stores: Stores) -> None:
    put_nav(stores, "alpha", [100.0, 110.0, 210.0, 231.0], [0.0, 0.0, 100.0, 0.0])
    found = cards(stores)
    assert found["total"] == "+21.0 %"
    assert found["day"] == "+10.0 %"
    assert found["value"] == "231"


def test_a_year_of_history_is_annualised_and_less_is_not(stores: Stores) -> None:
    put_nav(stores, "short", [100.0 * 1.001**day for day in range(365)])
    put_nav(stores, "long", [100.0 * 1.001**day * (1.01 if day % 2 else 1.0) for day in range(366)])
    assert cards(stores, portfolio="own:short")["annual"] == "n/a"
    assert cards(stores, portfolio="own:long")["annual"].endswith("%")


def test_the_deepest_fall_is_found_and_today_s_named(stores: Stores) -> None:
    put_nav(stores, "alpha", [100.0, 120.0, 90.0, 130.0, 117.0])
    found = cards(stores)
    assert (found["max-drawdown"], found["current-drawdown"]) == ("−25.0 %", "−10.0 %")
    table = text(build(stores, Choices(), OPERATOR).slots["portfolio-drawdowns-table"])
    assert "2024-01-02 −25.0 % 2024-01-03 2024-01-04 1 d 1 d" in table
    assert "not yet" in table


def test_a_loss_on_the_first_day_counts(stores: Stores) -> None:
    put_nav(stores, "alpha", [100.0, 90.0, 95.0])
    assert cards(stores)["max-drawdown"] == "−10.0 %"


@pytest.mark.parametrize(
    ("values", "total"),
    [
        ([100.0], "n/a"),
        ([100.0, 100.0, 100.0], "0.00 %"),
        ([100.0, 50.0, 0.0, 10.0], "−100.0 %"),
        ([100.0, -20.0, 50.0], "n/a"),
        ([1e-9, 2e-9], "+100.0 %"),
    ],
)
def test_a_hard_history_still_makes_a_page(stores: Stores, values: list[float], total: str) -> None:
    put_nav(stores, "hard", values)
    view = build(stores, Choices(), OPERATOR)
    assert prepare(TAB, Choices(), "v", view).payload
    assert cards(stores)["total"] == total
    told = text(view.slots["portfolio-notes"])
    assert ("the value is zero or negative" in told) == any(value <= 0 for value in values)
    everything = text(list(view.slots.values()))
    assert "nan" not in everything.lower() and "inf" not in everything.lower().replace("info", "")


def test_the_benchmark_stands_on_the_same_days(stores: Stores) -> None:
    put_nav(stores, "alpha", [100.0, 110.0, 121.0], origin="sample")
    put_prices(stores, [50.0, 55.0, 55.0, 99.0])
    found = shown(stores)
    assert found.part_benchmark is not None
    assert found.part_benchmark.index.tolist() == pytest.approx([1.0, 1.1, 1.1])
    assert [
        line["name"] for line in build(stores, Choices(), OPERATOR).figures["portfolio-growth-graph"]["data"][:2]
    ] == [
        "Alpha",
        "S&P 500",
    ]
    alone = build(stores, Choices.of({"benchmark": "none"}), OPERATOR).figures["portfolio-growth-graph"]["data"]
    assert [line["name"] for line in alone] == ["Alpha", "drawdown"]


def test_a_window_starts_again_at_100(stores: Stores) -> None:
    put_nav(stores, "alpha", [100.0 + day for day in range(100)])
    figure = build(stores, Choices.of({"window": "MTD"}), OPERATOR).figures["portfolio-growth-graph"]
    growth = figure["data"][0]
    assert (growth["x"][0], growth["y"][0]) == ("2024-03-31", 100.0)
    zoomed = Choices.of({"from": str(START + 10 * DAY), "to": str(START + 20 * DAY)})
    growth = build(stores, zoomed, OPERATOR).figures["portfolio-growth-graph"]["data"][0]
    assert (growth["x"][0], growth["x"][-1], growth["y"][0]) == ("2024-01-11", "2024-01-21", 100.0)


def test_every_origin_is_marked_and_only_own_data_has_an_age(stores: Stores) -> None:
    for origin, mark in (("sample", "sample · data ends 2024-01-03"), ("own", "")):
        put_nav(stores, f"{origin}-fund", [100.0, 101.0, 102.0], origin=origin)
        view = build(stores, Choices.of({"portfolio": f"{origin}:{origin}-fund"}), OPERATOR)
        assert text(view.slots["portfolio-mark"]) == mark
        assert any(view.as_of.values()) == (origin == "own")


def test_without_a_portfolio_the_page_says_how_to_get_one(stores: Stores) -> None:
    view = build(stores, Choices(), OPERATOR)
    assert "inbox" in text(view.slots["portfolio-cards"])
    assert set(view.as_of.values()) == {None}
    assert layout(stores, Choices(), OPERATOR)


def test_a_registered_portfolio_without_values_says_so(stores: Stores) -> None:
    put_portfolios(stores.state, [Portfolio("own", "new", "New fund")])
    view = build(stores, Choices(), OPERATOR)
    assert "New fund has no value yet" in text(view.slots["portfolio-cards"])


def test_the_sample_fund_has_all_its_parts_and_their_shares_are_whole(stores: Stores) -> None:
    from sample.load import load_sample

    load_sample(stores)
    table = text(FRAGMENTS["parts"](shown(stores)))
    for name in ("All strategies", "Momentum equity", "Sector pairs", "Trend following", "Factor risk parity"):
        assert name in table
    found = shown(stores)
    assert len(found.whole) == 2264
    assert str(found.whole.dates[-1]) == "2022-12-28"
    assert np.isfinite(found.whole.returns[1:]).all()
    heat = text(FRAGMENTS["months"](found)).split()
    assert [word for word in heat if word.startswith("20") and len(word) == 4] == [
        str(y) for y in range(2022, 2013, -1)
    ]


def test_a_benchmark_that_lacks_days_is_drawn_on_those_it_has_and_compared_on_none_it_lacks(stores: Stores) -> None:
    put_nav(stores, "alpha", [100.0, 101.0, 102.0, 103.0, 104.0], origin="sample")
    put_prices(stores, [50.0, 51.0, 52.0])
    own, other, _ = build(stores, Choices(), OPERATOR).figures["portfolio-growth-graph"]["data"]
    assert (own["x"][-1], other["x"][-1]) == ("2024-01-05", "2024-01-03")
    assert other["y"] == [100.0, 102.0, 104.0]
    notes = {each.id: each.lines for each in headlines(shown(stores))}
    assert "S&P 500 n/a" in notes["day"], "its last day is not the day before"


def test_the_current_drawdown_does_not_hide_behind_a_short_window(stores: Stores) -> None:
    put_nav(stores, "alpha", [100.0 - day for day in range(40)])
    found = shown(stores, window="MTD")
    current = next(each for each in headlines(found) if each.id == "current-drawdown")
    assert (current.value, current.lines[:2]) == ("−39.0 %", ("peak 2024-01-01", "39 days ago"))
    assert cards(stores, window="MTD")["max-drawdown"] != "−39.0 %"


@pytest.mark.parametrize("hours_ahead_of_utc", [-11, -5, 0, 9, 11])
def test_a_zoom_from_midnight_begins_on_that_day_wherever_the_reader_is(hours_ahead_of_utc: int) -> None:
    midnight = START + 10 * DAY - hours_ahead_of_utc * 3600
    span = PortfolioQuery.parse({"from": str(midnight), "to": str(midnight + 10 * DAY)})[0].span
    assert span is not None
    assert [str(day) for day in span] == ["2024-01-11", "2024-01-21"]


def test_an_unknown_choice_falls_back(stores: Stores) -> None:
    put_nav(stores, "alpha", [100.0, 101.0])
    found = shown(stores, portfolio="own:nobody", window="13Y", benchmark="NOPE")
    assert (found.portfolio.id, found.query.window, found.benchmark) == ("alpha", "ITD", None)


def test_a_replay_is_as_old_as_its_last_day_handed_out(stores: Stores) -> None:
    from core.model import Reading

    put_nav(stores, "fund", [100.0, 101.0], origin="replay")
    stores.live.put_reading("replay", stores.settings.machine, 1234.5, 2.0, Reading())
    view = build(stores, Choices(), OPERATOR)
    assert view.as_of["portfolio-growth"] == 1234.5
    assert view.stale_after_seconds["portfolio-growth"] == stale_after_seconds(2.0)
    assert text(view.slots["portfolio-mark"]) == "replay · at 2024-01-02"
