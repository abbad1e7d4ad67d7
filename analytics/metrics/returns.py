"""Metrics of returns: what was earned, over which span, and how evenly."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from analytics import calendar, returns
from analytics.block import Floats
from analytics.metrics.base import (
    ANY,
    DATED,
    ENOUGH,
    FALLS,
    SOLVENT,
    YEAR,
    YEAR_OF_RETURNS,
    Metric,
    Need,
    Scope,
    in_group,
    otherwise,
)

REACHES_BACK = otherwise("the history does not reach back that far")
RISES = Need(lambda scope: np.asarray((scope.block.filled > 0).any(axis=1)), "no return was positive")

_metric = in_group("Returns")


def _dated(function: Callable[..., Any], *args: Any) -> Callable[[Scope], Floats]:
    return partial(_with_dates, function, args)


def _with_dates(function: Callable[..., Any], args: tuple[Any, ...], scope: Scope) -> Floats:
    if scope.dates is None:
        return scope.block.mean * float("nan")
    found: Floats = function(scope.dates, scope.block, *args)
    return found


def _annualised(years: int) -> Callable[[Scope], Floats]:
    """Return the trailing return of `years` years a year."""
    total = _dated(calendar.trailing_months, 12 * years)
    return lambda scope: (1.0 + total(scope)) ** (1.0 / years) - 1.0


WINDOW = (ANY, SOLVENT, DATED, REACHES_BACK)
RETURNS: tuple[Metric, ...] = (
    _metric("observations", "Observations", "count",
            "Returns that are there; a missing one is left out, never taken for 0.",
            lambda s: s.block.count),
    _metric("total_return", "Total return", "percent", "∏(1 + r) − 1 over the window, time-weighted.",
            lambda s: s.block.total, ANY, SOLVENT),
    _metric("annual_return", "Annual return", "percent",
            "Compounded by elapsed time: ∏(1 + r)^(365.25 / days) − 1. Not told below a year (GIPS).",
            lambda s: returns.annual_return(s.block, s.periods, years=s.years), ANY, SOLVENT, YEAR),
    _metric("annual_return_observed", "Annual return, by observations", "percent",
            "Compounded: ∏(1 + r)^(periods a year / n) − 1, whatever time has passed. Not told below a year of them.",
            lambda s: returns.annual_return(s.block, s.periods), ANY, SOLVENT, YEAR_OF_RETURNS),
    _metric("mean_return", "Mean return × periods", "percent", "Arithmetic mean of the returns × periods a year.",
            lambda s: s.block.mean * s.periods, ENOUGH),
    _metric("geometric_mean", "Geometric mean", "percent", "∏(1 + r)^(1/n) − 1, a period.",
            lambda s: (1.0 + s.block.total) ** (1.0 / s.block.known) - 1.0, ANY, SOLVENT),
    _metric("return_day", "Last period", "percent", "The newest return.", _dated(calendar.last_return), ANY),
    _metric("return_wtd", "Week to date", "percent", "Since the last value of the ISO week before.",
            _dated(calendar.to_date, "WTD"), *WINDOW),
    _metric("return_mtd", "Month to date", "percent", "Since the last value of the month before.",
            _dated(calendar.to_date, "MTD"), *WINDOW),
    _metric("return_qtd", "Quarter to date", "percent", "Since the last value of the quarter before.",
            _dated(calendar.to_date, "QTD"), *WINDOW),
    _metric("return_ytd", "Year to date", "percent", "Since the last value of the year before.",
            _dated(calendar.to_date, "YTD"), *WINDOW),
    _metric("return_3m", "3 months", "percent", "Since the last value on or before the same day three months earlier.",
            _dated(calendar.trailing_months, 3), *WINDOW),
    _metric("return_6m", "6 months", "percent", "Since the last value on or before the same day six months earlier.",
            _dated(calendar.trailing_months, 6), *WINDOW),
    _metric("return_1y", "1 year", "percent", "Since the last value on or before the same day a year earlier.",
            _dated(calendar.trailing_months, 12), *WINDOW),
    _metric("return_3y", "3 years, a year", "percent", "Since the same day three years earlier, annualised.",
            _annualised(3), *WINDOW),
    _metric("return_5y", "5 years, a year", "percent", "Since the same day five years earlier, annualised.",
            _annualised(5), *WINDOW),
    _metric("best_period", "Best period", "percent", "Highest return.", lambda s: returns.best(s.block), ANY),
    _metric("worst_period", "Worst period", "percent", "Lowest return.", lambda s: returns.worst(s.block), ANY),
    _metric("best_month", "Best month", "percent", "Highest return of a calendar month.",
            _dated(calendar.best, "M"), *WINDOW),
    _metric("worst_month", "Worst month", "percent", "Lowest return of a calendar month.",
            _dated(calendar.worst, "M"), *WINDOW),
    _metric("best_year", "Best year", "percent",
            "Highest return of a full calendar year.",
            _dated(calendar.best, "Y"), *WINDOW),
    _metric("worst_year", "Worst year", "percent",
            "Lowest return of a full calendar year.",
            _dated(calendar.worst, "Y"), *WINDOW),
    _metric("hit_rate", "Positive periods", "percent", "Share of the returns above 0.",
            lambda s: returns.hit_rate(s.block), ANY),
    _metric("positive_months", "Positive months", "percent", "Share of calendar months with a return above 0.",
            _dated(calendar.positive_share, "M"), *WINDOW),
    _metric("positive_years", "Positive years", "percent", "Share of full calendar years with a return above 0.",
            _dated(calendar.positive_share, "Y"), *WINDOW),
    _metric("average_gain", "Average gain", "percent", "Mean of the returns above 0.",
            lambda s: returns.average_gain(s.block), ANY, RISES),
    _metric("average_loss", "Average loss", "percent", "Mean of the returns below 0.",
            lambda s: returns.average_loss(s.block), ANY, FALLS),
    _metric("gain_loss_ratio", "Gain to loss", "ratio", "Average gain over the size of the average loss.",
            lambda s: returns.gain_loss_ratio(s.block), ANY, FALLS, RISES),
    _metric("profit_factor", "Profit factor", "ratio", "Sum of gains over the size of the sum of losses.",
            lambda s: returns.profit_factor(s.block), ANY, FALLS),
    _metric("longest_win_streak", "Longest run of gains", "periods", "Most returns above 0 in a row.",
            lambda s: returns.longest_win_streak(s.block), ANY),
    _metric("longest_loss_streak", "Longest run of losses", "periods", "Most returns below 0 in a row.",
            lambda s: returns.longest_loss_streak(s.block), ANY),
)  # fmt: skip
