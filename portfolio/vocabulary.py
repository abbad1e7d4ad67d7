"""What rules may name: what is collected, Fundwatch's own words, and every figure of the All-metrics table."""

from __future__ import annotations

from functools import cache

from core.alerts.expression import Figure, Worked
from core.alerts.figures import OWN_FIGURES, PORTFOLIO_LABELS, FigureKind, Of, Vocabulary, collected, vocabulary_of
from core.errors import RuleRejected
from core.metrics import unit_of
from portfolio.query import FREQUENCY_NAMES, PortfolioQuery
from portfolio.summary import ALL_METRICS

SPOKEN = {"daily_return": "return_day"}
"""What people call a figure that has another key."""
SETTINGS = {"benchmark": "benchmark", "frequency": "frequency", "confidence": "confidence", "risk_free": "rf"}
"""What a figure may be asked with, and the name that PortfolioQuery has for it."""
BETWEEN_DAYS = ":"
"""Between the first and the last day of a window that is none of the usual ones."""


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


def unit_of_operand(operand: Figure | Worked) -> str:
    """Return the unit of what a rule compares; by how many deviations something is unusual has none, whatever it is."""
    if isinstance(operand, Worked) and operand.work == "zscore":
        return "count"
    name = operand.figure.name if isinstance(operand, Worked) else operand.name
    known = vocabulary().get(name)
    return known.unit if known else unit_of(name)


def query_of(figure: Figure) -> PortfolioQuery:
    """Return what a figure of portfolios asks for, of whichever portfolio.

    Raises RuleRejected: its window or one of its settings cannot be.
    """
    start, is_range, end = figure.window.partition(BETWEEN_DAYS)
    texts = {"from": start, "to": end} if is_range else {"window": start.upper()}
    letters = {name: letter for letter, name in FREQUENCY_NAMES.items()}
    for name, value in figure.settings:
        if name not in SETTINGS:
            raise RuleRejected(
                "when", f"{figure}: {name} is no setting of a figure", f"There are {', '.join(SETTINGS)}."
            )
        texts[SETTINGS[name]] = letters.get(value, value)
    query, problems = PortfolioQuery.parse(texts)
    if problems:
        said, _, _ = problems[0].rpartition(". ")
        raise RuleRejected("when", f"{figure}: {said or problems[0]}")
    return query
