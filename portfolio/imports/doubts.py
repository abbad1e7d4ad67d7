"""What a file says that is hard to believe: it is told, and taken only when a person confirms it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from analytics.cadence import Given, cadence_of, stray_weekends
from core.clock import DAY_SECONDS
from core.errors import Mistake
from core.format import count
from portfolio.imports.dates import NO_ZONE
from portfolio.imports.points import OF_RETURNS, Points

if TYPE_CHECKING:
    from numpy.typing import NDArray

JUMP = 10.0
"""How many times its neighbour a value is hard to believe."""
FEWEST_DAYS = 5
"""Below this many days nothing is said of holes between them, or of weekends."""
AHEAD_SECONDS = 14 * 3_600
"""The farthest that a date on earth is ahead of UTC."""
MOST_ROWS_KEPT = 1_000
"""Of each kind, so that a page can mark them."""

REASONS = {
    "jump": "a value more than ten times the one before, or less than a tenth of it",
    "hole": "a hole longer than five of its periods before it",
    "weekend": "a weekend in a series of weekdays",
    "future": "a day in the future",
    "zones": "one day in two time zones",
}


@dataclass(frozen=True, slots=True)
class DoubtedRow:
    """Where a doubt is: line of the file, portfolio or instrument, epoch seconds, value, and what of it."""

    line: int
    name: str
    ts: int
    value: float
    text: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """A kind of doubt (a key of REASONS), how often it came up, and its first rows."""

    kind: str
    count: int
    rows: tuple[DoubtedRow, ...]

    def mistake(self) -> Mistake:
        """Return it as a refusal tells it."""
        return Mistake(REASONS[self.kind], self.count, tuple((row.line, row.text) for row in self.rows[:3]))


@dataclass(frozen=True, slots=True)
class Around:
    """What is stored of a portfolio or instrument round what a file says of it."""

    days: tuple[int, ...] = ()
    """The last days before, oldest first, days since 1970-01-01."""
    before: float | None = None
    """The value on the last of them."""
    after: tuple[int, float] | None = None
    """The first day after, and its value."""
    calendar: np.busdaycalendar | None = None
    """Days on which it is expected to have a value, where somebody has set them."""


def find_doubts(points: Points, kind: str, now: float, around: Mapping[str, Around]) -> tuple[Doubt, ...]:
    """Return every doubt about the points of a file of this kind. `now` is in epoch seconds."""
    found: dict[str, list[DoubtedRow]] = {kind: [] for kind in REASONS}
    counts = dict.fromkeys(REASONS, 0)
    for name, own in _each(points):
        for reason, at, text in (
            *_jumps(own, kind, around.get(name, Around())),
            *_holes(own, around.get(name, Around())),
            *_weekends(own, around.get(name, Around())),
            *_future(own, now),
            *_zones(own),
        ):
            counts[reason] += 1
            if len(found[reason]) < MOST_ROWS_KEPT:
                ts, value = int(own.ts[at]), float(own.value[at])
                told = f"{name} {_day(ts)}: {text}"
                found[reason].append(DoubtedRow(int(own.line[at]), name, ts, value, told))
    return tuple(Doubt(kind, counts[kind], tuple(rows)) for kind, rows in found.items() if rows)


def doubts_to_json(doubts: Sequence[Doubt]) -> str:
    """Return doubts as JSON, to be kept with the import that took them."""
    return json.dumps([asdict(doubt) for doubt in doubts], ensure_ascii=False)


def doubts_from_json(text: str) -> tuple[Doubt, ...]:
    """Return what `doubts_to_json` wrote."""
    return tuple(
        Doubt(each["kind"], each["count"], tuple(DoubtedRow(**row) for row in each["rows"]))
        for each in json.loads(text or "[]")
    )


_Found = Iterator[tuple[str, int, str]]
"""Kind, place of the point, what of it."""


@dataclass(frozen=True, slots=True)
class _Own:
    """The points of one name, oldest first."""

    ts: NDArray[np.int64]
    value: NDArray[np.float64]
    flow: NDArray[np.float64]
    line: NDArray[np.int64]
    zone: NDArray[np.int64]
    days: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "days", np.unique(self.ts // DAY_SECONDS))


def _each(points: Points) -> Iterator[tuple[str, _Own]]:
    order = np.lexsort((points.ts, points.code))
    borders = np.searchsorted(points.code[order], np.arange(len(points.names) + 1))
    for number, name in enumerate(points.names):
        of = order[borders[number] : borders[number + 1]]
        if of.size:
            yield name, _Own(points.ts[of], points.value[of], points.flow[of], points.line[of], points.zone[of])


def _jumps(own: _Own, kind: str, around: Around) -> _Found:
    if kind == "rates":
        return
    if kind in OF_RETURNS:
        for at in np.flatnonzero((own.value > JUMP - 1) | (own.value < 1 / JUMP - 1)).tolist():
            yield "jump", at, f"a return of {own.value[at] * 100:,.6g} %"
        return
    before = [] if around.before is None else [around.before]
    value = np.concatenate([before, own.value])
    flow = np.concatenate([np.zeros(len(before)), own.flow])
    # Money that came in or went out explains a value that is in proportion without it.
    was, is_now = value[:-1], value[1:] - flow[1:]
    steps = np.where(was > 0, (is_now > JUMP * was) | (is_now < was / JUMP), is_now > 0)
    back = np.zeros(len(value), dtype=np.bool_)
    for at in np.flatnonzero(steps).tolist():
        # What follows a single wrong value is right again.
        if at and steps[at - 1] and not back[at] and value[at - 1] / JUMP <= value[at + 1] <= JUMP * value[at - 1]:
            back[at + 1] = True
            continue
        yield "jump", at + 1 - len(before), f"{value[at]:,.10g} became {value[at + 1]:,.10g}"
    if around.after is not None and own.value[-1] > 0:
        ratio = around.after[1] / own.value[-1]
        if (ratio > JUMP or ratio < 1 / JUMP) and not (len(steps) and steps[-1]):
            yield "jump", len(own.ts) - 1, f"{own.value[-1]:,.10g} is followed by {around.after[1]:,.10g}"


def _holes(own: _Own, around: Around) -> _Found:
    days = np.unique(np.concatenate([np.array(around.days, dtype=np.int64), own.days]))
    if len(days) < FEWEST_DAYS:
        return
    dates = days.astype("datetime64[D]")
    for at in np.flatnonzero(cadence_of(dates, Given(calendar=around.calendar)).gaps(dates)).tolist():
        place = int(np.searchsorted(own.ts // DAY_SECONDS, days[at]))
        if place < len(own.ts) and own.ts[place] // DAY_SECONDS == days[at]:
            long = count(int(days[at] - days[at - 1]), "day")
            yield "hole", place, f"{long} after {_day(int(days[at - 1]) * DAY_SECONDS)}"


def _weekends(own: _Own, around: Around) -> _Found:
    days = np.unique(np.concatenate([np.array(around.days, dtype=np.int64), own.days]))
    if len(days) < FEWEST_DAYS and around.calendar is None:
        return
    stray = stray_weekends(days.astype("datetime64[D]"), around.calendar).astype(np.int64)
    for day in np.intersect1d(stray, own.days).tolist():
        at = int(np.searchsorted(own.ts // DAY_SECONDS, day))
        yield "weekend", at, datetime.fromtimestamp(day * DAY_SECONDS, UTC).strftime("%A")


def _future(own: _Own, now: float) -> _Found:
    for at in np.flatnonzero(own.ts > now + AHEAD_SECONDS).tolist():
        yield "future", at, "is still to come"


def _zones(own: _Own) -> _Found:
    """Yield days that are there twice because their points are written in two zones."""
    if (own.zone == own.zone[0]).all():
        return
    offset = np.where(own.zone == NO_ZONE, 0, own.zone)
    written = (own.ts + offset) // DAY_SECONDS
    for days, other in ((written, own.ts // DAY_SECONDS), (own.ts // DAY_SECONDS, written)):
        for at in (np.flatnonzero((days[1:] == days[:-1]) & (offset[1:] != offset[:-1])) + 1).tolist():
            # Many points a day are intraday data, on the day on which the clocks change.
            if (days == days[at]).sum() <= 2 and (days is written or other[at] != other[at - 1]):
                yield "zones", at, f"also in line {own.line[at - 1]}, {_offset(own, at - 1)} and {_offset(own, at)}"


def _offset(own: _Own, at: int) -> str:
    if own.zone[at] == NO_ZONE:
        return "without a zone (UTC)"
    minutes = abs(int(own.zone[at])) // 60
    return f"UTC{'−' if own.zone[at] < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"


def _day(ts: int) -> str:
    return datetime.fromtimestamp(ts, UTC).date().isoformat()
