"""Figures that are worked on over a span of time: avg, min, max, change, zscore and forecast of collected series.

A kind of work is one statement for all rules. Which series there are, and whether they are stale, the newest readings
tell; ClickHouse tells their past. What changes slowly is believed for a while.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alerting.present import Series
from core.alerts.evaluate import Value
from core.alerts.expression import Worked
from status.worked import WORK, Past, span_of
from storage.clickhouse.reads.spans import HOUR_SECONDS, WEEK_SECONDS, read_lines, read_same_hour, read_spans
from storage.clickhouse.series import series_id

if TYPE_CHECKING:
    from storage.stores import Stores

BELIEVED_SECONDS = {"span": 5.0, "same hour": 300.0, "line": 60.0}
"""Samples come every five seconds; the same hour of past weeks and a trend hardly move."""
KIND = {"avg": "span", "min": "span", "max": "span", "change": "span", "zscore": "same hour", "forecast": "line"}
"""Statement that answers for a kind of work."""
AllSeries = Callable[[str], Sequence[Series]]
Found = Mapping[tuple[int, int], Any]


@dataclass(slots=True)
class Asking:
    """What is asked in one statement."""

    metrics: set[str] = field(default_factory=set)
    spans: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer of ClickHouse."""

    until: float
    """Monotonic seconds."""
    at: float
    """Epoch seconds of the question."""
    asked: frozenset[int]
    """Series that it is about."""
    spans: frozenset[int]
    found: Found
    """By series and span."""


class OverTime:
    """Remembers what was read. Its methods are called by one thread."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._asking: dict[str, Asking] = {}
        self._kept: dict[str, Kept] = {}

    def use(self, operands: Sequence[Worked]) -> None:
        """Read these together."""
        self._asking = {}
        for each in operands:
            asking = self._asking.setdefault(KIND[each.work], Asking())
            asking.metrics.add(each.figure.name)
            asking.spans.add(span_of(each))
        self._kept = {}

    def __call__(self, operand: Worked, series: Sequence[Series], all_series: AllSeries) -> list[Value]:
        """Return what the work comes to for each of the series; None: it is stale, or its past is too short.

        Raises StorageUnavailable or StorageRejected.
        """
        ids = {_id(operand, each): each.now for each in series}
        fresh = {number for number, now in ids.items() if now.value is not None}
        if not fresh:
            return [each.now for each in series]
        span, work = span_of(operand), WORK[operand.work]
        kept = self._past(KIND[operand.work], span, fresh, all_series)
        since = self._stores.clock.now() - kept.at
        found = []
        for number, now in ids.items():
            if now.value is None:
                found.append(now)
                continue
            value, why = work(Past(operand, now.value, kept.found.get((number, span)), since))
            found.append(Value(now.labels, value, why))
        return found

    def _past(self, kind: str, span: int, wanted: set[int], all_series: AllSeries) -> Kept:
        """Return the past of these series over the span, read together with all that rules ask of this kind."""
        clock = self._stores.clock
        kept = self._kept.get(kind)
        hour = int(clock.now()) // HOUR_SECONDS
        is_same = kept is not None and (kind != "same hour" or int(kept.at) // HOUR_SECONDS == hour)
        if kept and is_same and clock.monotonic() < kept.until and wanted <= kept.asked and span in kept.spans:
            return kept
        asking = self._asking.get(kind, Asking())
        every = wanted | {
            series_id(each.host, metric, each.stored) for metric in asking.metrics for each in all_series(metric)
        }
        spans = sorted(asking.spans | {span})
        now = clock.now()
        found = _READ[kind](self._stores, sorted(every), spans, now)
        until = clock.monotonic() + BELIEVED_SECONDS[kind]
        self._kept[kind] = answer = Kept(until, now, frozenset(every), frozenset(spans), found)
        return answer


def _id(operand: Worked, series: Series) -> int:
    return series_id(series.host, operand.figure.name, series.stored)


def _spans(stores: Stores, series: Sequence[int], spans: Sequence[int], now: float) -> Found:
    return read_spans(stores.clickhouse, series, spans, now)


def _lines(stores: Stores, series: Sequence[int], spans: Sequence[int], now: float) -> Found:
    return read_lines(stores.clickhouse, series, spans, now)


def _same_hour(stores: Stores, series: Sequence[int], spans: Sequence[int], now: float) -> Found:
    """Return the same hour by series and span; each number of weeks is a statement."""
    found: dict[tuple[int, int], Any] = {}
    for span in spans:
        weeks = max(round(span / WEEK_SECONDS), 1)
        found |= {
            (number, span): each for number, each in read_same_hour(stores.clickhouse, series, weeks, now).items()
        }
    return found


_READ = {"span": _spans, "line": _lines, "same hour": _same_hour}
