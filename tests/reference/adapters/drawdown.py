"""Cases about drawdowns."""

from __future__ import annotations

from typing import Literal

import numpy as np

from analytics import drawdown, returns
from analytics.block import Block
from tests.reference.case import Case, Floats, Metric


def rows(case: Case) -> Block:
    """Return the returns of the case on complete rows."""
    return Block.of(case.values)


def compounded(case: Case) -> bool:
    return bool(case.get("compounded", True))


def levels_and_dates(case: Case) -> tuple[Floats, Floats]:
    """Return the wealth of the case, W_0 included, and the date of each value as YYYYMMDD; NaN of W_0."""
    dates = np.array([float(str(day).replace("-", "")) for day in case.dates])
    if case.get("prices"):
        return case.values, dates
    return returns.wealth(case.values), np.concatenate([[np.nan], dates])


def drawdown_table(case: Case) -> float:
    """Return a field of the worst spells; counts as in PerformanceAnalytics, from the first day under water on."""
    levels, dates = levels_and_dates(case)
    rank, field = case.get("rank", 0), case.get("field")
    found = drawdown.worst_episodes(levels, rank + 1)
    if len(found) <= rank:
        return float("nan")
    spell = found[rank]
    positions = {"peak": spell.peak, "start": spell.peak + 1, "trough": spell.trough, "end": spell.recovery}
    if field in positions:
        place = positions[field]
        return float("nan") if place is None else float(dates[place])
    counts = {
        "depth": spell.depth,
        # PerformanceAnalytics counts a spell that still lasts one longer.
        "length_obs": spell.last - spell.peak + (spell.recovery is None),
        "to_trough_obs": spell.trough - spell.peak,
        "recovery_obs": float("nan") if spell.recovery is None else spell.recovery - spell.trough,
    }
    return float(counts[field])


def max_drawdown_balance(case: Case) -> float:
    by: Literal["amount", "ratio"] = "ratio" if case.get("by") in ("rel", "relative") else "amount"
    found = drawdown.balance_drawdown(case.get("profits"), float(case.get("start_balance", 0.0)), by)
    return found[0] if case.get("field", "abs") == "abs" else found[1]


def max_drawdown_prices(case: Case) -> float:
    return float(drawdown.underwater(case.values).min(initial=np.inf)) if len(case.values) else float("nan")


def ulcer_index_prices(case: Case) -> float:
    """Return the ulcer index over all prices, the first among them, in percent points when `unit` is 100."""
    if not len(case.values):
        return float("nan")
    return float(np.sqrt(np.mean(drawdown.underwater(case.values) ** 2))) * float(case.get("unit", 1.0))


def average(case: Case) -> Floats:
    return np.asarray(drawdown.average_drawdown(rows(case), compounded(case)))


METRICS: dict[str, Metric] = {
    "max_drawdown": lambda c: drawdown.max_drawdown(rows(c), compounded(c))[0],
    "max_drawdown_prices": max_drawdown_prices,
    "max_drawdown_balance": max_drawdown_balance,
    "drawdown_at": lambda c: drawdown.underwater(c.values)[c.get("i", -1)],
    "drawdown_table": drawdown_table,
    "average_drawdown": lambda c: average(c)[0],
    "ulcer_index": lambda c: drawdown.ulcer_index(rows(c), compounded(c))[0],
    "ulcer_index_prices": ulcer_index_prices,
    "pain_index": lambda c: drawdown.pain_index(rows(c), compounded(c))[0],
    "cdar": lambda c: -drawdown.conditional_drawdown_at_risk(rows(c), float(c.get("beta", 0.95)), compounded(c))[0],
    "drawdown_at_risk": lambda c: -drawdown.drawdown_at_risk(rows(c), float(c.get("beta", 0.95)), compounded(c))[0],
}
