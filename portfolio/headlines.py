"""The headline figures of a portfolio as numbers: value, returns to date, estimates with intervals, drawdown."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analytics import intervals
from analytics.block import Floats
from analytics.calendar import ToDate, to_date, trailing_months
from analytics.drawdown import underwater
from analytics.intervals import Interval
from analytics.metrics import METRICS, Metric
from analytics.performance import Track, between, worst
from analytics.returns import per_period_rate
from portfolio.data import PortfolioData
from portfolio.summary import period_before, side_by_side

ESTIMATES = (
    "annual_return", "volatility", "sharpe", "sortino", "max_drawdown", "value_at_risk", "expected_shortfall",
    "beta", "information_ratio",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NetAssetValue:
    """The newest value, in the portfolio's currency; NaN where there is none."""

    value: float
    change: float
    """Since the value before, flows included."""
    net_flow: float
    """Since the first value."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A time-weighted return beside the benchmark's, as ratios; NaN where the history is too short."""

    own: float
    benchmark: float | None
    """None without a benchmark."""

    @property
    def ahead(self) -> float:
        """Return the own return less the benchmark's; NaN where one of them is missing."""
        return math.nan if self.benchmark is None else self.own - self.benchmark


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure of the window and how sure it is, in the unit of its metric; NaN where it is missing."""

    metric: Metric
    value: float
    reason: str
    """Why the value is missing, else empty."""
    benchmark: float | None
    """The benchmark's own; None without one, and for figures that are told against it."""
    interval: Interval
    """95 %, for independent returns; NaN for figures that have none."""
    change: float
    """Against the figure without the window's last return."""


@dataclass(frozen=True, slots=True)
class CurrentDrawdown:
    """How far the index is below its running maximum, over the whole history by day."""

    depth: float
    """0 or negative, a ratio; NaN without a value."""
    peak: np.datetime64 | None
    """The last day at the maximum; None at it and without a value."""
    days: int
    """Calendar days since the peak; 0 at it."""
    change: float
    """Of the depth since the value before; NaN when there is none."""


def net_asset_value(data: PortfolioData) -> NetAssetValue:
    """Return the newest value, its change and the money that came in."""
    nav = data.nav
    value = float(nav.value[-1]) if len(nav) else math.nan
    change = float(nav.value[-1] - nav.value[-2]) if len(nav) > 1 else math.nan
    return NetAssetValue(value, change, float(nav.flow[1:].sum()))


def day_return(data: PortfolioData) -> Compared:
    """Return the return since the value before the last."""
    other = _up_to_date(data)
    return Compared(last_return(data.own.daily), None if other is None else last_return(other))


def to_date_return(data: PortfolioData, period: ToDate) -> Compared:
    """Return the return since the last value of the week, month, quarter or year before."""
    other = _up_to_date(data)
    return Compared(_to_date(data.own.daily, period), None if other is None else _to_date(other, period))


def year_return(data: PortfolioData) -> Compared:
    """Return the return since the value on the same day a year earlier."""
    other = _up_to_date(data)
    return Compared(_year(data.own.daily), None if other is None else _year(other))


def window_return(data: PortfolioData) -> Compared:
    """Return the return of the window."""
    other = data.part_benchmark
    return Compared(_total(data.part), None if other is None else _total(other))


def total_return(data: PortfolioData) -> Compared:
    """Return the return of the whole history by day."""
    other = _up_to_date(data)
    return Compared(_total(data.own.daily), None if other is None else _total(other))


def estimates(data: PortfolioData) -> list[Estimate]:
    """Return the figures `ESTIMATES` of the window, in that order; without a benchmark those that need none."""
    metrics = [metric for metric in METRICS if metric.key in ESTIMATES]
    found = side_by_side(data, metrics)
    before = period_before(data, metrics) if len(data.part) > 2 else None
    sure = _intervals(data, data.part.returns[1:])
    by_key = {metric.key: metric for metric in found.metrics}
    return [
        Estimate(
            metric=by_key[key],
            value=found.of(key),
            reason=found.reason(key),
            benchmark=found.of(key, -1) if data.benchmark and not by_key[key].needs_benchmark else None,
            interval=sure.get(key, intervals.NONE),
            change=math.nan if before is None else found.of(key) - before.of(key),
        )
        for key in ESTIMATES
        if key in by_key
    ]


def observations(data: PortfolioData) -> int:
    """Return how many returns the window has."""
    return int(np.isfinite(data.part.returns).sum())


def trough(data: PortfolioData) -> np.datetime64 | None:
    """Return the day of the window's maximum drawdown; None when there is no drawdown."""
    deepest = worst(data.part, 1)
    return data.part.dates[deepest[0].trough] if deepest else None


def current_drawdown(data: PortfolioData) -> CurrentDrawdown:
    """Return the drawdown at the last value, whatever the window."""
    dates = data.own.daily.dates
    water = underwater(data.own.daily.index)
    now = float(water[-1]) if len(water) else math.nan
    change = now - float(water[-2]) if len(water) > 1 else math.nan
    if not now < 0:
        return CurrentDrawdown(now, None, 0, change)
    peak = dates[len(water) - 1 - int(np.argmax(water[::-1] == 0))]
    return CurrentDrawdown(now, peak, int((dates[-1] - peak).astype(int)), change)


def last_return(track: Track) -> float:
    """Return the last return of a track, NaN when it has none."""
    return float(track.returns[-1]) if len(track) > 1 else math.nan


def _intervals(data: PortfolioData, returns: Floats) -> dict[str, Interval]:
    rate = per_period_rate(data.query.risk_free, data.periods)
    found = {
        "annual_return": intervals.annual_return_interval(returns, data.periods),
        "volatility": intervals.volatility_interval(returns, data.periods),
        "sharpe": intervals.sharpe_interval(returns, rate, data.periods),
        "sortino": intervals.sortino_interval(returns, rate, data.periods),
        "value_at_risk": intervals.value_at_risk_interval(returns),
        "expected_shortfall": intervals.expected_shortfall_interval(returns),
    }
    if data.benchmark:
        own, other = data.pair(data.own)
        found["beta"] = intervals.beta_interval(own.returns[1:], other.returns[1:])
    return found


def _up_to_date(data: PortfolioData) -> Track | None:
    """Return the benchmark, without a day when it ends before the portfolio does: its week would be another."""
    if data.benchmark is None:
        return None
    other, own = data.benchmark.daily, data.own.daily
    if len(other) and len(own) and other.dates[-1] == own.dates[-1]:
        return other
    return between(other, 0, 0)


def _to_date(track: Track, period: ToDate) -> float:
    return float(to_date(track.dates, track.index, period))


def _year(track: Track) -> float:
    return float(trailing_months(track.dates, track.index, 12))


def _total(track: Track) -> float:
    return float(track.index[-1] / track.index[0] - 1) if len(track) > 1 else math.nan
