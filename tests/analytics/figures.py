"""Every figure of one kind of returns alone, by name: what must hold for all of them is asked of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from analytics import drawdown, ratios, returns, risk

Figure = Callable[[Any], Any]

COMPOUNDED: dict[str, Figure] = {
    "total_return": returns.total_return,
    "annual_return": lambda r: returns.annual_return(r, 12),
    "geometric_mean": returns.geometric_mean,
    "calmar": lambda r: ratios.calmar(r, 12),
    "sterling": lambda r: ratios.sterling(r, 12),
    "burke": lambda r: ratios.burke(r, 0.001, 12),
    "burke_losses": lambda r: ratios.burke(r, 0.001, 12, modified=True, falls="losses"),
    "martin": lambda r: ratios.martin(r, 0.001, 12),
    "pain_ratio": lambda r: ratios.pain_ratio(r, 0.001, 12),
    "recovery_factor": ratios.recovery_factor,
    "max_drawdown": drawdown.max_drawdown,
    "current_drawdown": drawdown.current_drawdown,
    "average_drawdown": drawdown.average_drawdown,
    "ulcer_index": drawdown.ulcer_index,
    "pain_index": drawdown.pain_index,
    "time_under_water": drawdown.time_under_water,
    "episode_count": drawdown.episode_count,
    "average_episode_depth": drawdown.average_episode_depth,
    "average_duration": drawdown.average_duration,
    "longest_duration": drawdown.longest_duration,
    "current_duration": drawdown.current_duration,
    "recovery_time": drawdown.recovery_time,
    "conditional_drawdown_at_risk": drawdown.conditional_drawdown_at_risk,
    "drawdown_at_risk": drawdown.drawdown_at_risk,
    "current_drawdown_rank": drawdown.current_drawdown_rank,
}
"""Figures of wealth: after a loss of more than 100 % there are none."""

PLAIN: dict[str, Figure] = {
    "mean_return": returns.mean_return,
    "sum": lambda r: returns.total_return(r, geometric=False),
    "best": returns.best,
    "worst": returns.worst,
    "hit_rate": returns.hit_rate,
    "average_gain": returns.average_gain,
    "average_loss": returns.average_loss,
    "gain_loss_ratio": returns.gain_loss_ratio,
    "profit_factor": returns.profit_factor,
    "longest_win_streak": returns.longest_win_streak,
    "longest_loss_streak": returns.longest_loss_streak,
    "sharpe": lambda r: ratios.sharpe(r, 0.001, 12),
    "sortino": lambda r: ratios.sortino(r, 0.001, 12),
    "adjusted_sharpe": lambda r: ratios.adjusted_sharpe(r, 0.001, 12),
    "omega": lambda r: ratios.omega(r, 0.001),
    "omega_sharpe": lambda r: ratios.omega_sharpe(r, 0.001),
    "kappa": lambda r: ratios.kappa(r, 3, 0.001),
    "upside_potential_ratio": ratios.upside_potential_ratio,
    "bernardo_ledoit": ratios.bernardo_ledoit,
    "gain_to_pain": ratios.gain_to_pain,
    "d_ratio": ratios.d_ratio,
    "prospect_ratio": ratios.prospect_ratio,
    "variability_skewness": lambda r: ratios.volatility_skewness(r, 0.001, "variability"),
    "volatility_skewness": ratios.volatility_skewness,
    "downside_sharpe": ratios.downside_sharpe,
    "tail_ratio": ratios.tail_ratio,
    "stability": ratios.stability,
    "common_sense_ratio": ratios.common_sense_ratio,
    "kelly": ratios.kelly,
    "volatility": lambda r: risk.volatility(r, 12),
    "downside_deviation": risk.downside_deviation,
}
"""Figures of the returns as they are, in whatever order or size."""

FIGURES = COMPOUNDED | PLAIN
