"""The choices of the Portfolio tab: what is asked for is shown, and what makes no sense is said."""

from __future__ import annotations

import numpy as np
import pytest

from core.model import Facts
from dashboard.portfolio.choice_bar import bar, notes
from dashboard.portfolio.common_choices import INDENT, tree
from dashboard.tabs.portfolio import build
from dashboard.views.serialize import plain
from dashboard.views.tab import Choices
from portfolio.headlines import day_return
from portfolio.imports.take import take
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.dashboard.portfolio.test_tab import DAY, START, put_nav, shown
from tests.support.views import OPERATOR, text


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"portfolio": "own:gone"}, "Portfolio: there is no “own:gone”; Alpha is used."),
        ({"benchmark": "NOPE"}, "Benchmark: there are no prices of “NOPE”; none is used."),
        ({"window": "7Y"}, "Window: “7Y” is none of 1D, WTD"),
        ({"frequency": "Z"}, "Returns: “Z” is none of D, W, M, Q. Those of the values"),
        ({"from": "86400", "to": "172800"}, "Range: no value from 1970-01-02 to 1970-01-03; the values run from"),
        (
            {"from": "172800", "to": "86400"},
            "Range: it would begin on 1970-01-03, after its end on 1970-01-02. The window ITD",
        ),
        ({"from": "2024-01-32"}, "Range: from: “2024-01-32” is no date such as 2020-01-02. The window ITD"),
        ({"to": "2023-06-30"}, "Range: no value up to 2023-06-30; the values run from 2024-01-01 to 2024-01-03."),
        ({"to": "2024-01-03", "asof": "2024-01-02"}, "Range: it ends with the as-of day, 2024-01-02, not on"),
        ({"rolling": "2"}, "Rolling: “2” is no number of returns from 3 to 5,000. As many as usual"),
        ({"rolling": "21"}, "Rolling: 21 days are more than the 2 returns there are; no rolling figure is shown."),
        ({"confidence": "50"}, "VaR confidence: “50” is none of 90, 95, 99. 95 is used."),
        ({"portfolio": "own:alpha", "compare": "own:alpha"}, "Compare: Alpha is the portfolio itself"),
        ({"portfolio": "own:alpha", "compare": "own:late", "asof": "2024-01-03"}, "Compare: Late has no day in common"),
    ],
)
def test_what_is_not_there_is_named_with_what_is_shown_instead(
    stores: Stores, choices: dict[str, str], said: str
) -> None:
    put_nav(stores, "alpha", [100.0, 101.0, 102.0])
    put_portfolios(stores.state, [Portfolio("own", "late", "Late")])
    told = text(build(stores, Choices.of(choices), OPERATOR).slots["portfolio-notes"])
    assert said in told


def test_what_is_there_is_not_doubted(stores: Stores) -> None:
    put_nav(stores, "alpha", [100.0, 101.0, 102.0])
    fine = {"portfolio": "own:alpha", "benchmark": "none", "window": "1Y", "frequency": "W", "rf": "2"}
    assert not build(stores, Choices.of(fine), OPERATOR).slots["portfolio-notes"]


def test_an_earlier_day_shows_what_its_data_would_have_shown(stores: Stores) -> None:
    values = [100.0 + 3 * (day % 7) + day for day in range(90)]
    put_nav(stores, "all", values)
    put_nav(stores, "then", values[:50])
    for window in ("1D", "WTD", "MTD", "QTD", "YTD", "ITD"):
        earlier = shown(stores, portfolio="own:all", window=window, asof="2024-02-19")
        alone = shown(stores, portfolio="own:then", window=window)
        assert earlier.part.dates.tolist() == alone.part.dates.tolist()
        np.testing.assert_array_equal(earlier.part.index, alone.part.index)
        np.testing.assert_array_equal(earlier.nav.value, alone.nav.value)
    earlier_view = build(stores, Choices.of({"portfolio": "own:all", "asof": "2024-02-19"}), OPERATOR)
    alone_view = build(stores, Choices.of({"portfolio": "own:then"}), OPERATOR)
    assert text(earlier_view.slots["portfolio-cards"]) == text(alone_view.slots["portfolio-cards"])
    assert text(earlier_view.slots["portfolio-mark"]) == "as of 2024-02-19"


@pytest.mark.parametrize(("day", "said"), [("2031-01-01", "later than the last value, 2024-01-03"),
                                           ("1999-01-01", "before the first value, 2024-01-01")])  # fmt: skip
def test_a_day_without_data_is_said(stores: Stores, day: str, said: str) -> None:
    put_nav(stores, "alpha", [100.0, 101.0, 102.0])
    assert said in text(build(stores, Choices.of({"asof": day}), OPERATOR).slots["portfolio-notes"])


