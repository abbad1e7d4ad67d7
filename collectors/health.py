"""Collector "health": the health score and what it is made of, from the newest readings of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collectors.base import Context, gauges
from core.errors import SourceUnavailable
from core.model import Reading, Status
from core.pipeline import health
from status.health import present_components, present_readings, score_of

if TYPE_CHECKING:
    from storage.stores import Stores


def make(context: Context) -> HealthCollector:
    """Return the collector."""
    return HealthCollector(context.stores, context.settings.intervals.health_seconds)


SETTLING_SECONDS = 60.0
"""After the start: what is unknown then has mostly not been read yet."""


class HealthCollector:
    """Works the score out anew at each reading: pages show the present one, its trend is what is stored here."""

    name = health.HEALTH
    timeout_seconds = 5.0

    def __init__(self, stores: Stores, interval_seconds: float = 15.0) -> None:
        """Return the collector of the score of what `stores` have."""
        self._stores = stores
        self.interval_seconds = interval_seconds
        self._began: float | None = None

    def collect(self, now: float) -> Reading:
        """Return the reading at `now`. Raises SourceUnavailable when Redis does not answer.

        It has no score while some components have not been read since the start, for a minute: that is a gap, no dip.
        """
        settings, live = self._stores.settings, self._stores.live
        readings = present_readings(self._stores)
        if live.problem:
            raise SourceUnavailable(f"Redis does not answer: {live.problem}")
        found = present_components(settings, readings, now)
        self._began = now if self._began is None else self._began
        if now - self._began < SETTLING_SECONDS and any(each.part.status is Status.UNKNOWN for each in found):
            return Reading()
        score = score_of(found, settings.health)
        samples = gauges({health.SCORE: score.value})
        for line in score.lines:
            samples += gauges(
                {health.POINTS: line.points, health.SHARE: line.weight, health.LIMIT_SHARE: line.limit_share},
                component=line.found.part.name,
                collector=line.found.collector,
                **({"host": line.found.host} if line.found.host else {}),
            )
        return Reading(samples=samples)
