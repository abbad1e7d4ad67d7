"""Hands what a run brought to storage: samples and facts to the writer's queue, the reading to the live store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from core.kinds.registry import component_name
from core.model import Component, Facts, Reading, Run, Sample, SourceId, Status, labels

RUN_COLUMNS = ("ts", "host", "collector", "duration_seconds", "lateness_seconds", "outcome", "samples", "error")
ERROR_CHARACTERS = 500

DATASET_OF_TABLE = dict.fromkeys(
    ("nav", "positions", "cash", "orders", "trades", "transactions", "prices", "benchmark_weights"), "portfolio"
)
"""Data sets, beside the collector's own, that rows of a table change."""


CollectorId = str | SourceId
"""A collector of Fundwatch or its machine by its name, one of a watched source by that source."""


class Writer(Protocol):
    """The bounded queue before ClickHouse; never waits for the database."""

    def put(self, host: str, ts: float, samples: Sequence[Sample]) -> None: ...

    def put_facts(self, facts: Facts) -> None: ...


class Live(Protocol):
    """The newest readings. Skips what it is given while its store is away."""

    def put_reading(
        self,
        collector: str,
        host: str,
        ts: float,
        interval_seconds: float,
        reading: Reading,
        tables_ts: float | None = None,
        *,
        timeout_seconds: float = 0.0,
    ) -> None: ...

    def bump(self, dataset: str) -> object: ...


class States(Protocol):
    """Takes in how the components of a collector are, and records what has changed."""

    def tell(
        self,
        collector: CollectorId,
        ts: float,
        interval_seconds: float,
        timeout_seconds: float,
        components: Sequence[Component],
        why_missing: str = ...,
    ) -> None: ...


class Publisher:
    """Publishes the runs of all collectors of one host."""

    def __init__(self, host: str, writer: Writer, live: Live, states: States | None = None) -> None:
        """Return the publisher of a host; `states` records how components change, None: nobody does."""
        self._host = host
        self._states = states
        self._writer = writer
        self._live = live
        self._changed: dict[str, set[str]] = {}
        self._last_good: dict[CollectorId, tuple[float, Reading]] = {}
        """When and what each watched source last told."""

    def succeeded(
        self,
        collector: CollectorId,
        ts: float,
        interval_seconds: float,
        reading: Reading,
        *,
        timeout_seconds: float = 0.0,
    ) -> int:
        """Store `reading`, taken at `ts`, and that the collector works. Return the number of samples and fact rows."""
        self._writer.put(self._host, ts, [*reading.samples, *_up(collector, 1.0, reading.is_up)])
        for facts in reading.facts:
            self._writer.put_facts(facts)
        if self._states is not None:
            self._states.tell(collector, ts, interval_seconds, timeout_seconds, reading.components)
        if isinstance(collector, SourceId):
            self._last_good[collector] = (ts, Reading(tables=reading.tables))
        self._show(collector, ts, interval_seconds, reading, timeout_seconds=timeout_seconds)
        self._tell_changes(str(collector), reading.facts)
        return len(reading.samples) + sum(len(facts) for facts in reading.facts)

    def failed(
        self, collector: CollectorId, ts: float, interval_seconds: float, why: str, *, timeout_seconds: float = 0.0
    ) -> None:
        """Store `collector_up` 0 and nothing else, and show the collector as down with the reason.

        A watched source keeps its last good tables, with their age. Of the components of any other collector nothing is
        known while it fails.
        """
        self._writer.put(self._host, ts, _up(collector, 0.0, False))
        name = component_name(collector) if isinstance(collector, SourceId) else collector
        down = Component(name, Status.DOWN, why)
        if self._states is not None:
            found = (down,) if isinstance(collector, SourceId) else ()
            self._states.tell(collector, ts, interval_seconds, timeout_seconds, found, f"{name} fails: {why}")
        tables_ts, good = self._last_good.get(collector, (None, Reading()))
        reading = Reading(components=(down,), tables=good.tables)
        self._show(collector, ts, interval_seconds, reading, tables_ts, timeout_seconds=timeout_seconds)

    def recorded(self, run: Run) -> None:
        """Store the record of a run."""
        row = (
            round(run.started * 1000),
            self._host,
            run.collector,
            run.duration_seconds,
            run.lateness_seconds,
            run.outcome.value,
            run.samples,
            run.error[:ERROR_CHARACTERS],
        )
        self._writer.put_facts(Facts("runs", RUN_COLUMNS, tuple([value] for value in row)))

    def sample(self, ts: float, sample: Sample) -> None:
        """Store one sample of the runtime itself."""
        self._writer.put(self._host, ts, [sample])

    def _tell_changes(self, collector: str, facts: Sequence[Facts]) -> None:
        """Bump the data sets that `facts` change, and at the next run again: by then the writer has sent them."""
        changed = {DATASET_OF_TABLE[rows.table] for rows in facts if rows.table in DATASET_OF_TABLE}
        for dataset in sorted(changed | self._changed.get(collector, set())):
            self._live.bump(dataset)
        self._changed[collector] = changed

    def _show(
        self,
        collector: CollectorId,
        ts: float,
        interval_seconds: float,
        reading: Reading,
        tables_ts: float | None = None,
        *,
        timeout_seconds: float,
    ) -> None:
        """Make the reading the newest; the version of a source's kind moves as well as its own, if it has news."""
        self._live.put_reading(
            str(collector), self._host, ts, interval_seconds, reading, tables_ts, timeout_seconds=timeout_seconds
        )
        if reading.is_news:
            self._live.bump(str(collector))
        if isinstance(collector, SourceId):
            self._live.bump(collector.kind)


def _up(collector: CollectorId, value: float, is_up: bool | None) -> list[Sample]:
    """Return `collector_up`, and of a watched source its `redis_up` as well, if that is known."""
    found = [Sample("collector_up", value, labels(collector=str(collector)))]
    if isinstance(collector, SourceId) and is_up is not None:
        found.append(Sample(f"{collector.kind}_up", float(is_up), labels(instance=collector.instance)))
    return found
