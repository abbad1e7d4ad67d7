"""The health score: 0 to 100 of every component and of all together, line by line.

A component has the points of its state, or of how much of its limit it uses where that is less: below 70 % of it green,
to 85 % yellow, above red. An area (trading, storage, …) has the mean of its components, all together the mean of the
areas, both weighted by the settings. What is unknown has no points and counts; what is not watched does not count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from core.checks import Check
from core.format import percent
from core.limits import CRITICAL_SHARE, WARNING_SHARE, on_scale
from core.machine.spec import Share
from core.model import Component, LiveReading, SourceId, Status
from core.pipeline.health import HEALTH, Area, Level, area_of
from core.readiness import READINESS
from core.tables import rows_of
from status.readings import Found, components_in, every_dataset, newest_readings, of_those_that_collect

if TYPE_CHECKING:
    from core.settings.health import Health
    from core.settings.model import Settings
    from storage.stores import Stores

POINTS = {Status.OK: 100.0, Status.WARNING: 60.0, Status.CRITICAL: 20.0, Status.DOWN: 0.0, Status.UNKNOWN: 0.0}
"""Of a state; what is not configured has none and does not count."""
GREEN_FROM, YELLOW_FROM = 85.0, 70.0
"""A score from here on is green, or yellow; below it is red."""
CAP = 20.0
"""The most that all together can have while something that trading rests on is down, or nobody knows whether it is."""
_LEVELS = {Status.OK: Level.GREEN, Status.WARNING: Level.YELLOW}


@dataclass(frozen=True, slots=True)
class Line:
    """A component in the arithmetic of the score."""

    found: Found
    area: Area
    limit_share: float | None
    """How much of its limit is in use; None: it has none."""
    points: float
    """0 to 100."""
    level: Level
    weight: float
    """Its share of the whole, 0 to 1."""
    why: str
    """What the points are for."""

    @property
    def adds(self) -> float:
        """Points that it adds to the whole."""
        return self.weight * self.points


@dataclass(frozen=True, slots=True)
class Score:
    """How well everything is."""

    value: float
    """0 to 100; 0 when nothing is known."""
    level: Level
    lines: tuple[Line, ...]
    """What counts, by area and then by id."""
    before_cap: float
    """The sum of what the lines add."""
    capped_by: tuple[str, ...] = ()
    """What trading rests on and is down or unknown; empty: nothing of it."""


def present_readings(stores: Stores) -> list[LiveReading]:
    """Return the newest readings of everything that has components."""
    return newest_readings(stores, every_dataset(stores.settings))


def present_components(settings: Settings, readings: Sequence[LiveReading], now: float) -> list[Found]:
    """Return every component as it is at `now` (epoch seconds), by id; what is in no reading yet is unknown.

    readings: those of `present_readings`; machines that stand by do not count.
    """
    active = of_those_that_collect(readings, now)
    # Neither the score nor the answer whether trading may go on, which is made of other things, makes itself up.
    return [each for each in components_in(settings, active, now) if each.collector not in (HEALTH, READINESS)]


def score_of(found: Sequence[Found], weights: Health) -> Score:
    """Return the score of components as they are now."""
    counted = [each for each in found if each.part.status is not Status.NOT_CONFIGURED]
    areas = [area_of(each.collector, each.part.name) for each in counted]
    own = [_own_weight(each.part.name, weights) for each in counted]
    of_area = {area: math.fsum(one for one, at in zip(own, areas, strict=True) if at is area) for area in Area}
    shares = {area: _area_weight(area, weights) for area in Area if of_area[area] > 0}
    whole = math.fsum(shares.values())
    lines = [
        _line(each, area, shares[area] / whole * mine / of_area[area] if whole > 0 and area in shares else 0.0)
        for each, area, mine in zip(counted, areas, own, strict=True)
    ]
    order = [*Area]
    lines.sort(key=lambda line: (order.index(line.area), line.found.id))
    total = math.fsum(line.adds for line in lines)
    stops = tuple(line.found.part.name for line in lines if line.area is Area.TRADING and _is_lost(line.found.part))
    value = min(total, CAP) if stops else total
    return Score(value, level_of(value), tuple(lines), total, stops)


def level_of(value: float) -> Level:
    """Return the colour of a score of all together."""
    rounded = round(value, 6)  # a sum of weights that make up 1 may lack the last digit
    return Level.GREEN if rounded >= GREEN_FROM else Level.YELLOW if rounded >= YELLOW_FROM else Level.RED


def _line(found: Found, area: Area, weight: float) -> Line:
    part, share = found.part, limit_share(found)
    by_share = on_scale(share) if share is not None else Status.OK
    points = min(POINTS[part.status], POINTS[by_share])
    status = part.status if POINTS[part.status] <= POINTS[by_share] else by_share
    why = part.why if status is part.status else _of_limit(share)
    return Line(found, area, share, points, _LEVELS.get(status, Level.RED), weight, why)


def limit_share(found: Found) -> float | None:
    """Return how much of its limit a component uses: of several the most; None without one, or while it is unknown."""
    if found.reading is None or found.part.status in (Status.UNKNOWN, Status.DOWN):
        return None
    if SourceId.parse(found.collector):
        shares = [each.share for each in rows_of(found.reading.tables, Check)]
    else:
        of_machine = rows_of(found.reading.tables, Share)
        shares = [each.share_ratio for each in of_machine if each.component == found.part.name]
    return max((each for each in shares if each is not None and math.isfinite(each)), default=None)


def _of_limit(share: float | None) -> str:
    bound = CRITICAL_SHARE if on_scale(share or 0.0) is Status.CRITICAL else WARNING_SHARE
    return f"{percent(share)} of its limit, {percent(bound)} or more"


def _is_lost(part: Component) -> bool:
    return part.status in (Status.DOWN, Status.UNKNOWN)


def _area_weight(area: Area, weights: Health) -> float:
    return float(getattr(weights, f"{area}_weight"))


def _own_weight(name: str, weights: Health) -> float:
    return next((each for of, each in weights.weights.items() if name == of or fnmatchcase(name, of)), 1.0)
