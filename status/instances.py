"""Watched sources at one moment: which instances there are, and how each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.checks import Check
from core.kinds.base import OWN
from core.kinds.registry import KINDS, component_name
from core.model import SEVERITY, Component, LiveReading, SourceId, Status
from core.settings.model import Settings
from core.tables import R, rows_of
from status.freshness import NO_READING, components_at, reading_stale_after_seconds

if TYPE_CHECKING:
    from storage.stores import Stores


@dataclass(frozen=True, slots=True)
class Instance:
    """One watched source and its newest reading."""

    kind: str
    name: str
    reading: LiveReading | None
    now: float

    @property
    def id(self) -> SourceId:
        """Its kind and name."""
        return SourceId(self.kind, self.name)

    @property
    def collector(self) -> str:
        """Name of its collector, which is also its value in the URL: "redis:main"."""
        return str(self.id)

    @property
    def title(self) -> str:
        """What it is called: "Redis main"."""
        return component_name(self.id)

    @property
    def component(self) -> Component:
        """Its state and why. Without a reading, or with a stale one, it is unknown."""
        parts = components_at(self.reading, self.now)
        return parts[0] if parts else Component(self.title, Status.UNKNOWN, NO_READING)

    @property
    def read_at(self) -> float:
        """When its newest reading was taken, epoch seconds: what a card says of it is as of then."""
        return self.reading.ts if self.reading else self.now

    @property
    def status(self) -> Status:
        """Its state."""
        return self.component.status

    @property
    def is_known(self) -> bool:
        """Whether anything is known of how it is now."""
        return self.status not in (Status.UNKNOWN, Status.DOWN)

    def check(self, name: str) -> Check | None:
        """Return its check of that name; None when there is none or it is not known now."""
        return next((check for check in self.rows(Check) if check.name == name), None) if self.is_known else None

    def value(self, metric: str, **labels: str) -> float | None:
        """Return one value of its newest reading, None when it is not known now."""
        return self.reading.value(metric, instance=self.name, **labels) if self.reading else None

    def rows(self, row: type[R]) -> list[R]:
        """Return the rows of a table of its newest good reading."""
        return rows_of(self.reading.tables, row) if self.reading else []

    def first(self, row: type[R]) -> R | None:
        """Return the first row of a table of its newest good reading: of one that says what the source is."""
        return next(iter(self.rows(row)), None)


def instances(stores: Stores, *kinds: str) -> list[Instance]:
    """Return every instance of `kinds`, configured ones first, with its newest reading; one question to Redis."""
    names = [(kind, name) for kind in kinds for name in instance_names(stores.settings, kind)]
    readings = stores.live.readings([f"{kind}:{name}" for kind, name in names]) if names else {}
    now = stores.clock.now()
    return [Instance(kind, name, readings.get(f"{kind}:{name}"), now) for kind, name in names]


def instance_names(settings: Settings, kind: str) -> list[str]:
    """Return the names of the instances of a kind, Fundwatch's own last."""
    own = [OWN] if KINDS[kind].has_own and settings.sources.own else []
    return [*(source.name for source in settings.watch.of(kind)), *own]


def worst_first(found: Sequence[Instance]) -> list[Instance]:
    """Return the instances, those in most trouble first."""
    return sorted(found, key=lambda each: -SEVERITY[each.status])


def newest(found: Sequence[Instance], *, tables: bool = False) -> float | None:
    """Return when the newest reading was taken (its tables, if asked); None when there is none."""
    times = [each.reading.tables_ts if tables else each.reading.ts for each in found if each.reading]
    return max(times, default=None)


def slowest_stale_after_seconds(found: Sequence[Instance]) -> float | None:
    """Return the age beyond which a reading of the slowest of the instances is stale; None without any reading."""
    ages = [reading_stale_after_seconds(each.reading) for each in found]
    return max((age for age in ages if age is not None), default=None)
