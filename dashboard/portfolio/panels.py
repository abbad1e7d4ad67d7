"""The charts of the Portfolio tab: their panels, and all of them drawn for one set of choices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dash import html

from dashboard.charts.drawn import Drawn
from dashboard.components.choices import choice_button
from dashboard.portfolio.charts.backtest import value_at_risk_backtest
from dashboard.portfolio.charts.capture import captures
from dashboard.portfolio.charts.contribution import contributions
from dashboard.portfolio.charts.correlation import correlation
from dashboard.portfolio.charts.distribution import distribution
from dashboard.portfolio.charts.performance import Scale, growth_and_drawdown
from dashboard.portfolio.charts.years import years
from dashboard.portfolio.downloads import PATH as DOWNLOADS
from dashboard.views.panel import GraphBody, Panel
from dashboard.views.tab import Choices
from portfolio.data import PortfolioData

TAB = "portfolio"
SCALE_SLOT = "portfolio-scale"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart's panel and how it is drawn."""

    key: str
    title: str
    definition: str
    height: int
    narrow_height: int
    span: int
    draw: Callable[[PortfolioData, Choices], Drawn]
    subtitle: str = ""
    """Empty: what the chart says of itself."""
    is_thinned: bool = False
    """Drawn to the pixel: its data in full is a download."""

    @property
    def panel(self) -> str:
        """Return the id of the panel."""
        return f"{TAB}-{self.key}"

    @property
    def graph(self) -> str:
        """Return the id of the graph."""
        return f"{self.panel}-graph"

    @property
    def said(self) -> str:
        """Return the id of the slot beside the title."""
        return f"{self.panel}-said"


@dataclass(frozen=True, slots=True)
class Charts:
    """All charts as drawn, for a View. A note is empty for a chart that is not: that takes a former one back."""

    figures: dict[str, dict[str, Any]]
    slots: dict[str, Any]
    notes: dict[str, str]
    empty: frozenset[str]
    """Panels that have nothing to show; their note says why."""


def scale_of(choices: Choices) -> Scale:
    """Return the scale of the growth chart."""
    return "log" if choices.get("scale") == "log" else "linear"


def _growth(data: PortfolioData, choices: Choices) -> Drawn:
    if not len(data.part):
        return Drawn(note="Needs a value in the window.")
    return Drawn(growth_and_drawdown(data, scale_of(choices)))


CHARTS = (
    Chart(
        "growth", "Growth of 100",
        "Index of time-weighted returns, 100 on the first day shown (a line that begins later: on its own first day). "
        "Below: drawdown from the running maximum, and rolling Sharpe ratio, volatility and beta. Expected maximum: "
        "the maximum drawdown expected for this mean return, volatility and length (Magdon-Ismail & Atiya 2004). "
        "Triangles: inflows ▲ and outflows ▼. A line breaks where its history has a gap. A price benchmark excludes "
        "dividends.",
        620, 620, 8, _growth, "time-weighted, before tax", is_thinned=True,
    ),
    Chart(
        "distribution", "Return distribution",
        "Histogram of returns, red beyond VaR, and the normal curve of the same mean and standard deviation. "
        "VaR: historical quantile; ES: mean loss beyond it (Rockafellar & Uryasev 2002). Population skew and kurtosis. "
        "The outermost bars include all returns beyond them.",
        220, 200, 4, lambda data, _: distribution(data),
    ),
    Chart(
        "backtest", "VaR backtest",
        "Historical VaR, at the confidence chosen, of the returns before each period, against the return that "
        "followed. Kupiec (1995): are exceedances as frequent as expected? Christoffersen (1998): are they "
        "independent? A p-value below 0.05 rejects it. Drawn are the lowest and the highest return of each pixel.",
        220, 200, 8, lambda data, _: value_at_risk_backtest(data), is_thinned=True,
    ),
    Chart(
        "years", "Calendar-year returns, %",
        "Return of each calendar year of the whole history; the first and the current year may be incomplete.",
        220, 200, 4, lambda data, _: years(data),
    ),
    Chart(
        "capture", "Up and down capture",
        "The portfolio's annualised return over the periods in which the benchmark rose (fell), divided by the "
        "benchmark's own. Better: up above 100 %, down below 100 %.",
        160, 160, 4, lambda data, _: captures(data),
    ),
    Chart(
        "contribution", "Contribution by strategy",
        "Weight at the start of each day times the return of the day, linked over time so that the bars add up to the "
        "total (Carino 1999). Unallocated: cash, fees, and money that moved at times within a day.",
        300, 260, 4, lambda data, _: contributions(data),
    ),
    Chart(
        "correlation", "Correlation of strategies",
        "Pearson correlation of returns over the common periods in the window, 20 at least.",
        300, 300, 4, lambda data, _: correlation(data),
    ),
)  # fmt: skip
_BY_KEY = {chart.key: chart for chart in CHARTS}
CHART_GRAPHS = tuple(chart.graph for chart in CHARTS)
CHART_SLOTS = (SCALE_SLOT, *(chart.said for chart in CHARTS if not chart.subtitle))


def chart_panel(key: str) -> Panel:
    """Return the panel of a chart. Raises KeyError."""
    chart = _BY_KEY[key]
    return Panel(
        chart.panel,
        chart.title,
        chart.definition,
        GraphBody(chart.height, chart.narrow_height),
        subtitle=chart.subtitle,
        subtitle_slot="" if chart.subtitle else chart.said,
        controls_slot=SCALE_SLOT if key == "growth" else "",
        span=chart.span,
        csv=f"{DOWNLOADS}/{chart.key}.csv" if chart.is_thinned else "",
    )


CHART_PANELS = tuple(chart_panel(chart.key) for chart in CHARTS)


def draw_charts(data: PortfolioData, choices: Choices) -> Charts:
    """Return every chart for the choices."""
    drawn = {chart: chart.draw(data, choices) for chart in CHARTS}
    return Charts(
        figures={chart.graph: dict(found.figure) for chart, found in drawn.items()},
        slots={SCALE_SLOT: scale_switch(choices)}
        | {chart.said: found.subtitle for chart, found in drawn.items() if not chart.subtitle},
        notes={chart.panel: found.note for chart, found in drawn.items()},
        empty=frozenset(chart.panel for chart, found in drawn.items() if found.note),
    )


def scale_switch(choices: Choices) -> list[html.Button]:
    """Return the button that makes the growth chart logarithmic, or linear again."""
    is_log = scale_of(choices) == "log"
    changes = {"scale": None if is_log else "log"}
    return [choice_button(TAB, changes, "log", pressed=is_log, label="Logarithmic scale")]
