"""What the money itself earned, given when it came and went, and how much of it is cash."""

from __future__ import annotations

import math

import numpy as np

from analytics.block import Floats
from analytics.calendar import SHORTEST_YEAR, years_between
from analytics.metrics import Metric, Scope
from analytics.money_weighted import money_weighted_return
from analytics.returns import modified_dietz
from portfolio.data import Line, PortfolioData
from portfolio.since import NOTHING, Since

CASH_SHARE = "cash_share"
NO_MONEY = "a benchmark has no money of its own"
NO_CASH = "its positions are not known"
LESS = "needs a year: less is not annualised"


def _not_of_returns(scope: Scope) -> Floats:
    """Return nothing: returns do not tell what the money did (see `of_line`)."""
    return np.full(len(scope.block.values), np.nan)


def _metric(key: str, title: str, definition: str) -> Metric:
    return Metric(key, title, "Returns", "percent", definition, _not_of_returns)


MONEY: tuple[Metric, ...] = (
    _metric("xirr", "Money-weighted return, a year", "The annual rate at which money in and out and the two values "
            "come to nothing, by days / 365 (XIRR). Not told below a year."),
    _metric("money_weighted", "Money-weighted return", "The same rate over the whole window, not a year's."),
    _metric("modified_dietz", "Modified Dietz", "Gain over the average capital of the window: (V₁ − V₀ − ΣF) / "
            "(V₀ + Σ w F), w the share of the window that a flow was there for (GIPS 2020; Bacon 2008)."),
    _metric(CASH_SHARE, "Cash", "Cash among the positions of the last day, or of all parts, over the value."),
)  # fmt: skip


def of_line(data: PortfolioData, line: Line) -> dict[str, Since]:
    """Return the metrics MONEY of a line over its window."""
    if line.nav is None:
        return {metric.key: Since(math.nan, reason=NO_MONEY) for metric in MONEY}
    found = {CASH_SHARE: _cash(data, line)}
    if len(line.part) < 2:
        return found | dict.fromkeys(("xirr", "money_weighted", "modified_dietz"), NOTHING)
    first, last = line.part.dates[[0, -1]]
    inside = (line.nav.dates >= first) & (line.nav.dates <= last)
    dates, value, flow = line.nav.dates[inside], line.nav.value[inside], line.nav.flow[inside]
    is_year = years_between(dates[0], dates[-1]) >= SHORTEST_YEAR
    days = (dates - dates[0]).astype(np.int64).tolist()
    moved = [(day, amount) for day, amount in zip(days[1:], flow[1:].tolist(), strict=True) if amount]
    dietz = modified_dietz(float(value[0]), float(value[-1]), days[-1], moved)
    return found | {
        "xirr": _rate(dates, value, flow, is_annual=True) if is_year else Since(math.nan, reason=LESS),
        "money_weighted": _rate(dates, value, flow, is_annual=False),
        "modified_dietz": Since(dietz, reason="the average capital is not above 0"),
    }


def _rate(dates: np.ndarray, value: Floats, flow: Floats, *, is_annual: bool) -> Since:
    try:
        return Since(money_weighted_return(dates, value, flow, is_annual))
    except ValueError as error:
        return Since(math.nan, reason=str(error))


def _cash(data: PortfolioData, line: Line) -> Since:
    assert line.nav is not None
    known = data.cash.get(line.key, math.nan)
    value = float(line.nav.value[-1]) if len(line.nav) else math.nan
    return Since(known / value if value > 0 else math.nan, reason=NO_CASH)
