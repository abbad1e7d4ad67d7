"""The newest readings, of every collector or of a group of them, and the components in them as they are now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.kinds.registry import KINDS, is_own, kinds_of
from core.machine.spec import PROCESSES, SYSTEM
from core.model import Component, LiveReading, SourceId, Status
from core.pipeline.spec import PIPELINE
from core.settings.pull import collectors_of as pullers_of
from core.web.spec import REQUESTS
from portfolio.withheld import reading_for
from status.freshness import NO_READING, components_at
from status.instances import instance_names

if TYPE_CHECKING:
    from core.settings.model import Settings
    from portfolio.allowed import Limits
    from storage.stores import Stores

OWN = (SYSTEM, PROCESSES, PIPELINE, REQUESTS)
"""Collectors of the machine and of Fundwatch itself; each is switched by a setting of its name."""
NETWORK_PREFIXES = ("system_network_", "system_tcp_", "system_udp_", "system_sockets_")
GROUPS: dict[str, tuple[str, ...]] = {
    "system": (SYSTEM, PROCESSES),
    "database": kinds_of("database"),
    "cache": kinds_of("cache"),
    "pipeline": (PIPELINE, *kinds_of("pipeline")),
    "services": kinds_of("services"),
    "network": (SYSTEM,),
    "requests": (REQUESTS,),
}
"""Collectors and kinds of watched sources by the group of their metrics."""


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
    return (*OWN, *KINDS, *pullers_of(settings.pull))


def collectors_of(settings: Settings, names: Iterable[str]) -> list[str]:
    """Return the collectors that are switched on, of collectors and kinds of watched sources that are named."""
    pulls = pullers_of(settings.pull)
    found: list[str] = []
    for name in names:
        if name in KINDS:
            found += [f"{name}:{instance}" for instance in instance_names(settings, name)]
        elif name in pulls or getattr(settings.sources, name):
            found.append(name)
    return found


def readings_of(stores: Stores, names: Iterable[str], limits: Limits) -> list[LiveReading]:
    """Return the newest readings of collectors and kinds that are named, as somebody with these limits may read them.

    Of a watched source it is that of any host.
    """
    asked = collectors_of(stores.settings, names)
    found = stores.live.every_reading(asked) if asked else []
    newest: dict[tuple[str, str], LiveReading] = {}
    for reading in found:
        key = (reading.collector, _host(reading))
        if key not in newest or reading.ts > newest[key].ts:
            newest[key] = reading
    return [told for each in newest.values() if (told := reading_for(each, limits)) is not None]


def components(stores: Stores, now: float, limits: Limits) -> list[Found]:
    """Return every component as it is at `now` (epoch seconds), by id. What has no reading yet is unknown."""
    names = every_dataset(stores.settings)
    found: list[Found] = []
    there: set[str] = set()
    for reading in readings_of(stores, names, limits):
        there.add(reading.collector)
        found += [Found(_host(reading), reading.collector, part, reading) for part in components_at(reading, now)]
    missing = [name for name in collectors_of(stores.settings, names) if name not in there]
    found += [Found("", name, Component(name, Status.UNKNOWN, NO_READING), None) for name in missing]
    return sorted(found, key=lambda each: each.id)


def is_fundwatch(found: Found) -> bool:
    """Return whether a component is a part of Fundwatch, and neither of its machine nor of what somebody watches."""
    return found.collector in (PIPELINE, REQUESTS) or (
        found.collector not in OWN and is_own(SourceId.parse(found.collector))
    )


def _host(reading: LiveReading) -> str:
    return "" if SourceId.parse(reading.collector) else reading.host
