"""Cases about a benchmark. Returns are joined on complete rows; annual returns compound, as in PerformanceAnalytics."""

from __future__ import annotations

from typing import Any

import numpy as np

from analytics import benchmark
from analytics.block import Block, Pair
from analytics.returns import annual_return
from tests.reference.case import Case, Metric


def pair(case: Case) -> Pair:
    """Return portfolio and benchmark, what comes after a total loss too: others go on counting there."""
    return Pair.of(Block(np.atleast_2d(case.values)), Block(np.atleast_2d(case.benchmark)))


def capture_annualised(case: Case) -> float:
    """Return empyrical's: annual returns of the file's rows, those with nothing in them counted."""
    own = case.series.to_numpy(dtype=np.float64)
    other = case.table[case.get("benchmark_column")].to_numpy(dtype=np.float64)
    other = -other if case.get("negate_benchmark") else other
    rows = {"up": other > 0, "down": other < 0}.get(case.get("side"), np.full(len(own), True))
    mine, theirs = (annual_return(one[rows], case.periods, True, 0.0, True) for one in (own, other))
    return float(mine / theirs)


def capture_ratio(case: Case) -> Any:
    method = case.get("method", "total" if case.geometric else "sum")
    return benchmark.capture(pair(case), case.get("side", "all"), method=method, zero_is_down=True)


def information_ratio(case: Case) -> Any:
    return benchmark.information_ratio(pair(case), case.periods, case.get("method", "geometric_premium"))


def appraisal_ratio(case: Case) -> Any:
    method = case.get("method", "appraisal")
    chosen = "jensen" if method == "appraisal" else method
    return benchmark.appraisal_ratio(pair(case), case.rate, case.periods, chosen, ddof=0)


def total_risk(case: Case) -> Any:
    return benchmark.total_risk(pair(case), case.rate, case.periods, specific_ddof=0)


def single(metric: Metric) -> Metric:
    """Return the metric with the figure of its one portfolio."""
    return lambda case: float(np.ravel(metric(case))[0])


FIGURES: dict[str, Metric] = {
    "beta": lambda c: benchmark.beta(pair(c), c.rate, c.get("side", "both")),
    "alpha": lambda c: benchmark.alpha(pair(c), c.rate, c.periods, c.get("annualise", "none")),
    "correlation": lambda c: benchmark.correlation(pair(c), c.rate),
    "r_squared": lambda c: benchmark.r_squared(pair(c), c.rate),
    "active_premium": lambda c: benchmark.active_return(pair(c), c.periods, 0.0),
    "excess_annual_return_geometric": lambda c: benchmark.geometric_excess(pair(c), c.periods, 0.0),
    "tracking_error": lambda c: benchmark.tracking_error(pair(c), c.periods),
    "information_ratio": information_ratio,
    "capture_ratio": capture_ratio,
    "capture_annualised": capture_annualised,
    "up_down_number": lambda c: benchmark.up_down_number(pair(c), c.get("side", "up")),
    "up_down_percent": lambda c: benchmark.up_down_percent(pair(c), c.get("side", "up")),
    "batting": lambda c: benchmark.batting_average(pair(c)),
    "timing_ratio": lambda c: benchmark.timing_ratio(pair(c), c.rate),
    "treynor": lambda c: benchmark.treynor(pair(c), c.rate, c.periods, c.geometric),
    "treynor_modified": lambda c: benchmark.treynor_modified(pair(c), c.rate, c.periods, c.geometric),
    "appraisal_ratio": appraisal_ratio,
    "jensen_alpha": lambda c: benchmark.jensen_alpha(pair(c), c.rate, c.periods),
    "regression_epsilon": lambda c: benchmark.regression_epsilon(pair(c), c.rate, c.periods),
    "m_squared": lambda c: benchmark.m_squared(pair(c), c.rate, c.periods, c.geometric),
    "m_squared_excess": lambda c: benchmark.m_squared_excess(pair(c), c.rate, c.periods, c.get("method", "geometric")),
    "modigliani": lambda c: benchmark.m_squared(pair(c), c.rate, c.periods),
    "fama_beta": lambda c: benchmark.fama_beta(pair(c)),
    "selectivity": lambda c: benchmark.selectivity(pair(c), c.rate, c.periods),
    "net_selectivity": lambda c: benchmark.net_selectivity(pair(c), c.rate, c.periods),
    "omega_excess_return": lambda c: benchmark.omega_excess_return(pair(c), c.target, c.periods),
    "specific_risk": lambda c: benchmark.specific_risk(pair(c), c.rate, c.periods, ddof=0),
    "systematic_risk": lambda c: benchmark.systematic_risk(pair(c), c.rate, c.periods, signed=True),
    "total_risk": total_risk,
}

METRICS: dict[str, Metric] = {name: single(metric) for name, metric in FIGURES.items()}
