"""What is drawn of a rule that was tried on the past: the few worst series, and the values at which it fires. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.alerts.evaluate import WORDS, Value
from core.alerts.expression import Compared, Figure, Worked
from core.alerts.rule import Rule
from core.alerts.series import Series
from core.alerts.severity import Severity
from core.model import Labels
from status.played import Played

MOST_DRAWN = 4
MOST_POINTS = 360
WORKED_POINTS = 120
"""Of what is worked over a span: each point is worked out alone."""
FIRES_ABOVE = (">", ">=", "==", "!=")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A series as it is drawn."""

    labels: Labels
    times: tuple[float, ...]
    """Epoch seconds."""
    values: tuple[float | None, ...]
    """None: a gap."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A value at which a rule fires."""

    value: float
    severity: Severity


def operand_of(rule: Rule) -> Figure | Worked:
    """Return the figure of a rule that is drawn: the one that it compares first."""
    return rule.operands[0]


def thresholds_of(rule: Rule) -> tuple[Threshold, ...]:
    """Return the values at which a rule fires, where it compares nothing else than what is drawn."""
    drawn_one = operand_of(rule)
    return tuple(
        Threshold(_number(each.limit), severity)
        for severity, each in rule.conditions
        if isinstance(each, Compared) and each.operand == drawn_one
    )


def drawn(
    rule: Rule, series: Sequence[Series], fired_seconds: Mapping[Labels, float], read: Played, start: float, end: float
) -> tuple[Drawn, ...]:
    """Return the few series that fired longest, then those nearest to it; fired_seconds: by the labels of conditions.

    read: over the same series.
    """
    operand = operand_of(rule)
    is_above = _fires_above(rule, operand)
    read.now = end
    meant = {each.labels for each in read(operand)}
    figure = operand.figure if isinstance(operand, Worked) else operand
    of = [each for each in series if each.labels in meant and each.figure == _plain(figure)]

    def rank(each: Series) -> tuple[float, float, Labels]:
        fired = sum(lasts for labels, lasts in fired_seconds.items() if set(each.labels) <= set(labels))
        there = [value for value in (each.highs if is_above else each.lows) or each.values if value is not None]
        peak = (max(there) if is_above else -min(there)) if there else float("-inf")
        return (-fired, -peak, each.labels)

    worst = sorted(of, key=rank)[:MOST_DRAWN]
    if isinstance(operand, Worked):
        return _worked(operand, worst, Played(worst), start, end)
    return tuple(
        _steps(each, end) if math.isinf(each.stale_after_seconds) else _reduced(each, is_above, start, end)
        for each in worst
    )


def _worked(operand: Worked, worst: Sequence[Series], read: Played, start: float, end: float) -> tuple[Drawn, ...]:
    times = [start + (end - start) * number / WORKED_POINTS for number in range(1, WORKED_POINTS + 1)]
    found: dict[Labels, list[float | None]] = {each.labels: [] for each in worst}
    for at in times:
        read.now = at
        now = {each.labels: each for each in read(operand)}
        for of, values in found.items():
            values.append(now.get(of, Value(of, None)).value)
    return tuple(Drawn(of, tuple(times), tuple(values)) for of, values in found.items())


def _steps(series: Series, end: float) -> Drawn:
    """Return what holds until the next value, with both ends of each."""
    ends = [*series.times[1:], end]
    times = [at for pair in zip(series.times, ends, strict=True) for at in pair]
    return Drawn(series.labels, tuple(times), tuple(value for value in series.values for _ in range(2)))


def _reduced(series: Series, is_above: bool, start: float, end: float) -> Drawn:
    """Return of each short time the value that is nearest to firing; where there is none for long, a gap."""
    width = max((end - start) / MOST_POINTS, 1.0)
    extremes = (series.highs if is_above else series.lows) or series.values
    pairs = [
        (at, value if value is None else extreme)
        for at, value, extreme in zip(series.times, series.values, extremes, strict=True)
        if at >= start
    ]
    times: list[float] = []
    values: list[float | None] = []
    for _, some in itertools.groupby(pairs, key=lambda pair: int((pair[0] - start) // width)):
        part = list(some)
        there = [value for _, value in part if value is not None]
        at = part[-1][0]
        if times and at - times[-1] > series.stale_after_seconds + 2 * width:
            times.append(times[-1] + width)
            values.append(None)
        times.append(at)
        values.append((max(there) if is_above else min(there)) if there else None)
    return Drawn(series.labels, tuple(times), tuple(values))


def _fires_above(rule: Rule, operand: Figure | Worked) -> bool:
    first = next((each for _, each in rule.conditions if isinstance(each, Compared) and each.operand == operand), None)
    return first is None or first.operator in FIRES_ABOVE


def _plain(figure: Figure) -> Figure:
    return Figure(figure.name, (), figure.window, figure.settings)


def _number(limit: float | str) -> float:
    return WORDS[limit] if isinstance(limit, str) else limit
