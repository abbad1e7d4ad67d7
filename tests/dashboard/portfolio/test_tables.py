"""Headline figures, tables and files of the Portfolio tab: the right numbers, and a reason where there is none."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson
import pytest
from dash import html
from flask.testing import FlaskClient

from dashboard.components.markup import markup
from dashboard.export import xlsx
from dashboard.portfolio.cards import Headline, headlines
from dashboard.portfolio.choice_bar import lines
from dashboard.portfolio.fragments import FRAGMENTS, metrics_csv, metrics_workbook
from dashboard.portfolio.metric_tables import said
from dashboard.portfolio.month_table import heat_table
from dashboard.portfolio.tables import drawdown_table
from dashboard.tabs.portfolio import TAB, build
from dashboard.views.serialize import Prepared, prepare
from dashboard.views.tab import Choices
from portfolio.summary import ALL_METRICS, side_by_side
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.dashboard.portfolio.test_tab import put_nav, put_prices, shown
from tests.support.application import create_app
from tests.support.views import OPERATOR, text
from tests.support.workbooks import opened


def course(count: int, seed: int = 3) -> list[float]:
    steps = np.random.default_rng(seed).normal(0.0006, 0.01, count - 1)
    return [100.0, *(100 * np.cumprod(1 + steps)).tolist()]


@pytest.fixture
def fund(stores: Stores) -> Stores:
    put_nav(stores, "alpha", course(600), origin="sample")
    put_prices(stores, course(600, seed=4))
    return stores


@pytest.fixture
def client(stores: Stores) -> Iterator[FlaskClient]:
    yield create_app(stores, pages=(TAB,)).server.test_client()


def payload_of(prepared: Prepared) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(orjson.dumps(prepared.payload()))
    return found


def headline(stores: Stores, id: str, **choices: str) -> Headline:
    return next(each for each in headlines(shown(stores, **choices)) if each.id == id)


@pytest.mark.parametrize(
    "id", ["annual", "volatility", "sharpe", "sortino", "value-at-risk", "expected-shortfall", "beta"]
)
def test_an_estimate_lies_within_its_interval(fund: Stores, id: str) -> None:
    found = headline(fund, id)
    interval = next(line for line in found.lines if line.startswith("95 % CI "))
    ends = interval.removeprefix("95 % CI ").split("…")
    low, high = (float(re.sub(r"[^\d.-]", "", end.replace("−", "-"))) for end in ends)
    assert low < float(re.sub(r"[^\d.-]", "", found.value.replace("−", "-"))) < high


def test_a_figure_says_what_it_was_the_day_before_and_what_the_benchmark_s_is(fund: Stores) -> None:
    today, yesterday = headline(fund, "sharpe"), headline(fund, "sharpe", asof="2025-08-21")
    change = next(line for line in today.lines if line.startswith("on the day: "))
    said = float(change.split()[-1].replace("−", "-").replace("+", ""))
    exact = [side_by_side(shown(fund, asof=day)).of("sharpe") for day in ("2025-08-22", "2025-08-21")]
    assert str(shown(fund).last_day) == "2025-08-22"
    assert said == pytest.approx(exact[0] - exact[1], abs=0.006)
    assert today.value != "n/a" and yesterday.value != "n/a"
    assert any(line.startswith("S&P 500 ") for line in today.lines)


def test_a_figure_that_cannot_be_told_says_why(stores: Stores) -> None:
    put_nav(stores, "alpha", [100.0] * 30)
    found = headline(stores, "sharpe")
    assert (found.value, found.lines[0]) == ("n/a", "the returns never vary")
    table = markup(FRAGMENTS["metrics"](shown(stores)))
    assert re.search(r'title="the returns never vary"[^>]*>n/a<', table)
    assert "nan" not in table.lower()


def test_a_risk_free_rate_lowers_the_sharpe_ratio(fund: Stores) -> None:
    plain, dear = (side_by_side(shown(fund, rf=rate)).of("sharpe") for rate in ("0", "5"))
    volatility = side_by_side(shown(fund)).of("volatility")
    assert plain - dear == pytest.approx(365 * (1.05 ** (1 / 365) - 1) / volatility)


def test_those_compared_have_a_line_on_each_card_and_their_own_drawdowns_and_months(fund: Stores) -> None:
    put_nav(fund, "beta", course(600, seed=9), origin="sample")
    choices = {"portfolio": "sample:alpha", "compare": "sample:beta"}
    alone = {each.id: each for each in headlines(shown(fund, portfolio="sample:beta"))}
    for each in headlines(shown(fund, **choices)):
        if each.id != "value":
            assert f"Beta {alone[each.id].value}" in each.lines, each.id
    other = shown(fund, **choices, line="sample:beta")
    for draw in (drawdown_table, heat_table):
        assert text(draw(other)) == text(draw(shown(fund, portfolio="sample:beta")))
        assert text(draw(other)) != text(draw(shown(fund, **choices)))
    assert [button.children for button in lines(other)] == ["Alpha", "Beta"]
    assert not lines(shown(fund, portfolio="sample:alpha"))


def test_the_last_column_of_the_months_is_the_relative_return(fund: Stores) -> None:
    found = shown(fund)
    rows = re.findall(r"<tr>(.*?)</tr>", markup(heat_table(found)))[1:]
    for row in rows:
        own, relative = (float(each.replace("−", "-")) for each in re.findall(r">([−\d.]+)</td>", row)[-2:])
        said = re.search(r'title="S&amp;P 500 ([+−][\d.]+) %"', row)
        assert said is not None
        assert relative == pytest.approx(own - float(said[1].replace("−", "-")), abs=0.11)


def test_capture_without_a_benchmark_is_empty_and_has_no_age(stores: Stores) -> None:
    put_nav(stores, "alpha", course(60))
    view = build(stores, Choices(), OPERATOR)
    assert view.as_of["portfolio-captures"] is None
    assert view.notes["portfolio-captures"] == "Choose a benchmark to see capture ratios."


def test_compared_portfolios_and_the_benchmark_stand_side_by_side(fund: Stores) -> None:
    put_nav(fund, "beta", course(600, seed=9), origin="sample")
    found = shown(fund, portfolio="sample:alpha", compare="sample:beta")
    rows = list(csv.reader(io.StringIO(metrics_csv(found).decode("utf-8-sig"))))
    assert rows[0] == ["Metric", "Group", "Unit", "Alpha", "Beta", "S&P 500", "Definition", "Note"]
    by_name = {row[0]: row for row in rows}
    alone = side_by_side(shown(fund, portfolio="sample:beta")).of("volatility")
    assert float(by_name["Volatility"][4]) == pytest.approx(alone)
    assert by_name["Tracking error"][5] in ("", "0.0"), "the benchmark does not part from itself"
    assert len(rows) > 80


def test_units_say_what_the_files_hold(fund: Stores) -> None:
    """A percent of a page is a ratio in a file, and returns in a row are counted, not days of the calendar."""
    found = shown(fund, portfolio="sample:alpha")
    by_name = {row[0]: row for row in csv.reader(io.StringIO(metrics_csv(found).decode("utf-8-sig")))}
    assert [by_name[each][2] for each in ("Volatility", "Sharpe", "Longest drawdown")] == ["ratio", "ratio", "values"]
    assert "percent" not in {row[2] for row in by_name.values()}
    rows = {row[0].value: row for row in opened(metrics_workbook(found))["Metrics"].rows}
    assert rows["Volatility"][2].value == "ratio" and rows["Longest drawdown"][2].value == "values"
    metric = next(each for each in ALL_METRICS if each.key == "minimum_track_record")
    assert (said(metric, 110.96, found), said(metric, 12.34, found)) == ("111 values", "12.3 values")


def test_the_workbook_holds_the_same_numbers(fund: Stores) -> None:
    found = shown(fund, rf="2")
    book = opened(metrics_workbook(found))
    assert list(book) == ["Metrics", "About"]
    rows = {row[0].value: row for row in book["Metrics"].rows}
    assert [cell.value for cell in rows["Metric"]] == [
        "Metric",
        "Group",
        "Unit",
        "Alpha",
        "S&P 500",
        "Definition",
        "Note",
    ]
    assert all(cell.is_bold for cell in rows["Metric"])
    assert not any(cell.is_bold for cell in rows["Volatility"])
    volatility, sharpe = rows["Volatility"][3], rows["Sharpe"][3]
    for cell, key, look in ((volatility, "volatility", "0.00%"), (sharpe, "sharpe", "0.00")):
        assert cell.value == pytest.approx(side_by_side(found).of(key), rel=1e-14)
        assert cell.number_format == look
    for sheet in book.values():
        assert sheet.frozen_rows == 1
        assert all(8 <= width <= 49 for width in sheet.widths)
    about = {row[0].value: row[1].value for row in book["About"].rows}
    assert (about["Portfolio"], about["Risk-free rate"]) == ("Alpha", "2.00 % a year, as typed")


def test_a_workbook_takes_hostile_texts_and_missing_numbers() -> None:
    rows: xlsx.Rows = [
        ["<&\x01\ud800>", "n"], ["=1+1", float("nan")], [None, xlsx.Percent(0.5)], ["http://a.b", float("inf")],
        ["@x", 7],
    ]  # fmt: skip
    made = xlsx.workbook({"Hostile": rows})
    book = opened(made)
    assert [[cell.value for cell in row] for row in book["Hostile"].rows] == [
        ["<&>", "n"], ["=1+1"], [0.5], ["http://a.b"], ["@x", 7.0]
    ]  # fmt: skip
    files = zipfile.ZipFile(io.BytesIO(made))
    sheet = files.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet and b"hyperlink" not in sheet, "no text is a formula or a link"
    assert not any("_rels/sheet" in name for name in files.namelist())


def test_the_workbook_s_library_is_loaded_when_a_workbook_is_made() -> None:
    code = "import sys, dashboard.export.xlsx, dashboard.portfolio.fragments; sys.exit('xlsxwriter' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_names_cannot_become_markup_or_formulas(stores: Stores, client: FlaskClient) -> None:
    put_nav(stores, "evil", [100.0, 101.0, 102.0])
    put_portfolios(stores.state, [Portfolio("own", "evil", "=<img src=x onerror=alert(1)>")])
    answer = client.get("/portfolio/fragment/parts").get_data(as_text=True)
    assert "<img" not in answer
    assert "&lt;img" in answer
    assert "'=<img" in client.get("/portfolio/metrics.csv").get_data(as_text=True)
    assert markup(html.Div("a", title='"><b>')) == '<div title="&#34;&gt;&lt;b&gt;">a</div>'


def test_fragments_are_answered_for_the_choices_in_the_address(fund: Stores, client: FlaskClient) -> None:
    for name in FRAGMENTS:
        answer = client.get(f"/portfolio/fragment/{name}?window=1Y&benchmark=SP500")
        assert answer.status_code == 200
        assert answer.get_data(as_text=True).startswith("<div")
    assert client.get("/portfolio/fragment/nothing").status_code == 404
    whole = client.get("/portfolio/fragment/extremes").get_data(as_text=True)
    assert whole != client.get("/portfolio/fragment/extremes?window=MTD").get_data(as_text=True)
    workbook = client.get("/portfolio/metrics.xlsx")
    assert workbook.mimetype == xlsx.MIME
    assert 'filename="metrics.xlsx"' in workbook.headers["Content-Disposition"]


def test_without_a_portfolio_there_is_no_file(client: FlaskClient) -> None:
    assert client.get("/portfolio/metrics.csv").status_code == 404


def test_best_and_worst_returns_with_the_benchmark_s_then(stores: Stores) -> None:
    put_nav(stores, "alpha", [100.0, 110.0, 99.0, 99.0, 104.0], origin="sample")
    put_prices(stores, [50.0, 51.0, 51.0, 51.0, 51.0])
    table = text(FRAGMENTS["extremes"](shown(stores)))
    assert "2024-01-02 +10.0 % +2.00 % 2024-01-03 −10.0 % 0.00 %" in table
    assert "2024-01-04" not in table, "a day without change is neither"


def test_the_parts_of_a_fund_share_its_value(stores: Stores) -> None:
    for id, values in (("fund", [100.0, 110.0]), ("equity", [60.0, 66.0]), ("bonds", [40.0, 44.0])):
        put_nav(stores, id, values)
    put_portfolios(
        stores.state,
        [Portfolio("own", "fund", "Fund"), *(Portfolio("own", id, id, parent="fund") for id in ("equity", "bonds"))],
    )
    for chosen in ("own:fund", "own:equity"):
        table = text(FRAGMENTS["parts"](shown(stores, portfolio=chosen)))
        for share in ("Fund 110 100.0 %", "equity 66.00 60.0 %", "bonds 44.00 40.0 %"):
            assert share in table


def test_years_are_compounded_months(fund: Stores) -> None:
    found = shown(fund)
    rows = markup(FRAGMENTS["months"](found)).split("<tr>")[2:]
    for row in rows:
        months = [
            float(text.rstrip(" %").replace("−", "-")) / 100 for text in re.findall(r'title="([+−]?[\d.]+ %)"', row)
        ]
        *months, total = months
        assert np.prod([1 + month for month in months]) - 1 == pytest.approx(total, abs=0.002)


def test_the_clicked_drawdown_is_marked_and_a_second_click_takes_it_back(stores: Stores) -> None:
    from dashboard.portfolio.tables import drawdown_table

    put_nav(stores, "alpha", [100.0, 90.0, 100.0, 80.0, 101.0])
    table = markup(drawdown_table(shown(stores, highlight="2024-01-03")))
    buttons = re.findall(r'aria-pressed="(\w+)"[^>]*>([\d-]+)<', table)
    assert buttons == [("true", "2024-01-03"), ("false", "2024-01-01")]
    assert "{&#34;highlight&#34;: null}" in table


def test_a_figure_below_the_first_screen_is_fetched_and_only_named_again_when_it_changed(
    fund: Stores, client: FlaskClient
) -> None:
    choices = Choices.of({"window": "1Y"})
    view = build(fund, choices, OPERATOR)
    first, again = (payload_of(prepare(TAB, choices, version, view)) for version in ("1", "2"))
    there = first["figures"]["portfolio-years-graph"]
    assert there == again["figures"]["portfolio-years-graph"]
    assert "data" in first["figures"]["portfolio-growth-graph"], "the first screen needs no second question"
    figure = client.get(there["lazy"]).get_json()
    assert figure["data"][0]["type"] == "bar"
    other = prepare(TAB, Choices(), "1", build(fund, Choices(), OPERATOR))
    graph = "portfolio-distribution-graph"
    assert payload_of(other)["figures"][graph] != first["figures"][graph]
    assert client.get("/figure/portfolio/nothing").status_code == 404
    assert client.get("/figure/nothing/portfolio-years-graph").status_code == 404


def test_a_short_window_does_not_hide_the_returns_of_longer_periods(fund: Stores) -> None:
    short, whole = (side_by_side(shown(fund, window=window)) for window in ("MTD", "ITD"))
    for key in ("return_ytd", "return_1y"):
        assert np.isfinite(short.of(key))
        assert short[key] == pytest.approx(whole[key])
    assert short.of("observations") < whole.of("observations")
