"""Every figure of the window for all lines side by side: each on its own days, beside the benchmark on common ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from analytics.block import Floats
from analytics.cadence import Cadence
from analytics.calendar import Frequency as Period
from analytics.calendar import months_before
from analytics.metrics import DEFAULT_CONFIDENCE, METRICS, SURE, TAILS, Metric, at_confidence
from analytics.performance import Track, Window, between, between_dates, spanning_returns, until
from analytics.summary import UNKNOWN, Summary, summary
from portfolio.data import Line, PortfolioData
from portfolio.money import MONEY, of_line
from portfolio.since import NOTHING, Since, between_days, by_period, full_years, gap_within, last_return, since

TO_DATE: dict[str, Window] = {"return_wtd": "WTD", "return_mtd": "MTD", "return_qtd": "QTD", "return_ytd": "YTD"}
TRAILING_MONTHS = {"return_3m": 3, "return_6m": 6, "return_1y": 12, "return_3y": 36, "return_5y": 60}
SINCE = ("return_day", *TO_DATE, *TRAILING_MONTHS)
"""Metrics of calendar windows: they are of the whole history by day, whatever the window and frequency."""
BY_CALENDAR: dict[str, tuple[Period, Callable[[Floats], float]]] = {
    "best_month": ("M", np.max),
    "worst_month": ("M", np.min),
    "positive_months": ("M", lambda found: float(np.mean(found > 0))),
    "best_year": ("Y", np.max),
    "worst_year": ("Y", np.min),
    "positive_years": ("Y", lambda found: float(np.mean(found > 0))),
}
"""Metrics of calendar periods: of the window by day, whatever the frequency."""
NO_FULL_YEAR = Since(math.nan, reason="there is no full calendar year in the window")
COMPOUNDED = (
    "total_return", "annual_return", "geometric_mean", "calmar", "sterling", "burke", "martin", "pain_ratio",
    "recovery_factor", "max_drawdown", "current_drawdown", "average_drawdown", "drawdown_count", "longest_drawdown",
    "average_duration", "current_duration", "time_under_water", "ulcer_index", "pain_index", "cdar",
    "drawdown_at_risk",
)  # fmt: skip
"""Metrics of the way from the first value to the last: it leads across gaps. Of others a gap is no period's return."""
ALL_METRICS: tuple[Metric, ...] = (*METRICS, *SURE, *MONEY)
ITSELF = "this is the benchmark"


def side_by_side(data: PortfolioData, metrics: Sequence[Metric] = ALL_METRICS) -> Summary:
    """Return the figures of the chosen portfolio, those compared and, last, the benchmark.

    What is told against the benchmark is missing for the benchmark itself ("this is the benchmark").
    """
    return _figures(data, columns(data), metrics)


def of_family(data: PortfolioData, lines: Sequence[Line], keys: Sequence[str]) -> Summary:
    """Return the figures `keys` of `lines`, each over its own window."""
    return _figures(data, lines, [metric for metric in METRICS if metric.key in keys])


def unit_of(metric: Metric, data: PortfolioData) -> str:
    """Return the unit of a figure as files and programs are told it: what a page shows in percent is a ratio."""
    return {"percent": "ratio", "periods": data.counted}.get(metric.unit, metric.unit)


def columns(data: PortfolioData) -> tuple[Line, ...]:
    """Return the lines in the order of `side_by_side`."""
    return (*data.lines, data.benchmark) if data.benchmark else data.lines


def period_before(data: PortfolioData, metrics: Sequence[Metric]) -> Summary:
    """Return the figures of the chosen portfolio as they were a period before, without the window's last return."""
    return _figures(data, [replace(data.own, part=between(data.part, 0, -1))], metrics)


def common_periods(periods: float, whole: Track, kept: Track) -> float:
    """Return how many returns a year there are of those `kept` of the days of a track that has `periods`."""
    if len(kept) < 2:
        return periods
    inside = np.searchsorted(whole.dates, kept.dates[[0, -1]])
    return periods * (len(kept) - 1) / int(inside[1] - inside[0])


def _figures(data: PortfolioData, lines: Sequence[Line], metrics: Sequence[Metric]) -> Summary:
    wanted = tuple(metric for metric in metrics if data.benchmark or not metric.needs_benchmark)
    active = [metric for metric in wanted if metric.needs_benchmark]
    compounded = [metric for metric in wanted if metric.key in COMPOUNDED]
    singly = {*SINCE, *BY_CALENDAR, *(metric.key for metric in MONEY)}
    apart = (*active, *compounded, *[metric for metric in wanted if metric.key in singly])
    plain = [metric for metric in wanted if metric not in apart]
    into = _Into(wanted, lines, data)
    tracks = [line.part for line in lines]
    periods = [_periods(line, data) for line in lines]
    tails = [metric for metric in plain if metric.key in TAILS and data.query.confidence != DEFAULT_CONFIDENCE]
    returns = [track.returns[1:] for track in tracks]
    into.fill(tracks, returns, periods, [metric for metric in plain if metric not in tails])
    into.fill(tracks, returns, periods, tails, data.query.confidence)
    into.fill(tracks, [spanning_returns(track) for track in tracks], periods, compounded)
    for at, line in enumerate(lines):
        _put_calendar(into, data, at, line)
        if any(metric in MONEY for metric in wanted):
            for key, found in of_line(data, line).items():
                into.put_one(key, at, found)
        if active:
            _fill_active(into, data, at, line, active)
        _put_gaps(into, at, line)
    return into.summary


