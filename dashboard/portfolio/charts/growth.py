"""Growth of 100: the portfolio, its benchmark and those it is compared with, money in and out, restated values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import format as text
from core.format import NOT_AVAILABLE
from dashboard.charts.days import Places, breaks_at, broken, on_days, texts, values
from dashboard.charts.rows import End, Row, extent, short
from dashboard.charts.theme import BENCHMARK, HOVER, SERIES
from dashboard.portfolio.colours import compared_colours
from portfolio.data import Line, PortfolioData
from storage.clickhouse.reads.restatements import Restatement

HEIGHT_PX = 210
LOG_STEPS = (
    (1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2, 2.25, 2.5, 3, 4, 5, 6, 7, 8, 9),
    (1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 7),
    (1, 2, 5),
    (1,),
)
MOST_LOG_TICKS = 8
COARSE = 50
"""A line that moves by this much is told to one decimal, else to two."""
NOTHING = " "
"""Of an empty text plotly says that it is not there."""
MOST_FLOWS = 40
"""Of more flows than this the largest are marked."""


def growth_row(data: PortfolioData, places: Places, *, is_log: bool) -> Row:
    """Return the row of growth lines, 100 at the first day of the window (of a line that begins later: at its own)."""
    lines = [{**_line(data.own, places, SERIES[0]), **_said(data, places)}]
    lines += [
        _line(line, drawn_of(line, data, places), color)
        for line, color in zip(data.compared, compared_colours(data), strict=True)
        if len(line.part)
    ]
    if data.benchmark is not None and len(data.benchmark.part):
        lines.append(_line(data.benchmark, drawn_of(data.benchmark, data, places), BENCHMARK, "dot"))
    if is_log:
        lines = [{**line, "y": [value if value and value > 0 else None for value in line["y"]]} for line in lines]
    return Row(
        height_px=HEIGHT_PX,
        traces=[*lines, *_flows(data), *_restatements(data)],
        axis={"nticks": 7, "zeroline": False, **(_log_axis(extent(*[line["y"] for line in lines])) if is_log else {})},
        span=extent(*[line["y"] for line in lines]),
        ends=[_end(line) for line in lines if any(value is not None for value in line["y"])],
    )


def _log_axis(span: tuple[float, float]) -> dict[str, Any]:
    """Return a logarithmic axis with a handful of round numbers."""
    low, high = span
    if not low > 0:
        return {"type": "log"}
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    offered = [
        [step * 10.0**decade for decade in decades for step in steps if low <= step * 10.0**decade <= high]
        for steps in LOG_STEPS
    ]
    ticks = next((found for found in offered if len(found) <= MOST_LOG_TICKS), offered[-1])
    return {"type": "log", "tickvals": [float(f"{tick:.4g}") for tick in ticks], "tickformat": "~g"}


def drawn_of(line: Line, data: PortfolioData, places: Places) -> Places:
    """Return the positions of `line` on the drawn days (the next that it has), and its last."""
    dates = line.part.dates
    at = np.searchsorted(dates, data.part.dates[places])
    return np.unique(np.minimum(np.append(at, len(dates) - 1), len(dates) - 1)).astype(np.intp)


def _line(line: Line, places: Places, color: str, dash: str = "solid") -> dict[str, Any]:
    index = 100 * line.part.index[places]
    decimals = _decimals(line, places)
    breaks = breaks_at(line.part.returns, places)
    x, y = broken(line.part.dates[places], values(index, decimals), breaks)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": line.name,
        "x": x,
        "y": y,
        "line": {"color": color, "width": 1.6 if color == SERIES[0] else 1.2, "dash": dash},
        "hovertemplate": f"%{{y:.{decimals}f}}",
    }


def _decimals(line: Line, places: Places) -> int:
    return 2 if np.ptp(100 * line.part.index[places]) < COARSE else 1


def _end(line: dict[str, Any]) -> End:
    # What was lost has no place on a logarithmic scale: its name stands at the last that has.
    place = next(value for value in reversed(line["y"]) if value is not None)
    return End(f"{short(line['name'])} {line['y'][-1] or 0.0:.1f}", place, line["line"]["color"])


def marked_days(data: PortfolioData) -> Places:
    """Return the positions in the window that carry a mark or stand at a gap: a chart that thins days keeps them."""
    days = np.concatenate([data.nav.dates[marked_flows(data)[0]], _restated_days(data)])
    after = np.flatnonzero(np.isnan(data.part.returns[1:])) + 1
    found = np.concatenate([np.searchsorted(data.part.dates, days), after, after - 1])
    return found.astype(np.intp)


def marked_flows(data: PortfolioData) -> tuple[Places, int]:
    """Return which days of the NAV carry a mark of money in or out: all or the largest, and how many there are."""
    nav, part = data.nav, data.part
    if len(part) < 2:
        return np.array([], dtype=np.intp), 0
    inside = np.flatnonzero((nav.flow != 0) & (nav.dates > part.dates[0]) & (nav.dates <= part.dates[-1]))
    return np.sort(inside[np.argsort(-np.abs(nav.flow[inside]), kind="stable")][:MOST_FLOWS]), len(inside)


def _flows(data: PortfolioData) -> list[dict[str, Any]]:
    """Return small triangles on the line where money came in or went out; the line's hover has the amount."""
    nav, part = data.nav, data.part
    largest, count = marked_flows(data)
    if not len(largest):
        return []
    at = np.searchsorted(part.dates, nav.dates[largest])
    amounts = nav.flow[largest]
    some = f"largest {MOST_FLOWS} of {text.count(count, 'flow')}"
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "flows" if count <= MOST_FLOWS else some,
            "x": texts(nav.dates[largest]),
            "y": values(100 * part.index[at], 2),
            "marker": {
                "symbol": ["triangle-up" if each > 0 else "triangle-down" for each in amounts],
                "size": 9, "color": "@text", "line": {"width": 1, "color": "@panel"},
            },
            "hoverinfo": "skip",
        }
    ]  # fmt: skip


