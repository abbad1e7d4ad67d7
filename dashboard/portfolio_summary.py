"""Every figure of the window for all lines side by side: on the days of the chosen portfolio, in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analytics.block import Floats
from analytics.calendar import Dates
from analytics.metrics import METRICS, Metric
from analytics.performance import on_dates
from analytics.summary import Summary, summary
from dashboard.portfolio_data import Line, Shown, beside

CALENDAR = "return_"
"""How metrics of calendar periods begin: they are of the whole history, whatever the window."""
UNITS = {"D": "days", "W": "weeks", "M": "months"}
"""What a period is called, by frequency."""


def side_by_side(shown: Shown, metrics: Sequence[Metric] = METRICS) -> Summary:
    """Return the figures of the chosen portfolio, those compared and, last, the benchmark.

    What is told against the benchmark is missing for the benchmark itself.
    """
    found = _figures(shown, columns(shown), shown.part.dates, metrics)
    calendar = [metric for metric in metrics if metric.key.startswith(CALENDAR)]
    if not calendar or len(shown.whole) == len(shown.part):
        return found
    return _with(found, _figures(shown, [_whole(line, shown) for line in columns(shown)], shown.whole.dates, calendar))


def of_family(shown: Shown, lines: Sequence[Line], keys: Sequence[str]) -> Summary:
    """Return the figures `keys` of `lines`, each over its own window."""
    dates = np.unique(np.concatenate([line.part.dates for line in lines])) if lines else shown.part.dates
    return _figures(shown, lines, dates, [metric for metric in METRICS if metric.key in keys])


def columns(shown: Shown) -> tuple[Line, ...]:
    """Return the lines in the order of `side_by_side`."""
    return (*shown.lines, shown.benchmark) if shown.benchmark else shown.lines


def own_figures(shown: Shown, returns: Floats, dates: Dates, metrics: Sequence[Metric]) -> Summary:
    """Return the figures of one course of returns on `dates`, against the benchmark of the page."""
    other = beside(shown.benchmark, dates) if shown.benchmark else None
    return summary(dates, returns, other, shown.risk_free, shown.periods, [shown.own.name], metrics=metrics)


def _whole(line: Line, shown: Shown) -> Line:
    """Return the line with its whole history, on the days of the chosen portfolio, in place of the window."""
    return replace(line, part=on_dates(line.daily, shown.whole.dates))


def _with(found: Summary, other: Summary) -> Summary:
    """Return `found` with the metrics of `other` in place of its own."""
    taken = {metric.key for metric in other.metrics}
    values = np.array([
        (other if metric.key in taken else found)[metric.key] for metric in found.metrics
    ])  # fmt: skip
    reasons = {
        (metric.key, at): why
        for metric in found.metrics
        for at in range(len(found.names))
        if (why := (other if metric.key in taken else found).reason(metric.key, at))
    }
    return Summary(found.metrics, found.names, values, reasons)


def _figures(shown: Shown, lines: Sequence[Line], dates: Dates, metrics: Sequence[Metric]) -> Summary:
    # The first day is where returns begin: nobody has one on it.
    returns = np.array([beside(line, dates)[1:] for line in lines]).reshape(len(lines), max(len(dates) - 1, 0))
    other = beside(shown.benchmark, dates)[1:] if shown.benchmark else None
    names = [line.name for line in lines]
    return summary(dates[1:], returns, other, shown.risk_free, shown.periods, names, metrics=metrics)
