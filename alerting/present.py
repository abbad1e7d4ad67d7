"""What is so now, of one tick: newest values of what is collected, states of components, ages and failures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.alerts.evaluate import Value
from core.alerts.figures import AGE, COLLECTOR_FAILED, LIMIT_LEVEL, SENT_ALERT, SILENT, STATUS
from core.alerts.sent import KEPT_SECONDS, SentAlert
from core.errors import StorageUnavailable
from core.kinds.registry import component_name
from core.metrics import MACHINE
from core.model import SEVERITY, Labels, LiveReading, Outcome, SourceId, Status, labels
from core.pipeline.spec import PIPELINE, BreakerState, CollectorRuns
from core.portfolio_limits.limit import LimitRow
from core.readiness import READINESS
from core.tables import rows_of
from status.freshness import NO_READING, is_stale, why_unknown
from status.readings import (
    collectors_of,
    components_in,
    every_dataset,
    machine_of,
    newest_readings,
    of_those_that_collect,
)
from storage.live.sent_alerts import read_sent

if TYPE_CHECKING:
    from core.settings.model import Settings
    from storage.stores import Stores


@dataclass(frozen=True, slots=True)
class Series:
    """A collected series and its newest value."""

    host: str
    stored: Labels
    """Its labels as it is stored under."""
    now: Value


@dataclass(frozen=True, slots=True)
class Present:
    """The newest of everything."""

    series: Mapping[str, Sequence[Series]]
    """By metric."""
    own: Mapping[str, Sequence[Value]]
    """Fundwatch's own words that are of collectors."""
    machines: Mapping[str, Collection[str]]
    """Those of which there are readings, by collector; of a watched source none."""
    has_limits: bool = False
    """Whether a recent reading says how the limits of portfolios stand: of every one that there is."""


class Sent:
    """Alerts that a Prometheus sent: each holds until its end, also where Redis has lost it meanwhile."""

    def __init__(self) -> None:
        self._known: dict[Labels, SentAlert] = {}

    def now(self, found: Sequence[SentAlert], now: float) -> list[SentAlert]:
        """Return those of Redis, and those that it had, until some time after their end."""
        lasting = {labels: each for labels, each in self._known.items() if now - each.ends <= KEPT_SECONDS}
        self._known = {**lasting, **{each.labels: each for each in found}}
        return [*self._known.values()]


def read_present(stores: Stores, sent: Sent) -> Present:
    """Return what is so now; `sent` remembers from tick to tick.

    Raises StorageUnavailable while Redis does not answer: then nothing is known.
    """
    readings = newest_readings(stores, every_dataset(stores.settings))
    if stores.live.problem:
        raise StorageUnavailable(f"Redis does not answer: {stores.live.problem}")
    now = stores.clock.now()
    return present(stores.settings, readings, now, sent.now(read_sent(stores.live), now))


def present(
    settings: Settings, readings: Sequence[LiveReading], now: float, sent: Sequence[SentAlert] = ()
) -> Present:  # fmt: skip
    """Return what the newest readings, and alerts that were sent, say at `now` (epoch seconds).

    Of a stale reading no value is known. What a machine that stands by has told last is left out.
    """
    readings = of_those_that_collect(readings, now)
    series: defaultdict[str, list[Series]] = defaultdict(list)
    machines: defaultdict[str, set[str]] = defaultdict(set)
    for reading in readings:
        why = why_unknown(reading, now)
        machine = machine_of(reading)
        if machine:
            machines[reading.collector].add(machine)
        for (metric, stored), value in reading.samples.items():
            shown = _on(machine, stored)
            series[metric].append(Series(reading.host, stored, Value(shown, None if why else value, why)))
    never = [
        Value(_on("" if SourceId.parse(name) else settings.machine, labels(collector=name)), None, NO_READING)
        for name in collectors_of(settings, every_dataset(settings))
        if name not in {each.collector for each in readings}
    ]
    own = {
        STATUS: _states(settings, readings, now),
        AGE: [*(Value(_of(each), max(now - each.ts, 0.0)) for each in readings), *never],
        SILENT: [
            *(Value(_of(each), float(is_stale(each, now)), why_unknown(each, now)) for each in readings),
            *(replace(each, value=1.0) for each in never),
        ],
        COLLECTOR_FAILED: _failures(readings, now),
        LIMIT_LEVEL: _limits(readings, now),
        SENT_ALERT: [Value(each.labels, each.value(now), each.text) for each in sent],
    }
    has_limits = any(
        each.collector == READINESS and LimitRow.TABLE in each.tables and not is_stale(each, now) for each in readings
    )
    return Present(series, own, machines, has_limits)


def _of(reading: LiveReading) -> Labels:
    return _on(machine_of(reading), labels(collector=reading.collector))


def _on(machine: str, stored: Labels) -> Labels:
    """Return labels with the machine among them; of a watched source, which is one from anywhere, as they are."""
    return tuple(sorted((*stored, (MACHINE, machine)))) if machine else stored


def _states(settings: Settings, readings: Sequence[LiveReading], now: float) -> list[Value]:
    """Return the state of every component. One that is unknown is no value: it is neither well nor ill.

    A watched source without a reading yet has the labels that it will have; which components a collector of the
    machine or of Fundwatch itself tells of, only its first reading says.
    """
    found = []
    for each in components_in(settings, readings, now):
        name, source = each.part.name, SourceId.parse(each.collector)
        if each.reading is None:
            if source is None:
                continue
            name = component_name(source)
        value = None if each.part.status is Status.UNKNOWN else float(SEVERITY[each.part.status])
        found.append(Value(_on(each.host, labels(component=name, collector=each.collector)), value, each.part.why))
    return found


def _failures(readings: Sequence[LiveReading], now: float) -> list[Value]:
    """Return of each collector whether it failed, as the newest reading about Fundwatch itself tells it."""
    found = []
    for reading in readings:
        if reading.collector != PIPELINE:
            continue
        for row in rows_of(reading.tables, CollectorRuns):
            value: float | None = float(_failed(row))
            if is_stale(reading, now) or row.last_outcome is None:
                value = None
            found.append(Value(_on(reading.host, labels(collector=row.collector)), value, row.error or row.why))
    return found


def _limits(readings: Sequence[LiveReading], now: float) -> list[Value]:
    """Return how much matters what is told of each limit, as the newest look at them says."""
    found = []
    for reading in readings:
        stale = why_unknown(reading, now) if reading.collector == READINESS else ""
        for row in rows_of(reading.tables, LimitRow) if reading.collector == READINESS else ():
            of = labels(portfolio=row.portfolio, limit=row.limit)
            found.append(Value(of, float(row.level) if row.is_known and not stale else None, stale or row.why))
    return found


def _failed(row: CollectorRuns) -> bool:
    return row.breaker != BreakerState.CLOSED or row.last_outcome != Outcome.OK
