"""Histories on which figures once went wrong (cases/ORIGIN.md): every place that shows a figure shows the right one."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from core.model import Facts
from dashboard.components.markup import markup
from dashboard.portfolio.cards import Headline, headlines
from dashboard.portfolio.choice_bar import frequencies, windows
from dashboard.portfolio.month_table import heat_table
from dashboard.tabs.portfolio import build
from dashboard.views.serialize import plain
from dashboard.views.tab import Choices
from portfolio.headlines import day_return
from portfolio.parts import parts
from portfolio.summary import side_by_side
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.dashboard.portfolio.test_tab import shown
from tests.support.views import OPERATOR, text

CASES = Path(__file__).parent / "cases"


def put_case(stores: Stores, name: str) -> None:
    """Store a case as the one portfolio there is."""
    rows = list(csv.DictReader((CASES / f"{name}.csv").open()))
    moments = [datetime.fromisoformat(row["date"]) for row in rows]
    ts = [int((each if each.tzinfo else each.replace(tzinfo=UTC)).timestamp()) for each in moments]
    count, id = len(rows), rows[0]["portfolio"]
    navs, flows = ([float(row[key]) for row in rows] for key in ("nav", "flow"))
    columns = ("origin", "portfolio", "ts", "nav", "flow", "version")
    stores.clickhouse.insert(Facts("nav", columns, (["own"] * count, [id] * count, ts, navs, flows, [1] * count)))
    put_portfolios(stores.state, [Portfolio("own", id, id.upper())])
    stores.live.bump("portfolio")


def cards(stores: Stores, **choices: str) -> dict[str, Headline]:
    return {each.id: each for each in headlines(shown(stores, **choices))}


def notes(stores: Stores, **choices: str) -> str:
    return text(build(stores, Choices.of(choices), OPERATOR).slots["portfolio-notes"])


def test_a_monthly_fund_is_annualised_as_one(stores: Stores) -> None:
    put_case(stores, "monthly")
    found = cards(stores)
    keys = ("annual", "volatility", "sharpe", "sortino")
    assert [found[key].value for key in keys] == ["14.0 %", "8.03 %", "1.68", "4.65"]
    assert found["day"].title == "Last month"
    assert not {"wtd", "mtd"} & set(found), "never of more than the last month, which has its card"
    offered = str(plain(frequencies(shown(stores))))
    assert "monthly" in offered and "quarterly" in offered
    assert "daily" not in offered and "weekly" not in offered


def test_a_window_shorter_than_the_values_is_not_offered(stores: Stores) -> None:
    put_case(stores, "monthly")
    buttons = markup(windows(shown(stores)))
    assert re.findall(r"Too short for monthly values[^>]*>(\w+)<", buttons) == ["1D", "WTD"]
    assert "Window: 1D is too short for monthly values, those of B22M; ITD is used." in notes(stores, window="1D")
    assert cards(stores, window="1D")["annual"].value == "14.0 %"
    assert "window" not in cards(stores, window="WTD") and "window" in cards(stores, window="MTD")


@pytest.mark.parametrize("finer", ["D", "W"])
def test_a_finer_frequency_than_the_values_gives_way_with_a_word(stores: Stores, finer: str) -> None:
    put_case(stores, "monthly")
    assert cards(stores, frequency=finer)["sharpe"].value == "1.68"
    assert "finer than the monthly values of B22M; those of its values are used." in notes(stores, frequency=finer)
    assert not notes(stores, frequency="Q")


def test_a_gap_is_told_wherever_it_touches_and_no_window_begins_in_it(stores: Stores) -> None:
    put_case(stores, "three_year_gap")
    found = cards(stores)
    assert found["annual"].value == "17.2 %"
    assert "† across a gap" in found["annual"].lines
    assert found["volatility"].value == "16.2 %", "a return of three years is none of a day"
    assert "† without the return across a gap" in found["volatility"].lines
    assert "no value between 2020-02-25 and 2023-03-01" in notes(stores)
    table = side_by_side(shown(stores))
    untouched = {"return_day", "return_wtd", "return_mtd", "return_qtd", "return_ytd", "return_3m", "return_6m"}
    for metric in table.metrics:
        if metric.key not in {*untouched, "return_1y"} and np.isfinite(table.of(metric.key)):
            assert "gap" in table.remark(metric.key), metric.key


def test_no_window_or_month_spans_a_gap(stores: Stores) -> None:
    put_case(stores, "three_year_gap")
    early = shown(stores, asof="2023-05-31", window="1Y")
    assert str(early.part.dates[0]) == "2023-03-01", "the window would begin in the gap: it begins after it"
    found = cards(stores, asof="2023-05-31")
    assert (found["1y"].value, found["1y"].lines) == ("n/a", ("no value between 2020-02-25 and 2023-03-01",))
    assert found["ytd"].value == "n/a"
    assert "since 2023-03-01, after a gap" in cards(stores, asof="2023-05-31", window="1Y")["window"].lines
    months = text(heat_table(shown(stores)))
    assert "2023 n/a 4.0" in " ".join(months.split()), "March holds three years"


def test_a_gap_is_drawn_as_one(stores: Stores) -> None:
    put_case(stores, "three_year_gap")
    lines = build(stores, Choices(), OPERATOR).figures["portfolio-growth-graph"]["data"]
    for name in ("D08", "drawdown"):
        line = next(each for each in lines if each["name"] == name)
        hole = line["y"].index(None)
        assert (line["x"][hole - 1], line["x"][hole + 1]) == ("2020-02-25", "2023-03-01")
        assert line["y"].count(None) == 1
        assert "fill" not in line, "a fill leads across"


def test_money_within_a_day_is_linked_at_its_own_time(stores: Stores) -> None:
    put_case(stores, "in_and_out_one_day")
    assert cards(stores)["total"].value == "+21.0 %"


def test_card_and_chart_of_a_day_agree(stores: Stores) -> None:
    put_case(stores, "intraday_flow")
    growth, water = build(stores, Choices.of({"window": "1D"}), OPERATOR).figures["portfolio-growth-graph"]["data"]
    assert growth["y"] == [100.0, 100.0, 105.0, 110.0, pytest.approx(81.818), 110.0]
    assert min(water["y"]) == pytest.approx(-25.6, abs=0.05)
    assert day_return(shown(stores)).own == pytest.approx(0.10)
    assert cards(stores)["day"].value == "+10.0 %"


def test_the_first_year_is_since_inception_everywhere(stores: Stores) -> None:
    put_case(stores, "first_year")
    said = "since inception, 2024-03-14"
    for found in (cards(stores)["ytd"], cards(stores, window="YTD")["window"], cards(stores, window="1Y")["window"]):
        assert (found.value, found.lines) == ("+21.0 %", (said,))
    data = shown(stores)
    table = side_by_side(data)
    assert table.of("return_ytd") == pytest.approx(0.21) and table.remark("return_ytd") == said
    assert parts(data)[0].year_to_date.told == said
    assert "21.0" in text(heat_table(data))
    early = cards(stores, asof="2024-04-30")
    assert [early[key].value for key in ("qtd", "ytd")] == ["+2.00 %", "+2.00 %"]
    assert [early[key].lines for key in ("qtd", "ytd")][1] == (said,)
    assert "irregular values, 5.5 a year" in text(build(stores, Choices(), OPERATOR).slots["portfolio-span"])
