"""Metrics of how sure a figure is that take more than one pass: against luck, against the benchmark, by resampling."""

from __future__ import annotations

import numpy as np

from analytics import significance
from analytics.block import Block, Floats
from analytics.metrics.base import BENCHMARK, ENOUGH, ENOUGH_COMMON, SOLVENT, VARIES, Metric, Scope, in_group, otherwise

SAMPLES = 500
_how_sure = in_group("How sure")
_against = in_group("Against the benchmark")
RESAMPLED = (
    f"of the figure over {SAMPLES} histories put together of spans of this one, n^(1/3) long in the mean; the same "
    "draws each time (Politis & Romano 1994)."
)


def _deflated(scope: Scope) -> Floats:
    """Return the probability that the Sharpe ratio is above the best that so many useless trials would show."""
    freedom = np.where(scope.block.count > 1, scope.block.count - 1.0, np.nan)
    reference = significance.expected_max_sharpe(scope.trials, 1.0) / np.sqrt(freedom)
    return np.asarray(significance.probabilistic_sharpe(scope.block, reference, scope.rate))


def _sharpe_ends(scope: Scope) -> tuple[Floats, Floats]:
    def make() -> tuple[Floats, Floats]:
        # Spans are drawn of returns with the rate of their own time taken off.
        is_series = isinstance(scope.rate, np.ndarray)
        block, rate = (scope.block.minus(scope.rate), 0.0) if is_series else (scope.block, scope.rate)
        found = significance.sharpe_interval(block.values.T, rate, scope.periods, scope.level, "bootstrap", SAMPLES)
        return np.asarray(found[0]), np.asarray(found[1])

    return scope.block.keep(("resampled sharpe", np.asarray(scope.rate).tobytes(), scope.periods, scope.level), make)


def _annual_ends(scope: Scope) -> tuple[Floats, Floats]:
    def annual(block: Block) -> Floats:
        return np.asarray((1.0 + block.total) ** (scope.periods / block.known) - 1.0)

    def make() -> tuple[Floats, Floats]:
        found = significance.bootstrap_interval(scope.block.values.T, annual, scope.level, samples=SAMPLES)
        return np.asarray(found[0]), np.asarray(found[1])

    return scope.block.keep(("resampled annual", scope.periods, scope.level), make)


SURE: tuple[Metric, ...] = (
    _how_sure("deflated_sharpe", "Deflated Sharpe", "percent",
              "Probability that the true Sharpe ratio is above the best that as many useless strategies as were tried "
              "would show; their ratios vary as those of no skill do, by 1 / (n − 1) (Bailey & López de Prado 2014).",
              _deflated, ENOUGH, VARIES),
    _how_sure("sharpe_low_resampled", "Sharpe, low end, resampled", "ratio", f"2.5 % quantile {RESAMPLED}",
              lambda s: _sharpe_ends(s)[0], ENOUGH, VARIES),
    _how_sure("sharpe_high_resampled", "Sharpe, high end, resampled", "ratio", f"97.5 % quantile {RESAMPLED}",
              lambda s: _sharpe_ends(s)[1], ENOUGH, VARIES),
    _how_sure("annual_low_resampled", "Annual return, by observations, low end", "percent",
              f"2.5 % quantile {RESAMPLED}", lambda s: _annual_ends(s)[0], ENOUGH, SOLVENT, VARIES),
    _how_sure("annual_high_resampled", "Annual return, by observations, high end", "percent",
              f"97.5 % quantile {RESAMPLED}", lambda s: _annual_ends(s)[1], ENOUGH, SOLVENT, VARIES),
    _against("probability_better", "Probability of beating it", "percent",
             "That the true Sharpe ratio is above the benchmark's, with their dependence and that over time counted "
             "(Ledoit & Wolf 2008).",
             lambda s: significance.probability_better(s.beside, s.rate), BENCHMARK, ENOUGH_COMMON, VARIES,
             otherwise("the two never part, or one does not vary")),
)  # fmt: skip
"""Not among METRICS, which are worked out for all portfolios at once: each of these takes far longer than those."""
