"""Small tables of the Portfolio tab: worst drawdowns, best and worst returns, capture."""

from __future__ import annotations

from typing import Any

import numpy as np
from dash import html

from analytics.drawdown import Episode
from analytics.metrics import METRICS
from analytics.performance import Track, worst
from analytics.summary import Summary
from core import format as text
from dashboard.charts.days import on_days
from dashboard.components.choices import choice_button
from dashboard.components.table import Cell, Column, data_table
from portfolio.data import PortfolioData
from portfolio.summary import side_by_side

WORST = 10
EXTREMES = 10
MARK = "†"
"""Behind a figure beside which something must be known; its hint says what."""
ENDING = {"D": "Day", "W": "Week to", "M": "Month to", "Q": "Quarter to"}
CAPTURES = (
    ("up_capture", "Up", "Annualised return over the periods in which the benchmark rose, divided by the benchmark's "
     "own; it compounds those periods alone, so read it beside beta"),
    ("down_capture", "Down", "The same over the periods in which it fell: below 100 % the portfolio lost less"),
    ("up_number", "Up n", "Share of the benchmark's rising periods in which the portfolio rose"),
    ("down_number", "Down n", "Share of the benchmark's falling periods in which the portfolio fell"),
    ("batting_average", "Batting", "Batting average: share of periods in which the portfolio beat the benchmark"),
)  # fmt: skip


def drawdown_table(data: PortfolioData) -> html.Div:
    """Return the deepest drawdowns of the window, deepest first; a click on one shades it in the chart."""
    columns = [
        Column("peak", "Peak", numeric=False, definition="Last high before the fall; click to shade it in the chart"),
        Column("depth", "Depth", definition="Fall from the peak to the trough", unit="ratio"),
        Column("trough", "Trough", numeric=False, definition="Lowest day"),
        Column("recovery", "Recovery", numeric=False, definition="First day back at the peak"),
        Column("down", "Down", definition="Calendar days from the peak to the trough", plain="Days down", unit="days"),
        Column(
            "back", "Back", definition="Calendar days from the trough to the recovery", plain="Days back", unit="days"
        ),
    ]
    rows = [_drawdown_row(data, episode) for episode in worst(data.told.part, WORST)]
    table = data_table(
        "portfolio-drawdowns-data",
        columns,
        rows,
        caption="Worst drawdowns",
        stack=False,
        nothing="No drawdown: every day is a new high.",
    )
    return html.Div(table, className="fw-pick-rows")


def _drawdown_row(data: PortfolioData, episode: Episode) -> dict[str, Any]:
    part = data.told.part
    peak, trough = part.dates[max(episode.peak, 0)], part.dates[episode.trough]
    recovery = part.dates[episode.recovery] if episode.recovery is not None else None
    down = int((trough - peak).astype(int))
    back = int((recovery - trough).astype(int)) if recovery is not None else None
    is_picked = data.query.highlight == peak
    pick = choice_button("portfolio", {"highlight": None if is_picked else str(peak)}, str(peak), pressed=is_picked)
    return {
        "peak": Cell(pick, str(peak)),
        "trough": Cell(str(trough), str(trough)),
        "recovery": Cell(str(recovery) if recovery is not None else "not yet", str(recovery or "9999")),
        "depth": Cell(text.percent(episode.depth), episode.depth),
        "down": Cell(f"{down} d", down),
        "back": Cell("–" if back is None else f"{back} d", back),
    }


def extremes_table(data: PortfolioData) -> html.Div:
    """Return the best and the worst returns of the window, the benchmark's beside them."""
    part = data.part
    days = np.flatnonzero(np.isfinite(part.returns))
    ranked = days[np.argsort(part.returns[days], kind="stable")]
    down = [at for at in ranked[:EXTREMES] if part.returns[at] < 0]
    up = [at for at in ranked[::-1][:EXTREMES] if part.returns[at] > 0]
    theirs = data.benchmark
    other = on_days(theirs.part.dates, theirs.part.returns, part.dates) if theirs else None
    ending = ENDING[data.frequency]
    columns = [
        Column("up-day", f"Best · {ending.lower()}", numeric=False),
        Column("up", "Return", plain="Best return", unit="ratio"),
        *_beside("up-other", data, "Best"),
        Column("down-day", f"Worst · {ending.lower()}", numeric=False),
        Column("down", "Return", plain="Worst return", unit="ratio"),
        *_beside("down-other", data, "Worst"),
    ]
    rows = [
        {**_extreme("up", part, up, at, other), **_extreme("down", part, down, at, other)}
        for at in range(max(len(up), len(down)))
    ]
    return data_table(
        "portfolio-extremes-data", columns, rows, caption="Best and worst returns", sortable=False, stack=False,
        nothing="No return yet: the first comes with the second value.",
    )  # fmt: skip


def _beside(key: str, data: PortfolioData, side: str) -> list[Column]:
    name = data.benchmark_name
    plain = f"{side}, return of {name}"
    return (
        [Column(key, name, definition="Return of the benchmark then", plain=plain, unit="ratio")]
        if data.benchmark
        else []
    )


def _extreme(side: str, part: Track, ranked: list[Any], at: int, other: np.ndarray[Any, Any] | None) -> dict[str, Any]:
    if at >= len(ranked):
        return {f"{side}-day": "", side: "", f"{side}-other": ""}
    place = ranked[at]
    return {
        f"{side}-day": str(part.dates[place]),
        side: signed(float(part.returns[place])),
        f"{side}-other": signed(float(other[place])) if other is not None else "",
    }


def capture_table(data: PortfolioData) -> html.Div:
    """Return how much of the benchmark's rises and falls each portfolio took part in."""
    if data.benchmark is None:
        return data_table("portfolio-captures-data", [], [], nothing="Choose a benchmark to see capture ratios.")
    keys = {key for key, _, _ in CAPTURES}
    found = side_by_side(data, [metric for metric in METRICS if metric.key in keys])
    columns = [
        Column("name", "Portfolio", numeric=False),
        *[Column(key, title, definition=definition, unit="ratio") for key, title, definition in CAPTURES],
    ]
    rows = [
        {"name": line.name, **{key: figure(found, key, at) for key, _, _ in CAPTURES}}
        for at, line in enumerate(data.lines)
    ]
    return data_table("portfolio-captures-data", columns, rows, caption=f"Capture of {data.benchmark_name}")


def figure(found: Summary, key: str, at: int, unit: str = "percent") -> Cell:
    """Return the cell of a figure; one that is missing says why."""
    value = found.of(key, at)
    said = text.percent(value) if unit == "percent" else text.ratio(value)
    return marked(said, value, found.reason(key, at), found.remark(key, at))


def marked(said: str, value: float, reason: str = "", remark: str = "", tone: str = "", unit: str = "") -> Cell:
    """Return the cell of a figure, marked where something must be known beside it; its hint says what, or why none."""
    return Cell(f"{said} {MARK}" if remark else said, value, tone, hint=remark or reason, unit=unit)


def signed(value: float, reason: str = "", remark: str = "") -> Cell:
    """Return a return with its sign and tone."""
    tone = "gain" if value > 0 else "loss" if value < 0 else ""
    return marked(text.percent(value, signed=True), value, reason, remark, tone)
