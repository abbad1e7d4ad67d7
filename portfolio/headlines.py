"""The headline figures of a portfolio as numbers: value, returns to date, estimates with intervals, drawdown."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analytics import intervals
from analytics.block import Floats
from analytics.cadence import Cadence
from analytics.calendar import ToDate, years_between
from analytics.drawdown import underwater
from analytics.intervals import Interval
from analytics.metrics import METRICS, Metric
from analytics.performance import Track, between, spanning_returns, worst
from portfolio import since
from portfolio.data import Line, PortfolioData
from portfolio.since import Since
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
    """A time-weighted return beside the benchmark's, as ratios; NaN where there is none."""

    own: float
    benchmark: float | None
    """None without a benchmark."""
    told: str = ""
    """What must be known beside it, such as that it is since inception."""
    reason: str = ""
    """Why it is missing."""
    others: tuple[float, ...] = ()
    """Of those it is compared with, in their order."""

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
    told: str
    """What must be known beside it, such as a gap in its window; else empty."""
    benchmark: float | None
    """The benchmark's own; None without one, and for figures that are told against it."""
    interval: Interval
    """95 %, for independent returns; NaN for figures that have none."""
    change: float
    """Against the figure without the window's last return."""
    others: tuple[float, ...] = ()
    """Of those it is compared with, in their order."""


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
    others: tuple[float, ...] = ()
    """Depth of those it is compared with, at their own last values, in their order."""


def net_asset_value(data: PortfolioData) -> NetAssetValue:
    """Return the newest value, its change and the money that came in."""
    nav = data.nav
    value = float(nav.value[-1]) if len(nav) else math.nan
    change = float(nav.value[-1] - nav.value[-2]) if len(nav) > 1 else math.nan
    return NetAssetValue(value, change, float(nav.flow[1:].sum()))


def day_return(data: PortfolioData) -> Compared:
    """Return the return since the value before the last."""
    return _compared(data, since.last_return)


def to_date_return(data: PortfolioData, period: ToDate) -> Compared:
    """Return the return since the last value of the week, month, quarter or year before."""
    return _compared(data, lambda track, cadence: since.since(track, cadence, period))


def year_return(data: PortfolioData) -> Compared:
    """Return the return since the value on the same day a year earlier."""
    return _compared(data, lambda track, cadence: since.since(track, cadence, "1Y"))


def window_return(data: PortfolioData) -> Compared:
    """Return the return of the window: as other cards tell it where the calendar has one, else of the days shown."""
    window = data.query.window
    if data.query.span is None and window in since.PERIOD:
        return _compared(data, lambda track, cadence: since.since(track, cadence, window))
    own, other = since.whole_return(data.part, data.own.cadence), data.part_benchmark
    others = tuple(_total(line.part) for line in data.compared)
    return Compared(own.value, None if other is None else _total(other), own.told, own.reason, others)


def total_return(data: PortfolioData) -> Compared:
    """Return the return of the whole history by day."""
    return _compared(data, since.whole_return)


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
            told=found.remark(key),
            benchmark=found.of(key, -1) if data.benchmark and not by_key[key].needs_benchmark else None,
            interval=sure.get(key, intervals.NONE),
            change=math.nan if before is None else found.of(key) - before.of(key),
            others=tuple(found.of(key, at) for at in range(1, len(data.lines))),
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
    now = _last(water)
    change = now - float(water[-2]) if len(water) > 1 else math.nan
    others = tuple(_last(underwater(line.daily.index)) for line in data.compared)
    if not now < 0:
        return CurrentDrawdown(now, None, 0, change, others)
    peak = dates[len(water) - 1 - int(np.argmax(water[::-1] == 0))]
    return CurrentDrawdown(now, peak, int((dates[-1] - peak).astype(int)), change, others)


def _last(found: Floats) -> float:
    return float(found[-1]) if len(found) else math.nan


def _intervals(data: PortfolioData, returns: Floats) -> dict[str, Interval]:
    excess = returns - data.risk_free.a_period(data.part.dates, data.periods)
    years = years_between(*data.part.dates[[0, -1]]) if len(data.part) else 0.0
    found = {
        "annual_return": intervals.annual_return_interval(spanning_returns(data.part), years),
        "volatility": intervals.volatility_interval(returns, data.periods),
        "sharpe": intervals.sharpe_interval(excess, 0.0, data.periods),
        "sortino": intervals.sortino_interval(excess, 0.0, data.periods),
        "value_at_risk": intervals.value_at_risk_interval(returns, data.query.confidence),
        "expected_shortfall": intervals.expected_shortfall_interval(returns, data.query.confidence),
    }
    if data.benchmark:
        own, other = data.pair(data.own)
        found["beta"] = intervals.beta_interval(own.returns[1:], other.returns[1:])
    return found


def _up_to_date(data: PortfolioData, line: Line) -> Track:
    """Return a line, without a day when it ends before the portfolio does: its week would be another."""
    other, own = line.daily, data.own.daily
    if len(other) and len(own) and other.dates[-1] == own.dates[-1]:
        return other
    return between(other, 0, 0)


def _compared(data: PortfolioData, of: Callable[[Track, Cadence], Since]) -> Compared:
    own = of(data.own.daily, data.own.cadence)
    others = tuple(of(_up_to_date(data, line), line.cadence).value for line in data.compared)
    beside = of(_up_to_date(data, data.benchmark), data.own.cadence).value if data.benchmark else None
    return Compared(own.value, beside, own.told, own.reason, others)


def _total(track: Track) -> float:
    return float(track.index[-1] / track.index[0] - 1) if len(track) > 1 else math.nan
