"""What rules may name: what is collected, Fundwatch's own words, and every figure of the All-metrics table."""

from __future__ import annotations

from functools import cache

from core.alerts.figures import OWN_FIGURES, PORTFOLIO_LABELS, FigureKind, Of, Vocabulary, collected, vocabulary_of
from portfolio.summary import ALL_METRICS

SPOKEN = {"daily_return": "return_day"}
"""What people call a figure that has another key."""


@cache
def vocabulary() -> Vocabulary:
    """Return every figure that rules may name; what exporters and programs name is not among them."""
    return vocabulary_of([*OWN_FIGURES, *of_portfolios(), *collected()])


@cache
def of_portfolios() -> tuple[FigureKind, ...]:
    """Return the figures of portfolios, in the order of the page."""
    found = {
        metric.key: FigureKind(
            metric.key, Of.PORTFOLIO, "ratio" if metric.unit == "percent" else "count", PORTFOLIO_LABELS, metric.title
        )
        for metric in ALL_METRICS
    }
    spoken = [
        FigureKind(name, Of.PORTFOLIO, found[key].unit, PORTFOLIO_LABELS, f"The same as {key}.")
        for name, key in SPOKEN.items()
    ]
    return (*found.values(), *spoken)
