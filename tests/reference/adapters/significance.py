"""Cases about how sure a figure is."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from analytics import risk, significance
from analytics.block import Block
from tests.reference.case import Case, Metric


def every(case: Case) -> Block:
    """Return the returns of the case: a column, or a mix of several that was bought at `weights` and held."""
    if "weights" not in case.params:
        return Block(np.atleast_2d(case.values))
    held = (1.0 + case.table[list(case.get("columns"))].dropna().to_numpy(dtype=np.float64)).cumprod(axis=0)
    weights = np.asarray(case.get("weights"), dtype=np.float64)
    wealth = np.concatenate([[weights.sum()], held @ weights])
    return Block(np.atleast_2d(wealth[1:] / wealth[:-1] - 1.0))


def counted(case: Case) -> significance.Counted:
    if not case.get("ignore_kurtosis"):
        return "all"
    return "none" if case.get("ignore_skewness") else "skewness"


def spread(case: Case) -> Any:
    """Return the spread of a Sharpe ratio that is given with its moments."""
    kurt = 3.0 if case.get("ignore_kurtosis") else float(case.get("kurt", 3.0))
    skew = 0.0 if case.get("ignore_skewness") else float(case.get("skew", 0.0))
    return significance.ratio_spread(case.params["sr"], skew, kurt)


def psr(case: Case) -> Any:
    reference = float(case.get("ref_sr", 0.0))
    if "sr" not in case.params:
        return significance.probabilistic_sharpe(every(case), reference, case.rate, counted(case))
    return ndtr((case.params["sr"] - reference) * np.sqrt((case.params["n"] - 1) / spread(case)))


def deflated_sharpe(case: Case) -> Any:
    trials, variance = float(case.params["n_trials"]), float(case.params["var_trials"])
    if "sr" not in case.params:
        return significance.deflated_sharpe(every(case), trials, variance, case.rate, counted(case))
    reference = significance.expected_max_sharpe(trials, variance)
    return ndtr((case.params["sr"] - reference) * np.sqrt((case.params["n"] - 1) / spread(case)))


def min_trl(case: Case) -> Any:
    reference, level = float(case.get("ref_sr", 0.0)), float(case.get("p", 0.95))
    if "sr" not in case.params:
        return significance.minimum_track_record(every(case), reference, case.rate, level, counted(case))
    return significance.track_record_needed(case.params["sr"], reference, spread(case), level)


def sharpe_ci(case: Case) -> Any:
    """Return PerformanceAnalytics': n − 1 in place of n, and each end at the level of one side."""
    level, rows, kind = float(case.get("p", 0.95)), every(case).minus(case.rate), counted(case)
    sign = -1.0 if case.get("side", "lower") == "lower" else 1.0
    ratio = significance.sharpe_ratio(rows)
    skew = 0.0 if kind == "none" else risk.skewness(rows)
    kurt = risk.kurtosis(rows, "moment") if kind == "all" else 3.0
    error = np.sqrt(significance.ratio_spread(ratio, skew, kurt) / (rows.count - 1.0))
    return ratio + sign * float(ndtri(level)) * error


def mean_ci(case: Case) -> Any:
    low, high = significance.mean_interval(case.values, float(case.get("p", 0.95)))
    return low if case.get("side", "lower") == "lower" else high


def single(metric: Metric) -> Metric:
    """Return the metric with the figure of its one portfolio."""
    return lambda case: float(np.ravel(metric(case))[0])


FIGURES: dict[str, Metric] = {
    "psr": psr,
    "deflated_sharpe": deflated_sharpe,
    "expected_max_sharpe": lambda c: significance.expected_max_sharpe(c.params["n_trials"], c.params["var_trials"]),
    "min_trl": min_trl,
    "sharpe_ci": sharpe_ci,
    "mean_ci": mean_ci,
    "mean_std_error": lambda c: significance.mean_standard_error(c.values),
    "prob_mom": lambda c: significance.probability_positive(c.params["ir"], c.params["n"]),
}

METRICS: dict[str, Metric] = {name: single(metric) for name, metric in FIGURES.items()}
