"""The present of a machine: what the newest readings of its collectors tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.machine.metrics import RECEIVE_RATE, TRANSMIT_RATE
from core.machine.spec import LOOPBACK, Checks, Judged, Share
from core.model import Component, LiveReading, Status
from core.settings.thresholds import Thresholds
from core.tables import R, rows_of
from status.freshness import components_at, why_unknown
from storage.clickhouse.reads.series import SeriesData
from storage.clickhouse.reads.system import MachineSeries


@dataclass(frozen=True, slots=True)
class Present:
    """What is known of a machine at one moment."""

    reading: LiveReading | None
    processes: LiveReading | None
    series: MachineSeries | None
    now: float
    collector_host: str
    thresholds: Thresholds
    """What shares are judged by."""

    @property
    def problem(self) -> str:
        """Why the machine's state is not known; empty while its reading is recent."""
        why = why_unknown(self.reading, self.now)
        if self.reading is None:
            return f"{self.collector_host}: {why}. The collector “system” writes one every few seconds."
        if why:
            return f"{self.collector_host}: {why}."
        failed = [part for part in self.reading.components if part.status is Status.DOWN]
        return f"{self.collector_host} cannot be read: {failed[0].why}" if failed else ""

    @property
    def components(self) -> Sequence[Component]:
        """The components of the machine and of its processes."""
        return [*components_at(self.reading, self.now), *components_at(self.processes, self.now)]

    @property
    def judged(self) -> list[Judged]:
        """The components of the machine and what each tells of, in the order of the reading."""
        shares = {share.component: share for share in _rows(self.reading, Share)}
        found = components_at(self.reading, self.now)
        return [Judged(part, shares[part.name]) for part in found if part.name in shares]

    @property
    def disks(self) -> list[Judged]:
        """Its disks, the one in most trouble first."""
        return [each for each in self.judged if each.share.check == Checks.DISK]

    def check(self, check: Checks) -> Judged | None:
        """Return what a check found; of several disks the one in most trouble."""
        return next((each for each in self.judged if each.share.check == check), None)

    def now_known(self, status: Status) -> Status:
        """Return a status that follows from the reading; unknown when the reading is stale."""
        return Status.UNKNOWN if why_unknown(self.reading, self.now) else status

    def value(self, metric: str, **labels: str) -> float | None:
        """Return one value of the newest reading of either collector."""
        readings = (reading for reading in (self.reading, self.processes) if reading is not None)
        found = (reading.value(metric, **labels) for reading in readings)
        return next((value for value in found if value is not None), None)

    def total(self, metrics: Sequence[str], **labels: str) -> float:
        """Return the sum of the values of several metrics; one that was not measured counts as nothing."""
        return sum(self.value(metric, **labels) or 0.0 for metric in metrics)

    def by(self, metric: str, label: str) -> dict[str, float]:
        """Return the values of a metric by one of its labels."""
        readings = (reading for reading in (self.reading, self.processes) if reading is not None)
        found = (reading.series(metric) for reading in readings)
        return {dict(labels)[label]: value for series in found for labels, value in series.items()}

    @property
    def moved(self) -> dict[str, float]:
        """Bytes in and out a second by interface, loopback left out."""
        sent = self.by(TRANSMIT_RATE, "nic")
        received = self.by(RECEIVE_RATE, "nic")
        return {nic: value + sent.get(nic, 0.0) for nic, value in received.items() if nic != LOOPBACK}

    def rows(self, row: type[R]) -> list[R]:
        """Return the rows of a table of either collector."""
        return [*_rows(self.reading, row), *_rows(self.processes, row)]

    def spark(self, metric: str, **labels: str) -> SeriesData | None:
        """Return the recent series of a metric; None while storage is away."""
        return self.series.one(metric, **labels) if self.series else None


def _rows(reading: LiveReading | None, row: type[R]) -> list[R]:
    return rows_of(reading.tables, row) if reading else []
