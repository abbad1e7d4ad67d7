"""Days on a chart: which of a long history are drawn, and how they are written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.calendar import Dates

MOST_DAYS = 750
"""No chart of the page is wider than this in pixels that matter."""
MONTHS_FROM = 120
"""Days from which on ticks are months."""
FEW_DAYS = 9
"""Below this each day has its tick: half days would repeat its name."""
DAY_MILLISECONDS = 86_400_000
BESIDE = 2
"""Of the drawn days every second is enough for thin lines beside that have no hover."""
Places = NDArray[np.intp]
"""Positions in a history."""


def drawn(count: int, kept: Iterable[int] = ()) -> Places:
    """Return the positions, of `count`, that are drawn: all, or as many as the chart has pixels for.

    The first, the last and those `kept` are always among them. Each new day leaves the others where they are.
    """
    step = -(-count // MOST_DAYS) or 1
    chosen = {*range(0, count, step), *(place for place in kept if 0 <= place < count)}
    return np.array(sorted(chosen | ({count - 1} if count else set())), dtype=np.intp)


def texts(dates: Dates) -> list[str]:
    """Return days as they are sent: "2022-12-28"."""
    days: list[str] = np.datetime_as_string(dates, unit="D").tolist() if len(dates) else []
    return days


def values(found: NDArray[np.float64], decimals: int) -> list[float | None]:
    """Return numbers rounded as they are sent; None where one is missing, which leaves a gap in a line."""
    rounded: list[Any] = np.round(found, decimals).tolist()
    return [None if value != value else value for value in rounded]


def broken(
    days: Dates, found: list[Any], breaks: NDArray[np.bool_], missing: Any = None
) -> tuple[list[str], list[Any]]:
    """Return days as they are sent and what is found on them, with `missing` before each that comes after a break.

    A line ends there and begins anew: nothing is known of what lies between.
    """
    x, y = texts(days), list(found)
    for place in np.flatnonzero(breaks)[::-1].tolist():
        x.insert(place, str(days[place] - 1))
        y.insert(place, missing)
    return x, y


def breaks_at(returns: NDArray[np.float64], places: Places) -> NDArray[np.bool_]:
    """Return whether a return that is not known lies between each of the drawn places and the one before."""
    unknown = np.cumsum(np.isnan(returns))[places]
    return np.asarray(np.diff(unknown, prepend=unknown[:1]) > 0)


def on_days(dates: Dates, found: NDArray[np.float64], days: Dates, missing: float = np.nan) -> NDArray[np.float64]:
    """Return `found`, which is known on `dates`, on `days` (both ascending); `missing` where it is not known."""
    if not len(days) or not len(dates):
        return np.full(len(days), missing)
    start = int(np.searchsorted(dates, days[0]))
    if np.array_equal(dates[start : start + len(days)], days):
        return found[start : start + len(days)].copy()
    at = np.minimum(np.searchsorted(dates, days), len(dates) - 1)
    return np.where(dates[at] == days, found[at], missing)


def day_axis(dates: Dates, anchor: str) -> dict[str, Any]:
    """Return a time axis that ends with the days there are, whatever stands beside them."""
    axis = {"type": "date", "anchor": anchor, "hoverformat": "%Y-%m-%d", "tickformat": "%b\n%Y", "nticks": 8}
    if len(dates) < 2:
        return axis | {"tickformat": "%d %b\n%Y", "nticks": 1}
    first, last = texts(dates[[0, -1]])
    length = int((dates[-1] - dates[0]).astype(np.int64))
    short = {"tickformat": "%d %b\n%Y"} if length < MONTHS_FROM else {}
    single = {"dtick": DAY_MILLISECONDS} if length < FEW_DAYS else {}
    return axis | short | single | {"autorangeoptions": {"clipmin": first, "clipmax": last}}