def _said(data: PortfolioData, places: Places) -> dict[str, Any]:
    """Return the hover of the line: its index, the value in full, and what happened there.

    Marks of their own would show for days around. The values are fetched when somebody points at the chart.
    """
    days, breaks = data.part.dates[places], breaks_at(data.part.returns, places)
    notes, currency = _notes(data), f" {data.portfolio.currency}" if data.portfolio.currency else ""
    said = [notes.get(place, NOTHING) for place in places.tolist()]
    index = f"%{{y:.{_decimals(data.own, places)}f}}"
    return {
        "hovertemplate": f"{index}%{{text}}",
        "hovertemplatefallback": NOT_AVAILABLE,
        "text": broken(days, said, breaks, NOTHING)[1],
        HOVER: {
            "customdata": broken(days, values(on_days(data.nav.dates, data.nav.value, days), 2), breaks)[1],
            "hovertemplate": f"{index} · %{{customdata:,.2f}}{currency}%{{text}}",
        },
    }


def _notes(data: PortfolioData) -> dict[int, str]:
    """Return what happened, by position in the window: money in and out, restated values."""
    flows, restated = _flow_notes(data), _restatement_notes(data)
    return {place: flows.get(place, "") + restated.get(place, "") for place in flows | restated}


def _flow_notes(data: PortfolioData) -> dict[int, str]:
    """Return what the hover says of marked flows, by position in the window; with their day where that is another."""
    nav, part = data.nav, data.part
    notes: dict[int, str] = {}
    for flow in marked_flows(data)[0].tolist():
        day = nav.dates[flow]
        place = int(np.searchsorted(part.dates, day))
        when = "" if part.dates[place] == day else f" on {day}"
        amount = text.money(float(nav.flow[flow]), data.portfolio.currency, signed=True)
        notes[place] = f"{notes.get(place, '')} · {amount}{when}"
    return notes


def _restatement_notes(data: PortfolioData) -> dict[int, str]:
    notes: dict[int, str] = {}
    for each in data.restatements:
        if each.day in _restated_days(data):
            place = int(np.searchsorted(data.part.dates, each.day))
            when = "" if data.part.dates[place] == each.day else f" of {each.day}"
            notes[place] = f"{notes.get(place, '')} · restated{when}: {_restated(each)}"
    return notes


def _restatements(data: PortfolioData) -> list[dict[str, Any]]:
    """Return a diamond where a value was replaced by another; the line's hover has both."""
    part, days = data.part, _restated_days(data)
    if not len(days):
        return []
    inside = [each for each in data.restatements if each.day in days]
    at = np.searchsorted(part.dates, np.array([each.day for each in inside], dtype="datetime64[D]"))
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "restated",
            "x": [str(each.day) for each in inside],
            "y": values(100 * part.index[at], 2),
            "marker": {"symbol": "diamond-open", "size": 9, "color": "@warning", "line": {"width": 1.5}},
            "hoverinfo": "skip",
        }
    ]


def _restated(each: Restatement) -> str:
    if each.was == each.now:
        return f"flow {text.money_change(each.flow_was, each.flow_now)}"
    return text.money_change(each.was, each.now)


def _restated_days(data: PortfolioData) -> NDArray[np.datetime64]:
    part = data.part
    days = [each.day for each in data.restatements if len(part) and part.dates[0] <= each.day <= part.dates[-1]]
    return np.unique(np.array(days, dtype="datetime64[D]"))
