"""Every figure of the window for all lines side by side: each on its own days, beside the benchmark on common ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analytics.metrics import METRICS, Metric
from analytics.performance import Track, between, between_dates, until
from analytics.summary import Summary, summary
from dashboard.portfolio.data import Line, Shown

SINCE = "return_"
"""How metrics of calendar windows begin: they are of the whole history by day, whatever the window and frequency."""
BY_CALENDAR = ("best_month", "worst_month", "best_year", "worst_year", "positive_months", "positive_years")
"""Metrics of calendar periods: of the window by day, whatever the frequency."""
ITSELF = "this is the benchmark"


def side_by_side(shown: Shown, metrics: Sequence[Metric] = METRICS) -> Summary:
    """Return the figures of the chosen portfolio, those compared and, last, the benchmark.

    What is told against the benchmark is missing for the benchmark itself ("this is the benchmark").
    """
    return _figures(shown, columns(shown), metrics)


def of_family(shown: Shown, lines: Sequence[Line], keys: Sequence[str]) -> Summary:
    """Return the figures `keys` of `lines`, each over its own window."""
    return _figures(shown, lines, [metric for metric in METRICS if metric.key in keys])


def columns(shown: Shown) -> tuple[Line, ...]:
    """Return the lines in the order of `side_by_side`."""
    return (*shown.lines, shown.benchmark) if shown.benchmark else shown.lines


def period_before(shown: Shown, metrics: Sequence[Metric]) -> Summary:
    """Return the figures of the chosen portfolio as they were a period before, without the window's last return."""
    return _figures(shown, [replace(shown.own, part=between(shown.part, 0, -1))], metrics)


def common_periods(periods: float, whole: Track, kept: Track) -> float:
    """Return how many returns a year there are of those `kept` of the days of a track that has `periods`."""
    if len(kept) < 2:
        return periods
    inside = np.searchsorted(whole.dates, kept.dates[[0, -1]])
    return periods * (len(kept) - 1) / int(inside[1] - inside[0])


def _figures(shown: Shown, lines: Sequence[Line], metrics: Sequence[Metric]) -> Summary:
    asked = tuple(metric for metric in metrics if shown.benchmark or not metric.needs_benchmark)
    since = [metric for metric in asked if metric.key.startswith(SINCE)]
    dated = [metric for metric in asked if metric.key in BY_CALENDAR]
    active = [metric for metric in asked if metric.needs_benchmark]
    plain = [metric for metric in asked if metric not in (*since, *dated, *active)]
    into = _Into(asked, lines)
    tracks = [line.part for line in lines]
    periods = [_periods(line, shown) for line in lines]
    _fill(into, shown, [_without_base(track) for track in tracks], periods, plain)
    _fill(into, shown, [_up_to_window(line, shown) for line in lines], periods, since)
    _fill(into, shown, [_by_day(line) for line in lines], periods, dated)
    for at, line in enumerate(lines if active else ()):
        _fill_active(into, shown, at, line, active)
    return into.summary


class _Into:
    """Figures as they are worked out, by metric and line."""

    def __init__(self, metrics: tuple[Metric, ...], lines: Sequence[Line]) -> None:
        self.metrics = metrics
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

    @property
    def summary(self) -> Summary:
        return Summary(self.metrics, self.names, self.values, self.reasons)


def _fill(into: _Into, shown: Shown, tracks: Sequence[Track], periods: Sequence[float], of: Sequence[Metric]) -> None:
    """Work out the metrics of tracks, those that have the same days together."""
    if not of:
        return
    alike: dict[tuple[float, bytes], list[int]] = {}
    for at, track in enumerate(tracks):
        alike.setdefault((periods[at], track.dates.tobytes()), []).append(at)
    for (count, _), places in alike.items():
        returns = np.array([tracks[at].returns for at in places])
        dates = tracks[places[0]].dates
        into.put(summary(dates, returns, None, shown.risk_free, count, metrics=of), places)


def _fill_active(into: _Into, shown: Shown, at: int, line: Line, of: Sequence[Metric]) -> None:
    if line is shown.benchmark:
        into.reasons.update({(metric.key, at): ITSELF for metric in of})
        return
    own, other = shown.pair(line)
    periods = common_periods(shown.periods_of(line), line.part, own)
    into.put(summary(own.dates[1:], own.returns[1:], other.returns[1:], shown.risk_free, periods, metrics=of), [at])


def _periods(line: Line, shown: Shown) -> float:
    is_benchmark = line is shown.benchmark
    return common_periods(shown.periods, shown.part, line.part) if is_benchmark else shown.periods_of(line)


def _without_base(track: Track) -> Track:
    """Return the track without its first day, where returns begin: there is none on it."""
    return Track(track.dates[1:], track.returns[1:], track.index[1:])


def _up_to_window(line: Line, shown: Shown) -> Track:
    last = shown.last_day
    return line.daily if last is None else until(line.daily, last)


def _by_day(line: Line) -> Track:
    """Return the window of a line by day."""
    return between_dates(line.daily, *line.part.dates[[0, -1]]) if len(line.part) else line.part
