"""Cases about reward for risk."""

from __future__ import annotations

import numpy as np

from analytics import ratios
from analytics.block import Block
from analytics.returns import per_period_rate
from tests.reference.case import Case, Floats, Metric, Rate


def every(case: Case) -> Block:
    """Return the returns of the case on complete rows, those after a total loss too: others go on counting there."""
    return Block(np.atleast_2d(case.values))


def one(found: Floats) -> float:
    return float(found[0])


def rate_or_target(case: Case) -> Rate:
    """Return the threshold of a case that may call it a rate, a target, or an annual requirement on top."""
    threshold = case.target if "mar" in case.params or "mar_column" in case.params else case.rate
    return threshold + per_period_rate(float(case.get("required_return_annual") or 0.0), case.periods)


def calmar(case: Case) -> Floats:
    counts_all = case.get("count") == "all"
    values = Block.of(case.series.to_numpy(dtype=np.float64)) if counts_all else every(case)
    return np.asarray(ratios.calmar(values, case.periods, 0.0, counts_all))


def burke(case: Case) -> Floats:
    is_modified = bool(case.get("modified"))
    return np.asarray(ratios.burke(every(case), case.rate, case.periods, is_modified, "losses", minimum_years=0.0))


METRICS: dict[str, Metric] = {
    "sharpe": lambda c: one(
        ratios.sharpe(every(c), c.rate, c.periods, bool(c.get("geometric", False)), unbounded=True)
    ),
    "sortino": lambda c: one(ratios.sortino(every(c), c.target, c.periods, int(c.get("ddof", 0)), unbounded=True)),
    "adjusted_sharpe": lambda c: one(
        ratios.adjusted_sharpe(every(c), c.rate, c.periods, bool(c.get("geometric", False)))
    ),
    "calmar": lambda c: one(calmar(c)),
    "sterling": lambda c: one(ratios.sterling(every(c), c.periods, float(c.get("excess", 0.1)), 0.0)),
    "burke_ratio": lambda c: one(burke(c)),
    "martin_ratio": lambda c: one(ratios.martin(every(c), c.rate, c.periods, 0.0)),
    "pain_ratio": lambda c: one(ratios.pain_ratio(every(c), c.rate, c.periods, 0.0)),
    "omega": lambda c: one(ratios.omega(every(c), rate_or_target(c))),
    "omega_sharpe": lambda c: one(ratios.omega_sharpe(every(c), c.target)),
    "kappa": lambda c: one(ratios.kappa(every(c), int(c.get("l", 2)), c.target)),
    "upside_potential_ratio": lambda c: one(
        ratios.upside_potential_ratio(every(c), c.target, whole=c.get("method") == "full")
    ),
    "bernardo_ledoit": lambda c: one(ratios.bernardo_ledoit(every(c))),
    "d_ratio": lambda c: one(ratios.d_ratio(every(c))),
    "prospect_ratio": lambda c: one(ratios.prospect_ratio(every(c), c.target, target_once=True)),
    "volatility_skewness": lambda c: one(ratios.volatility_skewness(every(c), c.target, c.get("stat", "volatility"))),
    "downside_sharpe": lambda c: one(ratios.downside_sharpe(every(c), c.rate)),
    "tail_ratio": lambda c: one(ratios.tail_ratio(every(c))),
    "kelly": lambda c: one(ratios.kelly(every(c), c.rate, 1.0 if c.get("method") == "full" else 0.5)),
    "stability": lambda c: one(ratios.stability(every(c))),
}
