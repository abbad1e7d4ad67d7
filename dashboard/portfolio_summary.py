"""Every figure of the window for all lines side by side: on the days of the chosen portfolio, in one pass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analytics.block import Floats
from analytics.calendar import Dates
from analytics.metrics import METRICS, Metric
from analytics.summary import Summary, summary
from dashboard.portfolio_data import Line, Shown, beside

UNITS = {"D": "days", "W": "weeks", "M": "months"}
"""What a period is called, by frequency."""


def side_by_side(shown: Shown, metrics: Sequence[Metric] = METRICS) -> Summary:
    """Return the figures of the chosen portfolio, those compared and, last, the benchmark.

    What is told against the benchmark is missing for the benchmark itself.
    """
    return _figures(shown, columns(shown), shown.part.dates, metrics)


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


def _figures(shown: Shown, lines: Sequence[Line], dates: Dates, metrics: Sequence[Metric]) -> Summary:
    # The first day is where returns begin: nobody has one on it.
    returns = np.array([beside(line, dates)[1:] for line in lines]).reshape(len(lines), max(len(dates) - 1, 0))
    other = beside(shown.benchmark, dates)[1:] if shown.benchmark else None
    names = [line.name for line in lines]
    return summary(dates[1:], returns, other, shown.risk_free, shown.periods, names, metrics=metrics)
