"""Metrics of the way under water."""

from __future__ import annotations

from analytics import drawdown
from analytics.metrics.base import ANY, DREW_DOWN, SOLVENT, TWO, Metric, in_group

_metric = in_group("Drawdown")


DRAWDOWN: tuple[Metric, ...] = (
    _metric("max_drawdown", "Maximum drawdown", "percent", "min of D_t = W_t / max(W_0 … W_t) − 1; the start counts.",
            lambda s: drawdown.max_drawdown(s.block), ANY, SOLVENT),
    _metric("current_drawdown", "Current drawdown", "percent", "D_t today.",
            lambda s: drawdown.current_drawdown(s.block), ANY, SOLVENT),
    _metric("average_drawdown", "Average drawdown", "percent", "Mean depth of the spells under water.",
            lambda s: drawdown.average_episode_depth(s.block), ANY, SOLVENT, DREW_DOWN),
    _metric("drawdown_count", "Drawdowns", "count", "Spells under water, the running one included.",
            lambda s: drawdown.episode_count(s.block), ANY, SOLVENT),
    _metric("longest_drawdown", "Longest drawdown", "periods", "Most periods from a peak to its recovery, or to today.",
            lambda s: drawdown.longest_duration(s.block), ANY, SOLVENT),
    _metric("average_duration", "Average duration", "periods", "Mean periods from a peak to its recovery, or to today.",
            lambda s: drawdown.average_duration(s.block), ANY, SOLVENT, DREW_DOWN),
    _metric("current_duration", "Current duration", "periods", "Periods since the last peak.",
            lambda s: drawdown.current_duration(s.block), ANY, SOLVENT),
    _metric("time_under_water", "Time under water", "percent", "Share of the periods below an earlier peak.",
            lambda s: drawdown.time_under_water(s.block), ANY, SOLVENT),
    _metric("ulcer_index", "Ulcer index", "percent", "√(Σ D² / n) (Martin & McCann 1989).",
            lambda s: drawdown.ulcer_index(s.block), ANY, SOLVENT),
    _metric("pain_index", "Pain index", "percent", "Σ|D| / n (Becker 2006).",
            lambda s: drawdown.pain_index(s.block), ANY, SOLVENT),
    _metric("cdar", "Conditional drawdown at risk", "percent",
            "Mean of the worst 5 % of D (Chekhlov, Uryasev & Zabarankin 2005).",
            lambda s: drawdown.conditional_drawdown_at_risk(s.block, s.level), ANY, SOLVENT),
    _metric("drawdown_at_risk", "Drawdown at risk", "percent",
            "Depth that D stays above 95 % of the time: the D of that rank, an order statistic, not between two ranks.",
            lambda s: drawdown.drawdown_at_risk(s.block, s.level), ANY, SOLVENT),
    _metric("expected_max_drawdown", "Expected maximum drawdown", "percent",
            "Of a Brownian motion with this mean, volatility and length (Magdon-Ismail & Atiya 2004).",
            lambda s: drawdown.expected_max_drawdown(s.block.mean, s.block.deviation(), s.block.count), TWO),
)  # fmt: skip
