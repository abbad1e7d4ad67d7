"""Cases about risk. Those on value at risk and expected shortfall follow PerformanceAnalytics: population deviations, a
loss is negative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from scipy.special import ndtri

from analytics import backtest, risk, rolling, tails
from analytics.block import Block
from tests.reference.case import Case, Floats, Metric


def every(case: Case) -> Block:
    """Return the returns of the case, those after a total loss too: others go on counting there."""
    return Block(np.atleast_2d(case.values))


def level(case: Case, default: float = 0.95) -> float:
    """Return the confidence of the case."""
    return float(case.get("p", default))


def turned(case: Case, loss: Any) -> Any:
    """Return a loss with the sign that the case writes it with."""
    is_positive = case.get("positive", case.get("method") in ("ru", "lower_loss"))
    return loss if is_positive else -loss


def own_target(case: Case) -> Any:
    """Return the target of the case; None (the mean) when it names none."""
    return case.target if "mar" in case.params or "mar_column" in case.params else None


def var_historical(case: Case) -> Any:
    between: Literal["linear", "lower"] = "lower" if case.get("method") == "lower_loss" else "linear"
    return turned(case, tails.value_at_risk(every(case), level(case), between=between))


def es_historical(case: Case) -> Any:
    if case.get("method") == "ru":
        return turned(case, tails.expected_shortfall(every(case), level(case)))
    tail: tails.Tail = "below" if case.get("strict", True) else "at_or_below"
    return turned(case, tails.expected_shortfall(every(case), level(case), tail=tail))


def parametric(measure: Any, method: tails.Method) -> Metric:
    def found(case: Case) -> Any:
        ddof = int(case.get("ddof", 0))
        return turned(case, measure(every(case), level(case), method=method, ddof=ddof, guarded=False))

    return found


def var_sharpe(case: Case) -> Any:
    kinds: dict[str, tails.Method] = {"modified": "cornish_fisher", "gaussian": "gaussian", "historical": "historical"}
    measures: dict[str, Any] = {"VaR": "value_at_risk", "ES": "expected_shortfall"}
    return tails.reward_to_tail(
        every(case),
        case.rate,
        level(case),
        measures[case.get("measure", "VaR")],
        kinds[case.get("kind", "modified")],
        ddof=0,
        guarded=False,
    )


def var_exceedances(case: Case) -> Any:
    kinds: dict[str, tails.Method] = {"modified": "cornish_fisher", "gaussian": "gaussian", "historical": "historical"}
    method = kinds[case.get("method", "historical")]
    limit = tails.value_at_risk(every(case), level(case), method=method, ddof=0, guarded=False)
    return tails.exceedances(every(case), limit)


def var_cov_normal(case: Case) -> float:
    """Return pyfolio's: what a sum P may lose."""
    alpha = float(ndtri(1.0 - case.params["c"])) * case.params["sigma"] + case.params["mu"]
    return float(case.params["P"] - case.params["P"] * (alpha + 1.0))


def upside_risk(case: Case) -> Any:
    found = risk.upside_risk(every(case), case.target, case.periods)
    stat = case.get("stat", "risk")
    return {"risk": found, "variance": found**2, "potential": risk.upside_potential(every(case), case.target)}[stat]


def rolling_at(course: Callable[[Case, Block, int], Any]) -> Metric:
    """Return the figure of the i-th window, counted in rows from the first of the file.

    Ours has none for a window that begins before the portfolio does; there it is that of the returns in the window.
    """

    def found(case: Case) -> Any:
        window, at = int(case.params["window"]), int(case.get("i", 0))
        rows: Floats = np.asarray(case.series, dtype=np.float64)
        figure = course(case, Block(rows[None, :]), window)[0, window - 1 :][at]
        if not np.isnan(figure):
            return figure
        seen = rows[at : at + window]
        there: Floats = np.asarray(seen[~np.isnan(seen)], dtype=np.float64)
        if len(there) > 1 and np.ptp(there) == 0:
            # Nothing varies: others divide by 0 all the same.
            return np.sign(there[0]) * np.inf if there[0] else np.nan
        return course(case, Block(there[None, :]), len(there))[0, -1] if len(there) else np.nan

    return found


def single(metric: Metric) -> Metric:
    """Return the metric with the figure of its one portfolio."""
    return lambda case: float(np.ravel(metric(case))[0])


FIGURES: dict[str, Metric] = {
    "std": lambda c: risk.volatility(every(c), c.periods, int(c.get("ddof", 1))),
    "variance": lambda c: risk.variance(every(c), int(c.get("ddof", 1)), c.periods),
    "downside_deviation": lambda c: risk.downside_deviation(every(c), c.target, c.periods),
    "upside_risk": upside_risk,
    "semi_deviation": lambda c: risk.semi_deviation(every(c), int(c.get("ddof", 0)), own_target(c), c.periods),
    "first_lower_partial_moment": lambda c: risk.lower_partial_moment(every(c), own_target(c)),
    "downside_potential": lambda c: risk.downside_potential(every(c), c.target),
    "upside_potential": lambda c: risk.upside_potential(every(c), c.target),
    "downside_frequency": lambda c: risk.downside_frequency(every(c), c.target),
    "upside_frequency": lambda c: risk.upside_frequency(every(c), c.target),
    "gain_deviation": lambda c: risk.gain_deviation(every(c), int(c.get("ddof", 1))),
    "loss_deviation": lambda c: risk.loss_deviation(every(c), int(c.get("ddof", 1))),
    "mean_absolute_deviation": lambda c: risk.mean_absolute_deviation(every(c)),
    "gini_mean_difference": lambda c: risk.gini_mean_difference(every(c)),
    "skewness": lambda c: risk.skewness(every(c), c.get("method", "moment")),
    "kurtosis": lambda c: risk.kurtosis(every(c), c.get("method", "excess")),
    "skewness_kurtosis_ratio": lambda c: risk.skewness_kurtosis_ratio(every(c)),
    "quantile": lambda c: risk.quantile(every(c), float(c.get("q", 0.5))),
    "log_volatility_window": lambda c: risk.log_volatility(every(c), semi=bool(c.get("semi", False))),
    "var_historical": var_historical,
    "var_gaussian": parametric(tails.value_at_risk, "gaussian"),
    "var_cornish_fisher": parametric(tails.value_at_risk, "cornish_fisher"),
    "es_historical": es_historical,
    "es_gaussian": parametric(tails.expected_shortfall, "gaussian"),
    "es_cornish_fisher": parametric(tails.expected_shortfall, "cornish_fisher"),
    "evar": lambda c: tails.entropic_value_at_risk(every(c), level(c)),
    "var_sharpe": var_sharpe,
    "var_exceedances": var_exceedances,
    "kupiec_expected": lambda c: backtest.expected_exceedances(len(c.values), level(c)),
    "worst_realization": lambda c: tails.value_at_risk(every(c), 1.0),
    "var_cov_normal": var_cov_normal,
    "rolling_sharpe_at": rolling_at(
        lambda case, rows, window: rolling.rolling_sharpe(rows, window, float(case.get("rf") or 0.0), case.periods)
    ),
    "rolling_max_drawdown_at": rolling_at(lambda _, rows, window: rolling.rolling_drawdown(rows, window)),
}

METRICS: dict[str, Metric] = {name: single(metric) for name, metric in FIGURES.items()}
