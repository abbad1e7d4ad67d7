"""The nouns of Fundwatch: what a collector returns and what storage keeps.

Every value here is immutable, so that it may be handed between threads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

Labels = tuple[tuple[str, str], ...]
"""Label pairs sorted by name: hashable, so that a series is found by dict look-up."""


@dataclass(frozen=True, slots=True)
class SourceId:
    """Which watched source: its kind and the name that its instance was given."""

    kind: str
    instance: str

    def __str__(self) -> str:
        """Return the name of its collector: "redis:main"."""
        return f"{self.kind}:{self.instance}"

    @classmethod
    def parse(cls, collector: str) -> SourceId | None:
        """Return the source of a collector's name as requests and records carry it; None: it watches none."""
        kind, _, instance = collector.partition(":")
        return cls(kind, instance) if kind and instance else None


def labels(**pairs: str) -> Labels:
    """Return label pairs sorted by name, the one form of the labels of a series."""
    return tuple(sorted(pairs.items()))


class Status(StrEnum):
    """State of a component. Only OK is safe; UNKNOWN is never treated as OK."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    DOWN = "down"
    UNKNOWN = "unknown"
    NOT_CONFIGURED = "not_configured"


SEVERITY: Mapping[Status, int] = {
    Status.OK: 0,
    Status.NOT_CONFIGURED: 0,
    Status.UNKNOWN: 1,
    Status.WARNING: 2,
    Status.CRITICAL: 3,
    Status.DOWN: 4,
}
"""How bad a status is; the worst of several is the one with the highest number."""


def worst(statuses: Sequence[Status]) -> Status:
    """Return the most severe of `statuses`; UNKNOWN when there are none."""
    return max(statuses, key=SEVERITY.__getitem__, default=Status.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Sample:
    """One number: metric name with its base unit as suffix, value, labels."""

    metric: str
    value: float
    labels: Labels = ()


@dataclass(frozen=True, slots=True)
class Component:
    """A monitored thing and its status, with a sentence that says why."""

    name: str
    status: Status
    why: str
    value: float | None = None
    """Headline number in the unit that `unit` names, when there is one."""
    unit: str = ""
    """`ratio`, `bytes`, `seconds`, `count` or empty."""
    reasons: tuple[str, ...] = ()
    """Each cause by itself, gravest first, where there are several; `why` says all of them."""

    @property
    def causes(self) -> tuple[str, ...]:
        """Every cause by itself, gravest first."""
        return self.reasons or (self.why,)


@dataclass(frozen=True, slots=True)
class Table:
    """A table for the live view (top processes, disks): a few hundred rows at most, but for an exporter's series."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Rows for one ClickHouse table, given by column; `token` makes a repeated insert harmless."""

    table: str
    columns: tuple[str, ...]
    data: tuple[Sequence[Any], ...]
    """One sequence a column, all of equal length."""
    token: str = ""

    def __len__(self) -> int:
        return len(self.data[0]) if self.data else 0


@dataclass(frozen=True, slots=True)
class Reading:
    """What one run of a collector returns. The runner stamps it, stores it and bumps the version."""

    samples: Sequence[Sample] = ()
    components: Sequence[Component] = ()
    tables: Sequence[Table] = ()
    facts: Sequence[Facts] = ()
    is_up: bool | None = True
    """Of a watched source: whether it is up, its `redis_up`. None: not known, and nothing is stored."""
    is_news: bool = True
    """Whether anything changed since the reading before; else pages that show it are not built anew."""


class Job(Protocol):
    """What the runner schedules, holds to its deadline and records."""

    name: str
    interval_seconds: float
    timeout_seconds: float


class Collector(Job, Protocol):
    """A source. `collect` returns a reading; it never writes, sleeps, retries or schedules."""

    def collect(self, now: float) -> Reading:
        """Return a reading taken at `now` (epoch seconds, UTC).

        Raises SourceUnavailable (try again, back off) or SourceRejected (a person must change
        the configuration).
        """
        ...


class Importer(Job, Protocol):
    """Takes in what people bring. It stores that itself, whole or not at all, before it is taken away from them."""

    def take_in(self, now: float) -> Reading:
        """Take in what is there at `now` (epoch seconds, UTC) and return a reading of what came of it.

        Raises SourceUnavailable when that, or storage, does not answer: nothing is lost, it is tried again.
        """
        ...


class Outcome(StrEnum):
    """How a run of a collector ended."""

    OK = "ok"
    UNAVAILABLE = "unavailable"
    REJECTED = "rejected"
    TIMEOUT = "timeout"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a collector, as the pipeline tab and its history show it."""

    collector: str
    started: float
    """Epoch seconds."""
    duration_seconds: float
    lateness_seconds: float
    """How long after its due time the run began."""
    outcome: Outcome
    samples: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class LiveReading:
    """The newest reading of a collector as Redis holds it."""

    collector: str
    host: str
    ts: float
    interval_seconds: float
    samples: Mapping[tuple[str, Labels], float] = field(default_factory=dict)
    components: Sequence[Component] = ()
    tables: Mapping[str, Table] = field(default_factory=dict)
    tables_ts: float = 0.0
    """When the tables were read: before `ts` while the source is down and its last good ones are kept."""
    timeout_seconds: float = 0.0
    """Longest time that a reading of this collector may take."""

    def value(self, metric: str, **pairs: str) -> float | None:
        """Return the value of one series, or None when the reading has no such series."""
        return self.samples.get((metric, labels(**pairs)))

    def series(self, metric: str) -> dict[Labels, float]:
        """Return every series of `metric`, by its labels."""
        return {pairs: value for (name, pairs), value in self.samples.items() if name == metric}
