"""When something was broken: the times in which alerts about components fired, as bands that orders lie in or not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.alerts.severity import Severity
from core.events import component_title

if TYPE_CHECKING:
    from portfolio.incidents import Fired
    from storage.state.events import Event

ANY = "any"
"""Choice of no single component."""
LEAST = Severity.WARNING
"""Severity from which on an alert tells of something broken."""
MINUTE_SECONDS = 60
Band = tuple[int, int]
"""Epoch seconds from which until when."""


def broken(fired: Sequence[tuple[Fired, Event]]) -> list[tuple[Fired, Event]]:
    """Return the alerts that tell of a broken component: those about what a portfolio did tell of none."""
    return [(each, event) for each, event in fired if event.component and each.severity >= LEAST]


def components_of(fired: Sequence[tuple[Fired, Event]], start: int, end: int) -> dict[str, str]:
    """Return what was broken between two moments: the title of each component by its id, in order of titles."""
    there = {event.component for each, event in broken(fired) if each.since < end and (each.until or math.inf) > start}
    return dict(sorted(((id, component_title(id)) for id in there), key=lambda each: each[1]))


def bands_of(fired: Sequence[tuple[Fired, Event]], component: str, now: float) -> tuple[Band, ...]:
    """Return when the component, or with ANY whichever, was broken: in order, those that meet joined.

    now: until which what fires still is known to, epoch seconds; it counts to the end of the minute, so that what is
    worked out from bands stays the same for one.
    """
    open_until = math.ceil(now / MINUTE_SECONDS) * MINUTE_SECONDS
    spans = sorted(
        (math.floor(each.since), math.ceil(each.until) if each.until is not None else open_until)
        for each, event in broken(fired)
        if component in (ANY, event.component)
    )
    found: list[Band] = []
    for start, end in spans:
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        elif end > start:
            found.append((start, end))
    return tuple(found)


def within(bands: Sequence[Band], start: int, end: int) -> tuple[Band, ...]:
    """Return the bands as far as they lie between two moments."""
    cut = ((max(one, start), min(other, end)) for one, other in bands)
    return tuple((one, other) for one, other in cut if other > one)
