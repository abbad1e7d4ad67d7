"""Metrics of reward for risk, and how sure of it one can be."""

from __future__ import annotations

from analytics import ratios, significance
from analytics.metrics.base import (
    DREW_DOWN,
    ENOUGH,
    FALLS,
    SOLVENT,
    VARIES,
    YEAR,
    Metric,
    Need,
    in_group,
    otherwise,
)

_metric = in_group("Reward for risk")
_how_sure = in_group("How sure")


RATIOS: tuple[Metric, ...] = (
    _metric("sharpe", "Sharpe", "ratio", "mean(r − rf) / std(r − rf, n − 1) · √periods a year (Sharpe 1994).",
            lambda s: ratios.sharpe(s.block, s.rate, s.periods), ENOUGH, VARIES),
    _metric("adjusted_sharpe", "Adjusted Sharpe", "ratio",
            "Sharpe · (1 + skewness/6 · Sharpe − (kurtosis − 3)/24 · Sharpe²) (Pezier & White 2006).",
            lambda s: ratios.adjusted_sharpe(s.block, s.rate, s.periods), ENOUGH, VARIES),
    _metric("sortino", "Sortino", "ratio",
            "mean(r − rf) · periods over the annual downside deviation of the whole sample "
            "(Sortino & van der Meer 1991).",
            lambda s: ratios.sortino(s.block, s.rate, s.periods), ENOUGH, FALLS),
    _metric("calmar", "Calmar", "ratio", "Annual return over the size of the maximum drawdown (Young 1991).",
            lambda s: ratios.calmar(s.block, s.periods, years=s.years), ENOUGH, SOLVENT, YEAR, DREW_DOWN),
    _metric("sterling", "Sterling", "ratio",
            "Annual return over the size of the maximum drawdown plus 10 points (Kestner 1996).",
            lambda s: ratios.sterling(s.block, s.periods, years=s.years), ENOUGH, SOLVENT, YEAR, DREW_DOWN),
    _metric("burke", "Burke", "ratio", "Annual excess return over √Σ(depth of each drawdown)² (Burke 1994).",
            lambda s: ratios.burke(s.block, s.rate, s.periods, years=s.years), ENOUGH, SOLVENT, YEAR, DREW_DOWN),
    _metric("martin", "Martin", "ratio", "Annual excess return over the ulcer index (Martin & McCann 1989).",
            lambda s: ratios.martin(s.block, s.rate, s.periods, years=s.years), ENOUGH, SOLVENT, YEAR, DREW_DOWN),
    _metric("pain_ratio", "Pain ratio", "ratio", "Annual excess return over the pain index (Becker 2006).",
            lambda s: ratios.pain_ratio(s.block, s.rate, s.periods, years=s.years), ENOUGH, SOLVENT, YEAR, DREW_DOWN),
    _metric("omega", "Omega", "ratio", "Σ max(r − rf, 0) / Σ max(rf − r, 0) (Keating & Shadwick 2002).",
            lambda s: ratios.omega(s.block, s.rate), ENOUGH, FALLS),
    _metric("kappa_3", "Kappa 3", "ratio",
            "mean(r − rf) over the cube root of the third lower partial moment (Kaplan & Knowles 2004).",
            lambda s: ratios.kappa(s.block, 3, s.rate), ENOUGH, FALLS),
    _metric("upside_potential_ratio", "Upside potential", "ratio",
            "mean of max(r − rf, 0) over the downside deviation (Sortino, van der Meer & Plantinga 1999).",
            lambda s: ratios.upside_potential_ratio(s.block, s.rate), ENOUGH, FALLS),
    _metric("gain_to_pain", "Gain to pain", "ratio", "Σ r / Σ |negative r| (Schwager 2012).",
            lambda s: ratios.gain_to_pain(s.block), ENOUGH, FALLS),
    _metric("tail_ratio", "Tail ratio", "ratio", "95th percentile over the size of the 5th.",
            lambda s: ratios.tail_ratio(s.block), ENOUGH, VARIES, otherwise("the 5th percentile is not a loss")),
    _metric("common_sense_ratio", "Common sense ratio", "ratio", "Profit factor × tail ratio.",
            lambda s: ratios.common_sense_ratio(s.block), ENOUGH, FALLS),
    _metric("recovery_factor", "Recovery factor", "ratio", "Total return over the size of the maximum drawdown.",
            lambda s: ratios.recovery_factor(s.block), ENOUGH, SOLVENT, DREW_DOWN),
    _metric("kelly", "Kelly share", "percent",
            "mean(r − rf) / variance: the share of capital with the highest growth (Thorp 2006).",
            lambda s: ratios.kelly(s.block, s.rate), ENOUGH, VARIES),
    _how_sure("sharpe_low", "Sharpe, low end", "ratio", "Lower end of its confidence interval (Mertens 2002).",
            lambda s: significance.sharpe_interval(s.block, s.rate, s.periods, level=s.level)[0],
            ENOUGH, VARIES),
    _how_sure("sharpe_high", "Sharpe, high end", "ratio", "Upper end of its confidence interval (Mertens 2002).",
            lambda s: significance.sharpe_interval(s.block, s.rate, s.periods, level=s.level)[1],
            ENOUGH, VARIES),
    _how_sure("probabilistic_sharpe", "Probability Sharpe > 0", "percent",
            "Φ(SR · √(n − 1) / √(1 − γ₃SR + (γ₄ − 1)/4 · SR²)), a period (Bailey & López de Prado 2012).",
            lambda s: significance.probabilistic_sharpe(s.block, 0.0, s.rate), ENOUGH, VARIES),
    _how_sure("minimum_track_record", "Minimum track record", "periods",
            "Returns needed to be sure at 95 % that the Sharpe ratio is above 0 (Bailey & López de Prado 2012).",
            lambda s: significance.minimum_track_record(s.block, 0.0, s.rate), ENOUGH, VARIES,
            Need(lambda s: ratios.sharpe(s.block, s.rate) > 0, "the Sharpe ratio is not above 0: no length is enough")),
)  # fmt: skip
