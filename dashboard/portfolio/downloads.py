"""The data of the charts that draw only as many days as there are pixels, in full: a CSV file each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from access.viewer import EXPORTING_ROLE, Viewer
from analytics.performance import drawdowns
from core.csv_file import csv_file, harmless
from dashboard.charts.days import on_days, texts
from dashboard.views.route import CSV, Answer, Route
from dashboard.views.tab import Choices
from portfolio.backtest import MEMORY, forecast
from portfolio.data import PortfolioData
from portfolio.query import PortfolioQuery
from portfolio.reading import read
from portfolio.rolling import rolling, span_name

if TYPE_CHECKING:
    from storage.stores import Stores

PATH = "/portfolio/chart"
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers by day; NaN where there is none. Names say the unit."""

    days: NDArray[np.datetime64]
    columns: dict[str, Floats]


def growth_table(data: PortfolioData) -> Table:
    """Return every day of the window: growth, drawdown, flow and rolling figures, then growth of the other lines."""
    days = data.part.dates
    columns = {
        f"{data.own.name}, growth of 100": 100 * data.part.index,
        "drawdown, ratio": drawdowns(data.part),
        f"flow since the day before, {data.portfolio.currency or 'money'}": _flows(data),
    }
    if len(days):
        found, called = rolling(data.own, data), span_name(data)
        columns[f"Sharpe ratio of {called}"] = on_days(data.whole.dates, found.sharpe, days)
        columns[f"volatility of {called} a year, ratio"] = on_days(data.whole.dates, found.volatility, days)
        if found.beta is not None:
            columns[f"beta of {called} to {data.benchmark_name}"] = on_days(data.whole.dates, found.beta, days)
    for line in (*([data.benchmark] if data.benchmark else []), *data.compared):
        columns[f"{line.name}, growth of 100"] = on_days(line.part.dates, 100 * line.part.index, days)
    return Table(days, columns)


def backtest_table(data: PortfolioData) -> Table:
    """Return every return of the window beside the VaR before it."""
    days = data.part.dates[1:]
    name = f"VaR {data.query.confidence_name} of the {MEMORY[data.frequency]} previous returns, ratio"
    warned = on_days(data.whole.dates, forecast(data), days)
    returns = data.part.returns[1:]
    exceeded = np.where(np.isnan(warned) | np.isnan(returns), np.nan, returns < -warned)
    return Table(days, {"return, ratio": returns, name: warned, "exceedance": exceeded})


TABLES: dict[str, Callable[[PortfolioData], Table]] = {"growth": growth_table, "backtest": backtest_table}
"""By key of the chart."""


def as_csv(table: Table) -> bytes:
    """Return a table as CSV with ten significant digits, an empty cell where there is no number."""
    written = [["" if value != value else f"{value:.10g}" for value in column] for column in table.columns.values()]
    return csv_file([["date", *map(harmless, table.columns)], *zip(texts(table.days), *written, strict=True)])


def routes(stores: Stores) -> list[Route]:
    """Return the route of the files."""

    def chart_data(choices: Choices, viewer: Viewer, name: str) -> Answer | None:
        make = TABLES.get(name)
        if make is None:
            return None
        data = read(stores, PortfolioQuery.parse(choices)[0], viewer.portfolios)
        return Answer(as_csv(make(data)), CSV, f"portfolio-{name}.csv")

    return [Route(f"{PATH}/<name>.csv", chart_data, EXPORTING_ROLE)]


def _flows(data: PortfolioData) -> Floats:
    """Return the money that came in since the day before of the window, by day; a week's or month's on its last."""
    nav, days = data.nav, data.part.dates
    found = np.zeros(len(days))
    if not len(days):
        return found
    inside = np.flatnonzero((nav.dates > days[0]) & (nav.dates <= days[-1]))
    np.add.at(found, np.searchsorted(days, nav.dates[inside]), nav.flow[inside])
    return found
