"""A rule over series of the past, judged as the engine judges it: its own judging and its own conditions, another read.

Pure: what the engine reads of stores stands in series, and time is what the caller says.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.alerts.conditions import Condition, evaluated, restarted, why_forgotten
from core.alerts.evaluate import Value
from core.alerts.expression import Figure, Worked
from core.alerts.judge import judge
from core.alerts.matchers import all_hold
from core.alerts.rule import Rule
from core.alerts.series import Point, Series
from core.model import Labels
from status.worked import WORK, Past, span_of
from storage.clickhouse.reads.spans import HOUR_SECONDS, WEEK_SECONDS, Line, SameHour, Span

AWAY = 3.0
"""Evaluations further apart than so many times the usual: in between nobody evaluated."""


@dataclass(frozen=True, slots=True)
class Moment:
    """An evaluation."""

    at: float
    """Epoch seconds."""
    known: Mapping[Labels, Condition]
    """Conditions by labels, as they are after it; the next one changes them."""
    changed: Sequence[Labels]
    """Those that it found news of, what it has forgotten among them."""

    def of(self, labels: Labels) -> Condition:
        """Return a condition; of one that is forgotten, or was never known, nothing holds."""
        return self.known.get(labels, Condition())


def played(rule: Rule, series: Sequence[Series], times: Iterable[float]) -> Iterator[Moment]:
    """Yield an evaluation at each of the times: epoch seconds in their order, of one clock with the series."""
    known: dict[Labels, Condition] = {}
    calm: set[Labels] = set()
    read, timing = Played(series), rule.timing
    for at, away_seconds in _with_gaps(times, rule.every):
        if away_seconds:
            known.update({of: restarted(each, at, away_seconds, timing) for of, each in known.items()})
        read.now = at
        found = judge(rule, read, known, at, calm)
        for each in found:
            before = known.get(each.labels, Condition(since=at, known_since=at))
            if each.is_missing and why_forgotten(before, rule.watches_for, at, timing, is_in_hand=False):
                del known[each.labels]
                calm.discard(each.labels)
                continue
            known[each.labels] = after = evaluated(before, each.evaluation, timing).condition
            (calm.add if after.is_calm else calm.discard)(each.labels)
        yield Moment(at, known, [each.labels for each in found])


def _with_gaps(times: Iterable[float], every: float) -> Iterator[tuple[float, float]]:
    """Yield each time, and how long nobody had evaluated before it where that is longer than usual; else 0."""
    before: float | None = None
    usual = every
    for at in times:
        lasts = every if before is None else at - before
        yield at, lasts if lasts > AWAY * usual else 0.0
        before, usual = at, lasts if lasts <= AWAY * usual else usual


class Played:
    """What figures of series are worth at the time `now`."""

    def __init__(self, series: Sequence[Series]) -> None:
        self.now = 0.0
        self._series = [each for each in series if each.times]
        self._meant: dict[Figure, list[Series]] = {}

    def __call__(self, operand: Figure | Worked) -> list[Value]:
        """Return the values of the series that are meant and reported; None: stale, or there is too little past."""
        figure = operand.figure if isinstance(operand, Worked) else operand
        meant = self._meant.get(figure)
        if meant is None:
            plain = Figure(figure.name, (), figure.window, figure.settings)
            meant = self._meant[figure] = [
                each for each in self._series if each.figure == plain and all_hold(figure.matchers, dict(each.labels))
            ]
        return [self._value(operand, each) for each in meant if each.is_reported(self.now)]

    def _value(self, operand: Figure | Worked, series: Series) -> Value:
        value = series.at(self.now)
        if value is None or isinstance(operand, Figure):
            return Value(series.labels, value)
        worked, why = WORK[operand.work](Past(operand, value, self._past(operand, series), 0.0))
        return Value(series.labels, worked, why)

    def _past(self, operand: Worked, series: Series) -> Any:
        if operand.work == "zscore":
            return _same_hour(series, self.now, round(operand.seconds / WEEK_SECONDS))
        points = series.between(self.now - span_of(operand), self.now)
        if operand.work == "forecast":
            return _line(points, self.now)
        if not points:
            return None
        low, high = min(each.low for each in points), max(each.high for each in points)
        mean = statistics.fmean(each.mean for each in points)
        return Span(mean, low, high, points[0].value, self.now - points[0].at)


def _line(points: Sequence[Point], now: float) -> Line | None:
    if len(points) < 2:
        return None
    slope, value = statistics.linear_regression([each.at - now for each in points], [each.mean for each in points])
    return Line(slope, value, points[-1].at - points[0].at)


def _same_hour(series: Series, now: float, weeks: int) -> SameHour | None:
    hour = now // HOUR_SECONDS * HOUR_SECONDS
    parts = [
        [each.mean for each in series.between(start, start + HOUR_SECONDS - 1)]
        for start in (hour - number * WEEK_SECONDS for number in range(1, weeks + 1))
    ]
    past = [value for part in parts for value in part]
    if not past:
        return None
    middle = statistics.median(past)
    distances = [abs(value - middle) for value in past]
    there = sum(bool(part) for part in parts)
    return SameHour(middle, statistics.median(distances), statistics.fmean(distances), len(past), there)
