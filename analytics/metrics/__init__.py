"""Every metric of a portfolio, in the order of the page: one table a family."""

from analytics.metrics.base import Metric, Need, Scope
from analytics.metrics.benchmark import BENCHMARK_METRICS
from analytics.metrics.drawdown import DRAWDOWN
from analytics.metrics.ratios import RATIOS
from analytics.metrics.returns import RETURNS
from analytics.metrics.risk import DEFAULT_CONFIDENCE, RISK, TAILS, at_confidence
from analytics.metrics.sure import SURE

METRICS: tuple[Metric, ...] = (*RETURNS, *RATIOS, *DRAWDOWN, *RISK, *BENCHMARK_METRICS)

__all__ = ["DEFAULT_CONFIDENCE", "METRICS", "SURE", "TAILS", "Metric", "Need", "Scope", "at_confidence"]
