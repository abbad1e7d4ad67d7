"""The newest readings, of every collector or of some, and the components in them as they are now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.alerts.spec import ALERTS
from core.kinds.registry import KINDS
from core.machine.spec import PROCESSES, SYSTEM
from core.model import Component, LiveReading, SourceId, Status
from core.pipeline.health import HEALTH
from core.pipeline.spec import PIPELINE
from core.readiness import READINESS
from core.web.spec import REQUESTS
from status.freshness import NO_READING, components_at, stale_after_seconds
from status.instances import instance_names

if TYPE_CHECKING:
    from core.settings.model import Settings
    from storage.stores import Stores

OWN = (SYSTEM, PROCESSES, PIPELINE, REQUESTS, ALERTS, HEALTH, READINESS)
"""What tells of the machine and of Fundwatch itself."""
OF_ENGINE = (ALERTS, READINESS)
"""Of these, what the process tells whose alert engine is the active one."""


@dataclass(frozen=True, slots=True)
class Found:
    """A component, the collector that tells of it, and the reading that it stands in; None: there is none yet."""

    host: str
    """Empty for a watched source: it is the same one from wherever it is read."""
    collector: str
    part: Component
    reading: LiveReading | None

    @property
    def id(self) -> str:
        """Return what it is called in addresses: host/collector/name, or collector/name of a watched source."""
        return "/".join(part for part in (self.host, self.collector, self.part.name) if part)


def every_dataset(settings: Settings) -> tuple[str, ...]:
    """Return the data sets whose versions move with any reading."""
    return (*OWN, *KINDS, *settings.row_importers)


def collectors_of(settings: Settings, names: Iterable[str]) -> list[str]:
    """Return the collectors that are switched on, of collectors and kinds of watched sources that are named."""
    importers = settings.row_importers
    found: list[str] = []
    for name in names:
        if name in KINDS:
            found += [f"{name}:{instance}" for instance in instance_names(settings, name)]
        elif name in importers or _is_on(settings, name):
            found.append(name)
    return found


def _is_on(settings: Settings, name: str) -> bool:
    return settings.alerts.enabled if name in OF_ENGINE else bool(getattr(settings.sources, name))


def newest_readings(stores: Stores, names: Iterable[str]) -> list[LiveReading]:
    """Return the newest readings of collectors and kinds that are named; of a watched source that of any host."""
    asked = collectors_of(stores.settings, names)
    found = stores.live.every_reading(asked) if asked else []
    newest: dict[tuple[str, str], LiveReading] = {}
    for reading in found:
        key = (reading.collector, machine_of(reading))
        if key not in newest or reading.ts > newest[key].ts:
            newest[key] = reading
    return [*newest.values()]


def of_those_that_collect(readings: Sequence[LiveReading], now: float) -> list[LiveReading]:
    """Return the readings without those of machines that stand by, or are gone, at `now` (epoch seconds).

    One machine collects and one runs the alert engine. Its own readings stay where they are when another one takes
    over: a machine of which none is recent stands by where another one's are. Where none is recent the last one counts.
    """
    of_machines = [each for each in readings if machine_of(each)]
    engines = [each for each in of_machines if each.collector in OF_ENGINE]
    collectors = [each for each in of_machines if each.collector not in OF_ENGINE]
    watched = [each for each in readings if not machine_of(each)]
    return [*watched, *_of_those_active(collectors, now), *_of_those_active(engines, now)]


def _of_those_active(readings: Sequence[LiveReading], now: float) -> list[LiveReading]:
    newest: dict[str, float] = {}
    patience: dict[str, float] = {}
    for each in readings:
        newest[each.host] = max(each.ts, newest.get(each.host, each.ts))
        longest = stale_after_seconds(each.interval_seconds, each.timeout_seconds)
        patience[each.host] = min(longest, patience.get(each.host, longest))
    active = {host for host, at in newest.items() if now - at <= patience[host]}
    if newest and not active:
        active = {max(newest, key=lambda host: (newest[host], host))}
    return [each for each in readings if each.host in active]


def components_in(settings: Settings, readings: Sequence[LiveReading], now: float) -> list[Found]:
    """Return every component as it is at `now` (epoch seconds), by id; what is in no reading yet is unknown.

    readings: the newest ones of every collector.
    """
    found = [
        Found(machine_of(each), each.collector, part, each) for each in readings for part in components_at(each, now)
    ]
    there = {each.collector for each in readings}
    missing = [name for name in collectors_of(settings, every_dataset(settings)) if name not in there]
    found += [Found("", name, Component(name, Status.UNKNOWN, NO_READING), None) for name in missing]
    return sorted(found, key=lambda each: each.id)


def machine_of(reading: LiveReading) -> str:
    """Return the machine that a reading is of; empty for a watched source, which is the same one from anywhere."""
    return "" if SourceId.parse(reading.collector) else reading.host
