"""The newest readings, of every collector or of a group of them, as somebody may read them, and their components."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from core.alerts.spec import ALERTS
from core.kinds.registry import is_own, kinds_of
from core.machine.spec import PROCESSES, SYSTEM
from core.model import LiveReading, SourceId
from core.pipeline.health import HEALTH
from core.pipeline.spec import PIPELINE
from core.readiness import READINESS
from core.web.spec import REQUESTS
from portfolio.withheld import reading_for
from status.readings import OWN, Found, components_in, every_dataset, newest_readings

if TYPE_CHECKING:
    from portfolio.allowed import Limits
    from storage.stores import Stores

NETWORK_PREFIXES = ("system_network_", "system_tcp_", "system_udp_", "system_sockets_")
GROUPS: dict[str, tuple[str, ...]] = {
    "system": (SYSTEM, PROCESSES),
    "database": kinds_of("database"),
    "cache": kinds_of("cache"),
    "pipeline": (PIPELINE, HEALTH, *kinds_of("pipeline")),
    "services": kinds_of("services"),
    "network": (SYSTEM,),
    "requests": (REQUESTS,),
}
"""Collectors and kinds of watched sources by the group of their metrics."""


def readings_of(stores: Stores, names: Iterable[str], limits: Limits) -> list[LiveReading]:
    """Return the newest readings of collectors and kinds that are named, as somebody with these limits may read them.

    Of a watched source it is that of any host.
    """
    return [told for each in newest_readings(stores, names) if (told := reading_for(each, limits)) is not None]


def components(stores: Stores, now: float, limits: Limits) -> list[Found]:
    """Return every component as it is at `now` (epoch seconds), by id. What has no reading yet is unknown.

    Whether the whole fund may trade is told to those who may see all of it.
    """
    found = components_in(stores.settings, readings_of(stores, every_dataset(stores.settings), limits), now)
    return [each for each in found if limits is None or each.collector != READINESS]


def is_fundwatch(found: Found) -> bool:
    """Return whether a component is a part of Fundwatch, and neither of its machine nor of what somebody watches."""
    return found.collector in (PIPELINE, REQUESTS, ALERTS) or (
        found.collector not in OWN and is_own(SourceId.parse(found.collector))
    )
