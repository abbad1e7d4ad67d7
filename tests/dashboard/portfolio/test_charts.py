"""The charts of the Portfolio tab: what they show is what was measured, whatever the history looks like."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson
import pytest
from dash import html
from hypothesis import given
from hypothesis import strategies as st

from core.alerts.rule import Rule
from core.format import money, percent
from core.model import Facts
from dashboard.portfolio.cards import headlines
from dashboard.portfolio.charts.backtest import extremes, value_at_risk_backtest
from dashboard.portfolio.charts.correlation import correlations
from dashboard.portfolio.charts.distribution import MOST_BARS, histogram, round_step
from dashboard.portfolio.downloads import TABLES, as_csv
from dashboard.portfolio.panels import CHART_GRAPHS, CHART_PANELS, CHART_SLOTS, Charts, chart_panel, draw_charts
from dashboard.portfolio.rule_limits import drawdown_limits, with_limits
from dashboard.views.serialize import prepare
from dashboard.views.tab import Choices, Page, View
from portfolio.allowed import Limits
from portfolio.summary import side_by_side
from sample.load import load_sample
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.dashboard.portfolio.test_tab import shown

START = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())
DAY = 86_400
Values = list[float]


def put_nav(
    stores: Stores, id: str, values: Values, flows: Values | None = None, first_day: int = 0, parent: str = ""
) -> None:
    count = len(values)
    ts = [START + (first_day + day) * DAY for day in range(count)]
    columns = ("origin", "portfolio", "ts", "nav", "flow", "version")
    data = (["own"] * count, [id] * count, ts, values, flows or [0.0] * count, [1] * count)
    if count:
        stores.clickhouse.insert(Facts("nav", columns, data))
    put_portfolios(stores.state, [Portfolio("own", id, id.title(), parent=parent, benchmark="INDEX")])
    stores.live.bump("portfolio")


def put_prices(stores: Stores, values: Values) -> None:
    count = len(values)
    ts = [START + day * DAY for day in range(count)]
    data = (["own"] * count, ["INDEX"] * count, ts, values, [1] * count)
    stores.clickhouse.insert(Facts("prices", ("origin", "instrument", "ts", "price", "version"), data))


def walk(count: int, seed: int = 1, deviation: float = 0.01) -> Values:
    steps = np.random.default_rng(seed).normal(0.0004, deviation, count)
    steps[0] = 0.0
    values: Values = (1e6 * np.cumprod(1 + steps)).tolist()
    return values


def charts(stores: Stores, **choices: str) -> Charts:
    return draw_charts(shown(stores, **choices), Choices.of(choices))


def figure(stores: Stores, key: str, **choices: str) -> dict[str, Any]:
    return charts(stores, **choices).figures[f"portfolio-{key}-graph"]


def trace(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in found["data"] if each["name"] == name)


def notes(found: dict[str, Any]) -> list[str]:
    return [each["text"] for each in found["layout"]["annotations"]]


HARD: dict[str, Values] = {
    "no value": [],
    "one day": [100.0],
    "two days": [100.0, 101.0],
    "three days": [100.0, 99.0, 102.0],
    "flat": [100.0] * 400,
    "one fall and flat": [100.0, *([90.0] * 399)],
    "total loss at once": [100.0, 0.0],
    "total loss": [*walk(400), 0.0, 0.0],
    "debt": [*walk(50), -5.0, 10.0],
    "huge": [value * 1e9 for value in walk(300, deviation=0.3)],
    "two years": walk(500),
}
CHOICES: tuple[dict[str, str], ...] = (
    {},
    {"window": "1D"},
    {"frequency": "M", "window": "1Y"},
    {"compare": "own:beside", "scale": "log", "highlight": "2020-01-01"},
)


@pytest.mark.parametrize("with_benchmark", [True, False])
def test_every_chart_has_something_sensible_for_every_history(stores: Stores, with_benchmark: bool) -> None:
    for name, values in HARD.items():
        put_nav(stores, name, values)
    put_nav(stores, "beside", walk(100, seed=2))
    if with_benchmark:
        put_prices(stores, walk(60, seed=3))
    for name in HARD:
        for choices in CHOICES:
            _is_sensible(stores, {"portfolio": f"own:{name}", **choices})


def _is_sensible(stores: Stores, choices: dict[str, str]) -> None:
    found = charts(stores, **choices)
    tab = Page(id="portfolio", title="", path="", layout=lambda *_: html.Div(), slots=CHART_SLOTS, graphs=CHART_GRAPHS)
    prepared = prepare(tab, Choices(), "1", View(figures=found.figures, slots=found.slots, notes=found.notes))
    assert orjson.loads(orjson.dumps(prepared.payload()))["figures"]
    assert set(found.notes) == {panel.id for panel in CHART_PANELS}
    for panel, note in found.notes.items():
        is_drawn = bool(found.figures[f"{panel}-graph"]["data"])
        assert bool(note) == (panel in found.empty) == (not is_drawn), f"{panel} of {choices}: {note}"
    for make in TABLES.values():
        assert as_csv(make(shown(stores, **choices)))


def test_a_lost_portfolio_leaves_the_logarithmic_scale(stores: Stores) -> None:
    put_nav(stores, "alpha", [100.0, 50.0, 0.0])
    own = trace(figure(stores, "growth", scale="log"), "Alpha")
    assert own["y"] == [100.0, 50.0, None]


def test_money_in_and_out_is_marked_where_it_moved_and_how_much(stores: Stores) -> None:
    values, flows = [100.0, 110.0, 220.0, 209.0, 100.0], [0.0, 0.0, 110.0, 0.0, -109.0]
    put_nav(stores, "alpha", values, flows)
    marks = trace(figure(stores, "growth"), "flows")
    assert marks["x"] == ["2020-01-03", "2020-01-05"]
    assert marks["marker"]["symbol"] == ["triangle-up", "triangle-down"]
    own = trace(figure(stores, "growth"), "Alpha")
    assert [said.strip(" ") for said in own["text"]] == ["", "", "· +110 USD", "", "· −109 USD"]
    assert marks["y"] == [own["y"][2], own["y"][4]]


@pytest.mark.parametrize("frequency", ["D", "W", "M"])
def test_a_flow_is_hovered_on_its_own_date_however_few_days_are_drawn(stores: Stores, frequency: str) -> None:
    values, flows = walk(7_560), [0.0] * 7_560
    flows[3_333] = 1.0
    put_nav(stores, "alpha", values, flows)
    day = np.datetime64("2020-01-01") + 3_333
    found = figure(stores, "growth", frequency=frequency)
    own = trace(found, "Alpha")
    said = {x: more for x, words in zip(own["x"], own["text"], strict=True) if (more := words.strip())}
    (shown_on, words), *others = said.items()
    assert not others
    if frequency == "D":
        assert (shown_on, words) == (str(day), "· +1.00 USD")
    else:
        assert words == f"· +1.00 USD on {day}"
        assert np.datetime64(shown_on) - day < np.timedelta64(31, "D")
    # A mark with a hover of its own would be told for every day around.
    assert trace(found, "flows")["hoverinfo"] == "skip"


def test_thirty_years_are_drawn_in_the_pixels_there_are_with_every_turning_point(stores: Stores) -> None:
    values = walk(7_560)
    values[4_001] = values[4_000] * 0.3
    put_nav(stores, "alpha", values)
    found = figure(stores, "growth")
    own, water = trace(found, "Alpha"), trace(found, "drawdown")
    assert 650 < len(own["x"]) < 800
    trough = str(np.datetime64("2020-01-01") + 4_001)
    assert trough in own["x"] and min(water["y"]) < -70
    assert any(trough in note for note in notes(found)), "the worst fall is named"
    rows = list(csv.reader(io.StringIO(as_csv(TABLES["growth"](shown(stores))).decode("utf-8-sig"))))
    assert len(rows) == 7_561
    assert rows[0][:2] == ["date", "Alpha, growth of 100"]
    assert float(rows[4_002][1]) == pytest.approx(100 * values[4_001] / values[0])


def test_a_new_day_leaves_the_drawn_days_where_they_are(stores: Stores) -> None:
    put_nav(stores, "alpha", walk(2_000))
    before = trace(figure(stores, "growth"), "Alpha")["x"]
    put_nav(stores, "alpha", walk(2_001))
    after = trace(figure(stores, "growth"), "Alpha")["x"]
    assert len(set(before) - set(after)) <= 1


def test_a_clicked_drawdown_is_shaded_from_its_peak_to_its_recovery(stores: Stores) -> None:
    put_nav(stores, "alpha", [100.0, 120.0, 90.0, 100.0, 130.0, 128.0])
    shades = [
        shape for shape in figure(stores, "growth", highlight="2020-01-02")["layout"]["shapes"] if shape.get("name")
    ]
    assert [(shade["x0"], shade["x1"]) for shade in shades] == [
        ("2020-01-02", "2020-01-03"),
        ("2020-01-03", "2020-01-05"),
    ]
    unknown = figure(stores, "growth", highlight="2020-01-01")["layout"]["shapes"]
    assert not [shape for shape in unknown if shape.get("name")]


def test_today_is_placed_among_the_days_under_water(stores: Stores) -> None:
    put_nav(stores, "alpha", [100.0, 98.0, 90.0, 100.0, 99.0, 95.0])
    assert any(text.startswith("Underwater · deeper than 80 % of days") for text in notes(figure(stores, "growth")))


def test_compared_lines_begin_at_100_in_the_window_and_have_their_own_colour(stores: Stores) -> None:
    put_nav(stores, "alpha", walk(400))
    put_nav(stores, "beta", walk(400, seed=2))
    put_nav(stores, "late", walk(100, seed=3), first_day=300)
    found = figure(stores, "growth", portfolio="own:alpha", compare="own:beta,own:late", window="1Y")
    lines = [trace(found, name) for name in ("Alpha", "Beta", "Late")]
    assert [line["y"][0] for line in lines] == [100.0] * 3
    assert len({line["line"]["color"] for line in lines}) == 3
    assert lines[2]["x"][0] == "2020-10-27"


def test_a_benchmark_that_ends_earlier_ends_on_the_chart_and_is_named(stores: Stores) -> None:
    put_nav(stores, "alpha", walk(2_500))
    put_prices(stores, walk(2_000, seed=3))
    found = figure(stores, "growth")
    other = trace(found, "INDEX")
    assert other["x"][-1] == str(np.datetime64("2020-01-01") + 1_999)
    assert any(text.startswith("INDEX ") for text in notes(found))
    beta = trace(found, "beta to INDEX")
    assert beta["y"][-1] is None and any(value is not None for value in beta["y"])


def test_rolling_figures_reach_back_beyond_the_window(stores: Stores) -> None:
    put_nav(stores, "alpha", walk(500))
    sharpe = trace(figure(stores, "growth", window="MTD"), "Sharpe ratio")
    assert None not in sharpe["y"]
    returns = shown(stores).whole.returns[-63:]
    assert sharpe["y"][-1] == pytest.approx(returns.mean() / returns.std(ddof=1) * np.sqrt(365), abs=0.006)


def test_the_rolling_window_and_the_confidence_are_those_chosen_and_named_wherever_they_count(stores: Stores) -> None:
    put_nav(stores, "alpha", walk(500))
    found = figure(stores, "growth", rolling="21")
    assert any(said.startswith("Rolling 21 days: ") for said in notes(found))
    returns = shown(stores).whole.returns[1:]
    expected = returns[-21:].mean() / returns[-21:].std(ddof=1) * np.sqrt(365)
    assert trace(found, "Sharpe ratio")["y"][-1] == pytest.approx(expected, abs=0.006)
    by_id = {each.id: each for each in headlines(shown(stores, confidence="99"))}
    loss = -float(np.quantile(returns, 0.01))
    var = by_id["value-at-risk"]
    assert (var.title, var.value) == ("VaR 99 %", percent(loss))
    assert var.lines[0] == f"{money(loss * shown(stores).nav.value[-1], 'USD')} in a day"
    assert by_id["expected-shortfall"].title == "ES 99 %"
    (metric,) = [each for each in side_by_side(shown(stores, confidence="99")).metrics if each.key == "value_at_risk"]
    assert metric.title == "VaR 99 %" and "that 1 % of the returns exceed" in metric.definition
    assert "VaR 99 %" in value_at_risk_backtest(shown(stores, confidence="99")).subtitle
    assert any("VaR 99 %" in said for said in notes(figure(stores, "distribution", confidence="99")))


def test_the_hover_of_growth_has_the_value_in_full(stores: Stores) -> None:
    put_nav(stores, "alpha", [12_412_345.67, 12_400_000.5])
    line = trace(figure(stores, "growth"), "Alpha")
    assert line["hover"] == {
        "customdata": [12_412_345.67, 12_400_000.5],
        "hovertemplate": "%{y:.2f} · %{customdata:,.2f} USD%{text}",
    }


@given(st.lists(st.floats(-60, 60), min_size=20, max_size=400), st.floats(0.01, 100))
def test_a_histogram_holds_every_return_and_no_bar_mixes_gains_and_losses(values: list[float], scale: float) -> None:
    percent = np.round(np.array(values) * scale / 60, 6)
    if np.ptp(percent) < 1e-3:
        return
    found = histogram(percent)
    assert found.counts.sum() == len(percent)
    assert len(found.counts) <= MOST_BARS
    assert not ((found.edges[:-1] < -1e-9) & (found.edges[1:] > 1e-9)).any()


@given(st.floats(1e-6, 1e6))
def test_a_bar_is_as_wide_as_a_round_number(width: float) -> None:
    step = round_step(width)
    assert width * (1 - 1e-9) <= step <= 2.51 * width
    assert float(f"{step:.0e}").hex() == step.hex() or f"{step:.1e}".startswith("2.5")


def test_the_distribution_shows_the_losses_beyond_value_at_risk(stores: Stores) -> None:
    put_nav(stores, "alpha", walk(600))
    found = figure(stores, "distribution")
    bars = found["data"][0]
    assert sum(bars["y"]) == 599
    assert any(text.startswith("VaR 95 %") for text in notes(found))
    red = [x for x, color in zip(bars["x"], bars["marker"]["color"], strict=True) if color.startswith("@loss")]
    line = found["layout"]["shapes"][0]["x0"]
    assert red and all(x < line for x in red)


def test_every_exceedance_is_drawn_and_counted(stores: Stores) -> None:
    put_nav(stores, "alpha", walk(3_000))
    found = charts(stores)
    marks = trace(found.figures["portfolio-backtest-graph"], "exceedance")
    said = found.slots["portfolio-backtest-said"]
    counts = f"{len(marks['x'])} exceedances, {0.05 * (2_999 - 252):.1f} expected: fits"
    assert said.startswith(f"one-day-ahead VaR 95 % of 252 days · {counts}")
    table = TABLES["backtest"](shown(stores))
    assert np.nansum(table.columns["exceedance"]) == len(marks["x"])
    assert len(table.days) == 2_999


def test_value_at_risk_is_told_from_the_days_before_alone(stores: Stores) -> None:
    values = walk(600)
    put_nav(stores, "calm", values)
    put_nav(stores, "crash", [*values[:-1], values[-2] * 0.5])
    last = [TABLES["backtest"](shown(stores, portfolio=f"own:{name}")).columns.values() for name in ("calm", "crash")]
    (_, calm, _), (_, crash, exceeded) = last
    assert calm[-1] == crash[-1]
    assert exceeded[-1] == 1


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=3_000))
def test_thinned_returns_keep_the_worst_and_the_best(returns: list[float]) -> None:
    values = np.array(returns)
    kept = values[extremes(values, 50)]
    assert (kept.min(), kept.max()) == (values.min(), values.max())
    assert len(kept) <= max(102, min(len(values), 100))


def test_contributions_add_up_to_the_return_of_the_whole(stores: Stores) -> None:
    one, two = walk(300), walk(300, seed=2)
    put_nav(stores, "fund", [a + b for a, b in zip(one, two, strict=True)])
    put_nav(stores, "one", one, parent="fund")
    put_nav(stores, "two", two, parent="fund")
    bars = figure(stores, "contribution", portfolio="own:fund")["data"][0]
    assert sorted(bars["y"][:-1]) == ["One", "Two"] and bars["y"][-1] == "Total"
    assert sum(bars["x"][:-1]) == pytest.approx(bars["x"][-1], abs=0.002)
    assert bars["x"][-1] == pytest.approx(100 * ((one[-1] + two[-1]) / (one[0] + two[0]) - 1), abs=0.001)


def test_two_hundred_strategies_stay_readable_and_still_add_up(stores: Stores) -> None:
    from tests.support.many import insert_many

    insert_many(stores, 200, years=1)
    found = charts(stores, portfolio="own:p000")
    bars = found.figures["portfolio-contribution-graph"]["data"][0]
    assert len(bars["y"]) <= 16 and any(name.endswith(" others") for name in bars["y"])
    assert sum(bars["x"][:-1]) == pytest.approx(bars["x"][-1], abs=0.02)
    heat = found.figures["portfolio-correlation-graph"]["data"][0]
    assert len(heat["x"]) == 20
    assert "the 20 largest of 199" in found.slots["portfolio-correlation-said"]


def test_correlations_are_those_of_the_days_a_pair_shares() -> None:
    random = np.random.default_rng(5)
    returns = random.normal(0, 0.01, (4, 300)) + random.normal(0, 0.01, 300)
    returns[1, :250] = np.nan
    returns[2, 290:] = np.nan
    returns[3, 15:] = np.nan
    found = correlations(returns)
    assert found[0, 2] == pytest.approx(np.corrcoef(returns[0, :290], returns[2, :290])[0, 1])
    assert found[1, 2] == pytest.approx(np.corrcoef(returns[1, 250:290], returns[2, 250:290])[0, 1])
    assert np.isnan(found[3, 0]), "fifteen common days are too few"


def test_years_are_those_of_the_calendar_beside_the_benchmark(stores: Stores) -> None:
    put_nav(stores, "alpha", [100.0] * 366 + [110.0] * 365)
    put_prices(stores, [50.0] * 366 + [45.0] * 100)
    own, other = figure(stores, "years")["data"]
    assert own["x"] == ["2020", "2021"]
    assert own["y"] == [0.0, 10.0]
    assert other["y"] == [0.0, -10.0]


def test_the_switch_says_which_scale_is_on_and_the_panel_where_its_data_is(stores: Stores) -> None:
    put_nav(stores, "alpha", walk(50))
    buttons = [
        charts(stores, **choices).slots["portfolio-scale"][0].to_plotly_json()["props"]
        for choices in ({}, {"scale": "log"})
    ]
    assert [button["aria-pressed"] for button in buttons] == ["false", "true"]
    assert [button["data-choose"] for button in buttons] == ['{"scale": "log"}', '{"scale": null}']
    assert chart_panel("growth").element().to_plotly_json()["props"]["data-csv"] == "/portfolio/chart/growth.csv"


def test_a_day_with_several_values_is_drawn_in_its_course_from_the_close_before(stores: Stores) -> None:
    put_nav(stores, "alpha", [90.0, 100.0])
    ts = [START + 2 * DAY + hour * 3_600 for hour in (9, 10, 11)]
    columns = ("origin", "portfolio", "ts", "nav", "flow", "version")
    data = (["own"] * 3, ["alpha"] * 3, ts, [102.0, 99.0, 101.0], [0.0] * 3, [1] * 3)
    stores.clickhouse.insert(Facts("nav", columns, data))
    stores.live.bump("portfolio")
    found = figure(stores, "growth", window="1D")
    own, water = trace(found, "Alpha"), trace(found, "drawdown")
    assert own["x"] == [START + 2 * DAY, *ts]
    assert own["y"] == [100.0, 102.0, 99.0, 101.0]
    assert water["y"][2] == pytest.approx(100 * (99 / 102 - 1), abs=0.001)
    assert trace(figure(stores, "growth", window="MTD"), "Alpha")["x"][-1] == "2020-01-03"


def test_the_drawdown_to_expect_is_a_labelled_line_unless_it_would_squash_the_chart(stores: Stores) -> None:
    put_nav(stores, "alpha", walk(2_000))
    found = figure(stores, "growth")
    (line,) = [shape for shape in found["layout"]["shapes"] if shape["yref"] == "y2"]
    assert f"expected maximum −{-line['y0']:.1f} %" in notes(found)
    assert found["layout"]["yaxis2"]["range"][0] < line["y0"]
    put_nav(stores, "beta", [98.0 if day % 2 else 100.0 for day in range(400)])
    calm = figure(stores, "growth", portfolio="own:beta")
    assert not [shape for shape in calm["layout"]["shapes"] if shape["yref"] == "y2"]
    assert any("Underwater" in text and "expected maximum" in text for text in notes(calm))


def test_a_restated_value_is_marked_on_its_day_with_what_it_was(stores: Stores) -> None:
    values = walk(2_000)
    values[1_000] = 1_234_000.0
    put_nav(stores, "alpha", values)
    day = str(np.datetime64("2020-01-01") + 1_000)
    mark = (
        "own",
        "alpha",
        START + 1_000 * DAY,
        1.2e6,
        1_234_000.0,
        0.0,
        0.0,
        (START + 3_000 * DAY) * 1_000,
        "nav.csv",
        1,
    )
    columns = ("origin", "portfolio", "ts", "was", "now", "flow_was", "flow_now", "at", "source", "version")
    stores.clickhouse.insert(Facts("nav_restatements", columns, tuple([value] for value in mark)))
    stores.live.bump("portfolio")
    found = figure(stores, "growth")
    marks = trace(found, "restated")
    assert marks["x"] == [day] and marks["hoverinfo"] == "skip"
    own = trace(found, "Alpha")
    assert own["text"][own["x"].index(day)].endswith(" · restated: 1.20 M → 1.23 M"), "the line passes through"


def test_a_rule_on_the_drawdown_of_the_window_has_its_line_on_the_way_under_water(stores: Stores) -> None:
    load_sample(stores)

    def rule(name: str, when: str, **more: str) -> Rule:
        return Rule.model_validate({"name": name, "title": f"About {name}", "when": when, **more})

    rules = (
        rule("near", 'current_drawdown{origin="sample"} < -5 %', severity="critical"),
        rule("year", 'max_drawdown{origin="sample"}[1y] < -3 %'),
        rule("own", "current_drawdown < -4 %"),
        rule("far", 'current_drawdown{origin="sample"} < -99 %'),
        rule("monthly", 'max_drawdown{origin="sample"}[itd, frequency=monthly] < -2 %'),
    )
    here = replace(stores, settings=stores.settings.model_copy(update={"rules": rules}))

    def drawn(limits: Limits = None, **choices: str) -> list[tuple[str, float]]:
        data = shown(here, **choices)
        figure = draw_charts(data, Choices()).figures["portfolio-growth-graph"]
        before = len(figure["layout"]["shapes"])
        found = with_limits(figure, drawdown_limits(here, data, limits))["layout"]
        added = found["shapes"][before:]
        assert all(each["yref"] == "y2" for each in added)
        texts = [each["text"] for each in found["annotations"] if "About" in each["text"]]
        return list(zip(texts, [each["y0"] for each in added], strict=True))

    assert drawn(window="ITD") == [("About near", -5.0)], "not those of the fund's own, nor below the row"
    assert drawn(window="1Y") == [("About year", -3.0)]
    assert drawn(window="3Y") == []
    assert drawn(frozenset({"alpha"}), window="ITD") == [], "who may not see a rule is told of none"