def test_weekly_and_monthly_returns_compound_to_the_same_total(stores: Stores) -> None:
    put_nav(stores, "alpha", [100.0 * 1.001**day * (1.02 if day % 3 else 1.0) for day in range(300)])
    daily = shown(stores)
    for frequency, periods in (("W", 52), ("M", 12)):
        found = shown(stores, frequency=frequency)
        assert found.periods == periods
        assert found.part.index[-1] == pytest.approx(daily.part.index[-1])
        assert len(found.part) < len(daily.part) / 3


def test_six_others_at_most_are_compared_on_the_days_of_the_chosen(stores: Stores) -> None:
    for number in range(8):
        put_nav(stores, f"p{number}", [100.0, 101.0 + number, 102.0, 103.0][: 4 - number % 2])
    keys = ",".join(f"own:p{number}" for number in (*range(1, 8), 0))
    found = shown(stores, portfolio="own:p0", compare=keys)
    assert [line.name for line in found.compared] == [f"P{number}" for number in range(1, 7)]
    told = text(build(stores, Choices.of({"portfolio": "own:p0", "compare": keys}), OPERATOR).slots["portfolio-notes"])
    assert "six at most" in told
    assert [len(line.part) for line in found.compared] == [3, 4] * 3
    assert "own:p0" not in [line.key for line in shown(stores, portfolio="own:p0", compare="own:p0,own:x").compared]


def test_the_fund_s_tree_is_indented_and_survives_a_circle() -> None:
    known = [
        Portfolio("own", "equity", "Equity", parent="fund"),
        Portfolio("own", "fund", "Fund"),
        Portfolio("own", "long", "Long", parent="equity"),
        Portfolio("own", "lost", "Lost", parent="nobody"),
        Portfolio("own", "egg", "Egg", parent="hen"),
        Portfolio("own", "hen", "Hen", parent="egg"),
    ]
    labels = [text for _, text in tree(known)]
    assert labels == ["Fund", f"{INDENT}Equity", f"{INDENT * 2}Long", "Lost", "Egg", f"{INDENT}Hen"]


def test_the_first_of_the_tree_is_the_default(stores: Stores) -> None:
    put_portfolios(stores.state, [Portfolio("own", "fund", "Fund"), Portfolio("own", "part", "Part", parent="fund")])
    assert "'default': 'own:fund'" in str(plain(bar(stores, Choices(), None)))


def test_a_restated_value_leaves_a_mark_on_the_page(stores: Stores) -> None:
    put_nav(stores, "alpha", [100.0, 101.0, 102.0])
    names = ("origin", "portfolio", "ts", "was", "now", "flow_was", "flow_now", "at", "source", "version")
    row = ("own", "alpha", START + DAY, 99.0, 101.0, 0.0, 0.0, (START + 5 * DAY) * 1000, "nav.csv", 1)
    stores.clickhouse.insert(Facts("nav_restatements", names, tuple([value] for value in row)))
    assert "2024-01-02: 99.00 → 101 USD, by nav.csv" in text(notes(shown(stores)))
    assert notes(shown(stores, asof="2024-01-01")) == []


def test_the_last_day_is_shown_in_its_course_without_the_money_that_came_in(stores: Stores) -> None:
    put_nav(stores, "alpha", [100.0, 200.0])
    points = [(START + DAY + hour * 3600, 100.0 + hour + (50 if hour >= 3 else 0), 50.0 if hour == 3 else 0.0)
              for hour in range(1, 6)]  # fmt: skip
    ts, nav, flow = (list(column) for column in zip(*points, strict=True))
    names = ("origin", "portfolio", "ts", "nav", "flow", "version")
    stores.clickhouse.insert(Facts("nav", names, (["own"] * 5, ["alpha"] * 5, ts, nav, flow, [1] * 5)))
    stores.live.bump("portfolio")
    found = shown(stores, window="1D").intraday
    assert found is not None
    assert found.values[:4] == pytest.approx([1.0, 2.0, 1.01, 1.02])
    # 50 came in at 3 o'clock, when 102 were there; it grew with the rest.
    assert found.values[-3:] == pytest.approx([1.02 * (153 / 152), 1.02 * (154 / 152), 1.02 * (155 / 152)])
    assert day_return(shown(stores)).own == pytest.approx(found.values[-1] - 1)
    assert shown(stores, window="MTD").intraday is None


def test_a_file_that_changes_a_value_is_told_with_its_name(stores: Stores) -> None:
    header = b"date,portfolio,nav,flow\n"
    take(stores, "first.csv", header + b"2023-01-02,alpha,100,0\n2023-01-03,alpha,99,0\n")
    assert notes(shown(stores)) == []
    take(stores, "second.csv", header + b"2023-01-03,alpha,101,0\n")
    found = shown(stores)
    assert "2023-01-03: 99.00 → 101 USD, by second.csv" in text(notes(found))
    assert found.part.index.tolist() == pytest.approx([1.0, 1.01])
