"""Every figure of the window for all lines side by side: each on its own days, beside the benchmark on common ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analytics.metrics import METRICS, Metric
from analytics.performance import Track, between, between_dates, until
from analytics.summary import Summary, summary
from portfolio.data import Line, PortfolioData

SINCE = "return_"
"""How metrics of calendar windows begin: they are of the whole history by day, whatever the window and frequency."""
BY_CALENDAR = ("best_month", "worst_month", "best_year", "worst_year", "positive_months", "positive_years")
"""Metrics of calendar periods: of the window by day, whatever the frequency."""
ITSELF = "this is the benchmark"


def side_by_side(data: PortfolioData, metrics: Sequence[Metric] = METRICS) -> Summary:
    """Return the figures of the chosen portfolio, those compared and, last, the benchmark.

    What is told against the benchmark is missing for the benchmark itself ("this is the benchmark").
    """
    return _figures(data, columns(data), metrics)


def of_family(data: PortfolioData, lines: Sequence[Line], keys: Sequence[str]) -> Summary:
    """Return the figures `keys` of `lines`, each over its own window."""
    return _figures(data, lines, [metric for metric in METRICS if metric.key in keys])


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
    since = [metric for metric in wanted if metric.key.startswith(SINCE)]
    dated = [metric for metric in wanted if metric.key in BY_CALENDAR]
    active = [metric for metric in wanted if metric.needs_benchmark]
    plain = [metric for metric in wanted if metric not in (*since, *dated, *active)]
    into = _Into(wanted, lines, data.query.risk_free)
    tracks = [line.part for line in lines]
    periods = [_periods(line, data) for line in lines]
    into.fill([_without_base(track) for track in tracks], periods, plain)
    into.fill([_up_to_window(line, data) for line in lines], periods, since)
    into.fill([_by_day(line) for line in lines], periods, dated)
    for at, line in enumerate(lines if active else ()):
        _fill_active(into, data, at, line, active)
    return into.summary


class _Into:
    """Figures as they are worked out, by metric and line."""

    def __init__(self, metrics: tuple[Metric, ...], lines: Sequence[Line], risk_free: float) -> None:
        self.metrics = metrics
        self.risk_free = risk_free
        self.names = tuple(line.name for line in lines)
        self.values = np.full((len(metrics), len(lines)), np.nan)
        self.reasons: dict[tuple[str, int], str] = {}
        self._rows = {metric.key: row for row, metric in enumerate(metrics)}

    def put(self, found: Summary, places: Sequence[int]) -> None:
        """Take the figures of the lines at `places`."""
        for metric in found.metrics:
            self.values[self._rows[metric.key], places] = found[metric.key]
            for at, place in enumerate(places):
                if why := found.reason(metric.key, at):
                    self.reasons[metric.key, place] = why

    def fill(self, tracks: Sequence[Track], periods: Sequence[float], of: Sequence[Metric]) -> None:
        """Work out the metrics of each line's track, those that have the same days together."""
        if not of:
            return
        alike: dict[tuple[float, bytes], list[int]] = {}
        for at, track in enumerate(tracks):
            alike.setdefault((periods[at], track.dates.tobytes()), []).append(at)
        for (count, _), places in alike.items():
            returns = np.array([tracks[at].returns for at in places])
            dates = tracks[places[0]].dates
            self.put(summary(dates, returns, None, self.risk_free, count, metrics=of), places)

    @property
    def summary(self) -> Summary:
        return Summary(self.metrics, self.names, self.values, self.reasons)


def _fill_active(into: _Into, data: PortfolioData, at: int, line: Line, of: Sequence[Metric]) -> None:
    if line is data.benchmark:
        into.reasons.update({(metric.key, at): ITSELF for metric in of})
        return
    own, other = data.pair(line)
    periods = common_periods(data.periods_of(line), line.part, own)
    found = summary(own.dates[1:], own.returns[1:], other.returns[1:], into.risk_free, periods, metrics=of)
    into.put(found, [at])


def _periods(line: Line, data: PortfolioData) -> float:
    is_benchmark = line is data.benchmark
    return common_periods(data.periods, data.part, line.part) if is_benchmark else data.periods_of(line)


def _without_base(track: Track) -> Track:
    """Return the track without its first day, where returns begin: there is none on it."""
    return Track(track.dates[1:], track.returns[1:], track.index[1:])


def _up_to_window(line: Line, data: PortfolioData) -> Track:
    last = data.last_day
    return line.daily if last is None else until(line.daily, last)


def _by_day(line: Line) -> Track:
    """Return the window of a line by day."""
    return between_dates(line.daily, *line.part.dates[[0, -1]]) if len(line.part) else line.part
