"""Metrics of risk: how far returns stray, and how bad the bad ones are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from analytics import risk, tails
from analytics.block import Floats
from analytics.metrics.base import (
    ENOUGH,
    FOUR,
    THREE,
    VARIES,
    WARMED_UP,
    Metric,
    Scope,
    in_group,
    otherwise,
)

DEFAULT_CONFIDENCE = 0.95
FAT = otherwise("tails too fat for Cornish-Fisher: its quantile is not monotone here")
CANCELS = otherwise("the autocorrelations cancel the variance: the correction does not hold here")

_metric = in_group("Risk")


def _var(method: str) -> Callable[[Scope], Floats]:
    return partial(_tail, tails.value_at_risk, method)


def _es(method: str) -> Callable[[Scope], Floats]:
    return partial(_tail, tails.expected_shortfall, method)


def _tail(function: Callable[..., Floats], method: str, scope: Scope) -> Floats:
    return function(scope.block, scope.level, method=method)


RISK: tuple[Metric, ...] = (
    _metric("volatility", "Volatility", "percent", "std(r, n − 1) · √periods a year.",
            lambda s: risk.volatility(s.block, s.periods), ENOUGH),
    _metric("ewma_volatility", "Volatility, recent", "percent",
            "Exponentially weighted, decay 0.94, a year (RiskMetrics 1996).",
            lambda s: risk.ewma_volatility(s.block, s.periods), ENOUGH),
    _metric("lo_volatility", "Volatility, autocorrelation-corrected", "percent",
            "std · √(q + 2 Σ (q − k) ρ_k), q = periods a year, as Lo (2002) has it, but of the first 4 (n / 100)^(2/9) "
            "autocorrelations (Newey & West 1994) where Lo counts all q − 1: of daily returns the rest is noise.",
            lambda s: risk.lo_volatility(s.block, s.periods), ENOUGH, VARIES, CANCELS),
    _metric("downside_deviation", "Downside deviation", "percent",
            "√(Σ min(r − rf, 0)² / n) · √periods a year (Sortino & van der Meer 1991).",
            lambda s: risk.downside_deviation(s.block, s.rate, s.periods), ENOUGH),
    _metric("semi_deviation", "Semi-deviation", "percent", "Downside deviation below the mean · √periods a year.",
            lambda s: risk.semi_deviation(s.block) * s.periods**0.5, ENOUGH),
    _metric("mean_absolute_deviation", "Mean absolute deviation", "percent", "Σ|r − mean| / n, a period.",
            lambda s: risk.mean_absolute_deviation(s.block), ENOUGH),
    _metric("skewness", "Skewness", "number",
            "Third standardised moment of the population; below 0: the long tail is of losses.",
            lambda s: risk.skewness(s.block), THREE, VARIES),
    _metric("kurtosis", "Excess kurtosis", "number",
            "Fourth standardised moment of the population − 3; above 0: fat tails.",
            lambda s: risk.kurtosis(s.block), FOUR, VARIES),
    _metric("autocorrelation", "Autocorrelation", "number", "Of each return with the one before.",
            lambda s: risk.autocorrelation(s.block, 1), THREE, VARIES),
    _metric("value_at_risk", "VaR 95 %", "percent",
            "Loss of a period that 5 % of the returns exceed: historical, linear between ranks "
            "(Hyndman & Fan 1996, type 7).",
            _var("historical"), ENOUGH),
    _metric("value_at_risk_gaussian", "VaR 95 %, Gaussian", "percent",
            "−(mean + z · std) with z of the normal distribution.",
            _var("gaussian"), ENOUGH),
    _metric("value_at_risk_cornish_fisher", "VaR 95 %, Cornish-Fisher", "percent",
            "Gaussian with z corrected for skewness and kurtosis (Zangari 1996), where that is monotone "
            "(Maillard 2012).",
            _var("cornish_fisher"), ENOUGH, VARIES, FAT),
    _metric("value_at_risk_ewma", "VaR 95 %, recent", "percent",
            "Returns scaled to today's EWMA volatility (Hull & White 1998).",
            _var("ewma"), WARMED_UP, VARIES),
    _metric("expected_shortfall", "Expected shortfall 95 %", "percent",
            "Mean loss in the worst 5 % of the periods (Rockafellar & Uryasev 2002).", _es("historical"), ENOUGH),
    _metric("expected_shortfall_gaussian", "Expected shortfall 95 %, Gaussian", "percent", "−mean + std · φ(z) / 5 %.",
            _es("gaussian"), ENOUGH),
    _metric("expected_shortfall_cornish_fisher", "Expected shortfall 95 %, Cornish-Fisher", "percent",
            "Corrected for skewness and kurtosis (Boudt, Peterson & Croux 2008), where that is monotone.",
            _es("cornish_fisher"), ENOUGH, VARIES, FAT),
    _metric("expected_shortfall_ewma", "Expected shortfall 95 %, recent", "percent",
            "Of returns scaled to today's EWMA volatility (Hull & White 1998).", _es("ewma"), WARMED_UP, VARIES),
)  # fmt: skip
TAILS = frozenset(metric.key for metric in RISK if metric.key.startswith(("value_at_risk", "expected_shortfall")))
"""Keys of the metrics that have a confidence: of the level that a summary is made with."""


def at_confidence(metric: Metric, confidence: float) -> Metric:
    """Return a metric with the words of another confidence than 0.95, where it has one."""
    if metric.key not in TAILS or confidence == DEFAULT_CONFIDENCE:
        return metric
    inside, beyond = f"{100 * confidence:.4g} %", f"{100 * (1 - confidence):.4g} %"
    return replace(
        metric, title=metric.title.replace("95 %", inside), definition=metric.definition.replace("5 %", beyond)
    )
