"""Returns chained to an index: it begins at 100, or goes on from what is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.cadence import day_before
from core.clock import DAY_SECONDS
from portfolio.imports.dates import NO_ZONE
from portfolio.imports.points import Points

if TYPE_CHECKING:
    from numpy.typing import NDArray

BEGINS_AT = 100.0


@dataclass(frozen=True, slots=True)
class Chained:
    """An index for each name. `begun`: those that begin at 100, and when (epoch seconds)."""

    points: Points
    begun: tuple[tuple[str, int], ...]


def chain(points: Points, before: Mapping[str, float]) -> Chained:
    """Return the index of each series of returns, I(t) = I(t−1) · (1 + r(t)).

    `before` has the last value of the names that have one before their first return; the others begin at 100, one
    period before it, so that no return is lost.
    """
    order = np.lexsort((points.ts, points.code))
    borders = np.searchsorted(points.code[order], np.arange(len(points.names) + 1))
    index = np.empty(len(points))
    starts: list[tuple[int, int, int]] = []
    for number, name in enumerate(points.names):
        of = order[borders[number] : borders[number + 1]]
        index[of] = before.get(name, BEGINS_AT) * np.cumprod(1 + points.value[of])
        if name not in before and of.size:
            first = int(points.ts[of[0]])
            day = day_before(np.unique(points.ts[of] // DAY_SECONDS).astype("datetime64[D]"))
            start = int(day.astype(np.int64)) * DAY_SECONDS + first % DAY_SECONDS
            starts.append((number, max(start, 0), int(points.line[of[0]])))
    code, ts, line = (_array(column) for column in zip(*starts, strict=True)) if starts else (_array(()),) * 3
    count = len(starts)
    made = replace(
        points,
        code=np.concatenate([code, points.code]),
        ts=np.concatenate([ts, points.ts]),
        value=np.concatenate([np.full(count, BEGINS_AT), index]),
        flow=np.zeros(count + len(points)),
        line=np.concatenate([line, points.line]),
        zone=np.concatenate([np.full(count, NO_ZONE), points.zone]),
    )
    return Chained(made, tuple((points.names[at], start) for at, start, _ in starts))


def _array(values: object) -> NDArray[np.int64]:
    return np.asarray(values, dtype=np.int64)
