"""Metrics against a benchmark, on the periods that both have."""

from __future__ import annotations

from collections.abc import Callable

from analytics import benchmark
from analytics.block import Floats
from analytics.metrics.base import (
    BENCHMARK,
    BENCHMARK_VARIES,
    COMMON,
    ENOUGH_COMMON,
    SOLVENT,
    VARIES,
    YEAR,
    Metric,
    Need,
    Scope,
    Unit,
    in_group,
    otherwise,
)

ESTIMATED = ("alpha", "m_squared", "tracking_error", "specific_risk", "systematic_risk")
"""Estimates that are in percent a year; those that are ratios go by their unit."""


_against = in_group("Against the benchmark")


def _metric(
    key: str, title: str, unit: Unit, definition: str, compute: Callable[[Scope], Floats], *needs: Need
) -> Metric:
    least = (ENOUGH_COMMON,) if unit == "ratio" or key in ESTIMATED else (COMMON,)
    return _against(key, title, unit, definition, compute, BENCHMARK, *least, *needs)


UPS = Need(lambda s: (s.beside.other.filled > 0).any(axis=1) | (s.block.count < 0), "the benchmark never rose")
DOWNS = Need(lambda s: (s.beside.other.filled < 0).any(axis=1) | (s.block.count < 0), "the benchmark never fell")
NEVER = otherwise("not told over these few periods")
FEW = otherwise("too few common periods to part it from the benchmark")
ACTIVE = Need(lambda s: s.beside.active.squares > 0, "portfolio and benchmark never part")

BENCHMARK_METRICS: tuple[Metric, ...] = (
    _metric("common_observations", "Common observations", "count", "Periods that portfolio and benchmark both have.",
            lambda s: s.beside.own.count),
    _metric("active_return", "Active return", "percent", "Annual return − that of the benchmark, on common periods.",
            lambda s: benchmark.active_return(s.beside, periods=s.periods, years=s.common_years), SOLVENT, YEAR),
    _metric("alpha", "Alpha", "percent",
            "Intercept of r − rf on b − rf (least squares) × periods a year (Jensen 1968).",
            lambda s: benchmark.alpha(s.beside, risk_free=s.rate, periods=s.periods), BENCHMARK_VARIES),
    _metric("beta", "Beta", "ratio", "cov(r − rf, b − rf) / var(b − rf).",
            lambda s: benchmark.beta(s.beside, risk_free=s.rate), BENCHMARK_VARIES),
    _metric("beta_up", "Beta, rising benchmark", "ratio", "Beta over the periods with b > rf.",
            lambda s: benchmark.beta(s.beside, risk_free=s.rate, side="bull"), BENCHMARK_VARIES, UPS),
    _metric("beta_down", "Beta, falling benchmark", "ratio", "Beta over the periods with b < rf.",
            lambda s: benchmark.beta(s.beside, risk_free=s.rate, side="bear"), BENCHMARK_VARIES, DOWNS),
    _metric("r_squared", "R²", "ratio", "Share of the variance that the benchmark explains.",
            lambda s: benchmark.r_squared(s.beside, risk_free=s.rate), VARIES, BENCHMARK_VARIES),
    _metric("correlation", "Correlation", "ratio", "Pearson, of the returns.",
            lambda s: benchmark.correlation(s.beside), VARIES, BENCHMARK_VARIES),
    _metric("tracking_error", "Tracking error", "percent", "std(r − b, n − 1) · √periods a year.",
            lambda s: benchmark.tracking_error(s.beside, periods=s.periods)),
    _metric("information_ratio", "Information ratio", "ratio",
            "mean(r − b) / std(r − b, n − 1) · √periods a year: arithmetic.",
            lambda s: benchmark.information_ratio(s.beside, periods=s.periods), ACTIVE),
    _metric("up_capture", "Up capture", "percent",
            "Annualised return over the periods with b > 0, over that of the benchmark. It compounds those alone: "
            "half of the benchmark every day is less than 50 % up; read it beside beta.",
            lambda s: benchmark.capture(s.beside, side="up", periods=s.periods), UPS, SOLVENT, NEVER),
    _metric("down_capture", "Down capture", "percent",
            "Annualised return over the periods with b < 0, over that of the benchmark. It compounds those alone: "
            "half of the benchmark every day is more than 50 % down; read it beside beta.",
            lambda s: benchmark.capture(s.beside, side="down", periods=s.periods), DOWNS, SOLVENT, NEVER),
    _metric("up_number", "Up number", "percent", "Share of the benchmark's rising periods in which the portfolio rose.",
            lambda s: benchmark.up_down_number(s.beside, side="up"), UPS),
    _metric("down_number", "Down number", "percent",
            "Share of the benchmark's falling periods in which the portfolio fell.",
            lambda s: benchmark.up_down_number(s.beside, side="down"), DOWNS),
    _metric("batting_average", "Batting average", "percent", "Share of the periods with r > b.",
            lambda s: benchmark.batting_average(s.beside)),
    _metric("timing", "Timing", "ratio", "γ of r − rf on b − rf and max(rf − b, 0) (Henriksson & Merton 1981).",
            lambda s: benchmark.market_timing(s.beside, risk_free=s.rate), BENCHMARK_VARIES, DOWNS, FEW),
    _metric("treynor", "Treynor", "ratio", "Annual mean(r − rf) over beta (Treynor 1965).",
            lambda s: benchmark.treynor(s.beside, risk_free=s.rate, periods=s.periods), VARIES, BENCHMARK_VARIES),
    _metric("appraisal_ratio", "Appraisal ratio", "ratio",
            "Alpha over the deviation of what beta does not explain (Bacon 2008).",
            lambda s: benchmark.appraisal_ratio(s.beside, risk_free=s.rate, periods=s.periods),
            VARIES, BENCHMARK_VARIES, FEW),
    _metric("m_squared", "M²", "percent",
            "rf + Sharpe · the benchmark's volatility, a year (Modigliani & Modigliani 1997).",
            lambda s: benchmark.m_squared(s.beside, risk_free=s.rate, periods=s.periods), VARIES),
    _metric("specific_risk", "Specific risk", "percent", "Deviation of what beta does not explain, a year.",
            lambda s: benchmark.specific_risk(s.beside, risk_free=s.rate, periods=s.periods), BENCHMARK_VARIES),
    _metric("systematic_risk", "Systematic risk", "percent", "|beta| · the benchmark's volatility, a year.",
            lambda s: benchmark.systematic_risk(s.beside, risk_free=s.rate, periods=s.periods), BENCHMARK_VARIES),
)  # fmt: skip
