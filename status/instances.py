"""Watched sources at one moment: which instances there are, and how each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.checks import Check
from core.format import duration
from core.kinds.base import OWN, Source
from core.kinds.registry import KINDS, component_name
from core.model import SEVERITY, Component, LiveReading, SourceId, Status
from core.settings.model import Settings
from core.tables import R, rows_of

if TYPE_CHECKING:
    from storage.stores import Stores

STALE_INTERVALS = 2
STALE_SPARE_SECONDS = 3.0
"""Beside the longest time a reading may take: a slow one is no sign that nothing is collected."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Instance:
    """One watched source and its newest reading."""

    kind: str
    name: str
    reading: LiveReading | None
    now: float
    timeout_seconds: float = 0.0
    """Longest time a reading of it may take."""

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
        """Its state and why. Without a reading, or with an old one, it is unknown."""
        reading = self.reading
        if reading is None or not reading.components:
            return Component(self.title, Status.UNKNOWN, "no reading yet")
        late = self.now - reading.ts
        if late > STALE_INTERVALS * reading.interval_seconds + self.timeout_seconds + STALE_SPARE_SECONDS:
            return Component(
                self.title, Status.UNKNOWN, f"newest reading is {duration(late)} old: how it is is unknown"
            )
        return reading.components[0]

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

    @property
    def about(self) -> Row:
        """The facts of its table "about", empty when there are none."""
        return next(iter(self.dicts("about")), {})

    def dicts(self, table: str) -> list[Row]:
        """Return the rows of a table of its newest good reading, the collector's name in each as "source"."""
        found = self.reading.tables.get(table) if self.reading else None
        if found is None:
            return []
        return [{"source": self.collector, **dict(zip(found.columns, row, strict=True))} for row in found.rows]


def instances(stores: Stores, *kinds: str) -> list[Instance]:
    """Return every instance of `kinds`, configured ones first, with its newest reading; one question to Redis."""
    names = [(kind, name) for kind in kinds for name in instance_names(stores.settings, kind)]
    readings = stores.live.readings([f"{kind}:{name}" for kind, name in names]) if names else {}
    now = stores.clock.now()
    longest = {(kind, each.name): each.timeout_seconds for kind in kinds for each in stores.settings.watch.of(kind)}
    return [
        Instance(kind, name, readings.get(f"{kind}:{name}"), now, longest.get((kind, name), 0.0))
        for kind, name in names
    ]


def instance_names(settings: Settings, kind: str) -> list[str]:
    """Return the names of the instances of a kind, Fundwatch's own last."""
    own = [OWN] if KINDS[kind].has_own and settings.sources.own else []
    return [*(source.name for source in settings.watch.of(kind)), *own]


def worst_first(found: Sequence[Instance]) -> list[Instance]:
    """Return the instances, those in most trouble first."""
    return sorted(found, key=lambda each: -SEVERITY[each.status])


def not_configured(settings: Settings, kinds: Sequence[str]) -> list[type[Source]]:
    """Return the kinds of which a person has configured no instance."""
    return [KINDS[kind].source for kind in kinds if not settings.watch.of(kind)]


def newest(found: Sequence[Instance], *, tables: bool = False) -> float | None:
    """Return when the newest reading was taken (its tables, if asked); None when there is none."""
    times = [each.reading.tables_ts if tables else each.reading.ts for each in found if each.reading]
    return max(times, default=None)


def interval(found: Sequence[Instance]) -> float | None:
    """Return how often the slowest of the instances is read."""
    return max((each.reading.interval_seconds for each in found if each.reading), default=None)