class _Into:
    """Figures as they are worked out, by metric and line."""

    def __init__(self, metrics: tuple[Metric, ...], lines: Sequence[Line], data: PortfolioData) -> None:
        self.metrics = metrics
        self.trials = data.query.trials
        self.confidence = data.query.confidence
        self.risk_free = data.risk_free
        self.names = tuple(line.name for line in lines)
        self.values = np.full((len(metrics), len(lines)), np.nan)
        self.reasons: dict[tuple[str, int], str] = {}
        self.remarks: dict[tuple[str, int], str] = {}
        self._rows = {metric.key: row for row, metric in enumerate(metrics)}

    def put(self, found: Summary, places: Sequence[int]) -> None:
        """Take the figures of the lines at `places`."""
        for metric in found.metrics:
            self.values[self._rows[metric.key], places] = found[metric.key]
            for at, place in enumerate(places):
                if why := found.reason(metric.key, at):
                    self.reasons[metric.key, place] = why

    def put_one(self, key: str, at: int, found: Since) -> None:
        """Take one figure, what must be known beside it, and why it is missing."""
        if key not in self._rows:
            return
        self.values[self._rows[key], at] = found.value
        if math.isnan(found.value):
            self.reasons[key, at] = found.reason or UNKNOWN
        elif found.told:
            self.remarks[key, at] = found.told

    def fill(
        self,
        tracks: Sequence[Track],
        returns: Sequence[Floats],
        periods: Sequence[float],
        of: Sequence[Metric],
        level: float = DEFAULT_CONFIDENCE,
    ) -> None:
        """Work out the metrics of each line's returns, those that have the same days together."""
        if not of:
            return
        alike: dict[tuple[float, bytes], list[int]] = {}
        for at, track in enumerate(tracks):
            alike.setdefault((periods[at], track.dates.tobytes()), []).append(at)
        for (count, _), places in alike.items():
            dates = tracks[places[0]].dates
            base = dates[0] if len(dates) else None
            rows = np.array([returns[at] for at in places])
            found = summary(
                dates[1:], rows, None, self.risk_free.of(dates), count, level=level, metrics=of, since=base,
                trials=self.trials,
            )  # fmt: skip
            self.put(found, places)

    @property
    def summary(self) -> Summary:
        said = tuple(at_confidence(metric, self.confidence) for metric in self.metrics)
        return Summary(said, self.names, self.values, self.reasons, self.remarks)


def _fill_active(into: _Into, data: PortfolioData, at: int, line: Line, of: Sequence[Metric]) -> None:
    if line is data.benchmark:
        into.reasons.update({(metric.key, at): ITSELF for metric in of})
        return
    own, other = data.pair(line)
    periods = common_periods(data.periods_of(line), line.part, own)
    base = own.dates[0] if len(own) else None
    found = summary(
        own.dates[1:], own.returns[1:], other.returns[1:], into.risk_free.of(own.dates), periods, metrics=of, since=base
    )
    into.put(found, [at])


def _periods(line: Line, data: PortfolioData) -> float:
    is_benchmark = line is data.benchmark
    return common_periods(data.periods, data.part, line.part) if is_benchmark else data.periods_of(line)


def _put_calendar(into: _Into, data: PortfolioData, at: int, line: Line) -> None:
    """Work out the metrics of calendar windows of a line's history, and those of the calendar periods of its window."""
    wanted = {metric.key for metric in into.metrics}
    if wanted & {*SINCE}:
        whole, cadence = _up_to_window(line, data), line.cadence
        into.put_one("return_day", at, last_return(whole, cadence))
        for key, name in TO_DATE.items():
            into.put_one(key, at, since(whole, cadence, name))
        for key, months in TRAILING_MONTHS.items():
            into.put_one(key, at, _trailing(whole, cadence, months))
    if wanted & {*BY_CALENDAR}:
        _put_periods(into, at, line)


def _put_periods(into: _Into, at: int, line: Line) -> None:
    """Work out the metrics of the calendar periods of a line's window."""
    by_day = _by_day(line)
    found = {"M": by_period(by_day, line.cadence, "M").returns, "Y": full_years(by_day, line.cadence)}
    for key, (period, of) in BY_CALENDAR.items():
        known = found[period][np.isfinite(found[period])]
        missing = NO_FULL_YEAR if period == "Y" and len(by_day) > 1 else NOTHING
        into.put_one(key, at, Since(of(known)) if len(known) else missing)


def _trailing(whole: Track, cadence: Cadence, months: int) -> Since:
    """Return the return since the same day some months earlier; of more than a year, a year's."""
    if not len(whole):
        return NOTHING
    found = between_days(whole, cadence, months_before(whole.dates[-1], months))
    return replace(found, value=(1.0 + found.value) ** (12.0 / months) - 1.0) if months > 12 else found


def _put_gaps(into: _Into, at: int, line: Line) -> None:
    """Say of each figure of a window that has gaps whether it leads across them or leaves their returns out."""
    # Only the histories that have one anywhere are looked at closely.
    gaps = gap_within(_by_day(line).dates, line.cadence) if np.isnan(line.daily.returns[1:]).any() else ""
    if not gaps:
        return
    for metric in into.metrics:
        if metric.key in SINCE or (metric.key, at) in into.reasons:
            continue
        how = "across" if metric.key in COMPOUNDED else "without the return across"
        into.remarks[metric.key, at] = f"{how} a gap: {gaps}"


def _up_to_window(line: Line, data: PortfolioData) -> Track:
    last = data.last_day
    return line.daily if last is None else until(line.daily, last)


def _by_day(line: Line) -> Track:
    """Return the window of a line by day."""
    return between_dates(line.daily, *line.part.dates[[0, -1]]) if len(line.part) else line.part
