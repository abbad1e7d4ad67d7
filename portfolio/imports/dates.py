"""Days, months and moments as people write them, and which of day and month stands first.

A month without a day (Jan 2024, 2024-01, 01/2024) is its last day: what a table says of a month it says of its end.
The order is found out from dates that can be read in one way only (31/12/2024). Where every date of a file can be read
in two ways (03/04/2024 throughout), it is asked for.
"""

from __future__ import annotations

import math
import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

import numpy as np

from portfolio.imports.mapping import DATE_ORDERS
from portfolio.imports.mistakes import Mistakes, shown
from portfolio.imports.sheet import Cell, Column

if TYPE_CHECKING:
    from numpy.typing import NDArray

LATEST_SECONDS = 2**32 - 1
"""What ClickHouse's DateTime holds."""
CENTURY_BEGINS = 70
"""Years of two digits: 70 to 99 are of the last century."""
NO_ZONE = -(2**31)

_ISO_DAYS = re.compile(r"(?:\d{4}-\d\d-\d\d\n)*", re.ASCII)
_CLOCK = (
    r"(?:(?:T|,?\s+)(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d+)?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d)?)?"
)
_NUMERIC = re.compile(r"(?P<a>\d{1,4})(?P<mark>[./-])(?P<b>\d{1,2})(?P=mark)(?P<c>\d{1,4})\.?" + _CLOCK, re.ASCII)
_DAY_NAMED = re.compile(r"(?P<d>\d{1,2})\.?[\s/-]*(?P<name>[^\W\d_]{3,9})\.?[\s,/-]*(?P<y>\d{4}|\d{2})" + _CLOCK)
_NAME_DAY = re.compile(r"(?P<name>[^\W\d_]{3,9})\.?\s*(?P<d>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<y>\d{4})" + _CLOCK)
_MONTH_NAMED = re.compile(r"(?P<name>[^\W\d_]{3,9})\.?[\s,/-]*(?P<y>\d{4})")
_MONTH_NUMBERED = re.compile(r"(?:(?P<y>\d{4})[/-](?P<m>\d{1,2})|(?P<m2>\d{1,2})[/-](?P<y2>\d{4}))", re.ASCII)
_NAMED = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ELSEWHERE = {"mär": 3, "mrz": 3, "mae": 3, "mai": 5, "okt": 10, "dez": 12, "fév": 2, "avr": 4, "aoû": 8, "déc": 12}
_MONTHS = {name: number for number, name in enumerate(_NAMED, start=1)} | _ELSEWHERE
"""By the first three letters."""
_COMPACT = re.compile(r"\d{8}(?=[ T])", re.ASCII)
_EPOCH = re.compile(r"\d{10}|\d{13}", re.ASCII)
_WRITTEN = "such as 2026-01-31 or 2026-01-31T21:00:00Z"

Zoned = tuple[int, int]
"""Epoch seconds, and seconds east of UTC as written (NO_ZONE: none was)."""


@dataclass(frozen=True, slots=True)
class Dates:
    """Moments of a column: epoch seconds (−1 where there is none), and the zone they are written in."""

    ts: NDArray[np.int64]
    zone: NDArray[np.int64]
    order: str = ""
    """Order of day, month and year; empty: every date tells it itself."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """Three numbers that are day, month and year in some order, and the time of day."""

    numbers: tuple[int, int, int]
    orders: tuple[str, ...]
    """Orders that make a day of them."""
    clock: time
    zone: timezone | None


def read_dates(
    column: Column, lines: Sequence[int] | NDArray[np.int64], said: str, recalled: str, mistakes: Mistakes
) -> Dates:
    """Return the moments of a column. What is said holds; what is recalled decides where the file leaves it open."""
    orders = _Orders()
    read = [orders.look(cells) for cells in column.parts()]
    order = said or orders.found(recalled, mistakes)
    done = [found or _in_order(cells, _known(cells), order) for cells, found in zip(column.parts(), read, strict=True)]
    begins = 0
    for part in done:
        for at, why, cell in part.wrong:
            mistakes.add(why, int(lines[begins + at]), cell if cell is not None else "")
        begins += len(part.ts)
    ts, zone = (np.concatenate(arrays) for arrays in zip(*((part.ts, part.zone) for part in done), strict=True))
    return Dates(ts, zone, order if orders.is_open else "")


@dataclass(frozen=True, slots=True)
class _Part:
    """The moments of a part of a column, and where there is none: place, why, and what stands there."""

    ts: NDArray[np.int64]
    zone: NDArray[np.int64]
    wrong: list[tuple[int, str, Cell]]


def _known(cells: Sequence[Cell]) -> dict[Cell, Zoned | _Parts | str]:
    return {cell: _classify(cell) for cell in dict.fromkeys(cells)}


def _in_order(cells: Sequence[Cell], known: dict[Cell, Zoned | _Parts | str], order: str) -> _Part:
    moments = {cell: _moment(found, order) for cell, found in known.items()}
    wrong = [(at, found, cell) for at, cell in enumerate(cells) if isinstance(found := moments[cell], str)]
    pairs = [(-1, NO_ZONE) if isinstance(found := moments[cell], str) else found for cell in cells]
    ts, zone = np.array(pairs, dtype=np.int64).T
    return _Part(ts, zone, wrong)


def is_date(cell: Cell) -> bool:
    """Return whether a cell is a date in some way of writing."""
    return not isinstance(_classify(cell), str)


def _iso_days(cells: Sequence[Cell]) -> NDArray[np.int64] | None:
    """Return the days at once where every cell is an ISO date; None: not every one is."""
    if not cells or not all(type(cell) is str for cell in cells):
        return None
    if not _ISO_DAYS.fullmatch("\n".join(cells) + "\n"):  # type: ignore[arg-type]
        return None
    try:
        found = np.array(cells, dtype="datetime64[D]").astype(np.int64) * 86_400
    except ValueError:
        return None
    return found if found.min() >= 0 and found.max() <= LATEST_SECONDS else None


def _classify(cell: Cell) -> Zoned | _Parts | str:
    """Return a moment, the parts of one whose order is open, or why it is none."""
    if isinstance(cell, datetime):
        return _zoned(cell)
    if isinstance(cell, date):
        return _zoned(datetime.combine(cell, time()))
    if not isinstance(cell, str):
        return f"date is a number, no date {_WRITTEN}" if cell is not None else "date is empty"
    text = cell.strip()
    if not text:
        return "date is empty"
    if _EPOCH.fullmatch(text):
        return _in_range(int(text[:10]), 0)
    if _COMPACT.match(text):
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    try:
        return _zoned(datetime.fromisoformat(text))
    except ValueError:
        pass
    match = _NUMERIC.fullmatch(text)
    if match:
        return _numeric(match)
    match = _DAY_NAMED.fullmatch(text) or _NAME_DAY.fullmatch(text)
    month = match and _MONTHS.get(match["name"].lower()[:3])
    if match and month:
        year = _year(match["y"])
        made = _made(year, month, int(match["d"]), match)
        return made if made is not None else _NO_DAY
    last = _end_of_month(text)
    return last if last is not None else f"date is no date {_WRITTEN}"


def _end_of_month(text: str) -> Zoned | str | None:
    """Return the last day of a month that is written without a day; None: it is none."""
    if match := _MONTH_NUMBERED.fullmatch(text):
        year, month = int(match["y"] or match["y2"]), int(match["m"] or match["m2"])
    elif match := _MONTH_NAMED.fullmatch(text):
        year, month = int(match["y"]), _MONTHS.get(match["name"].lower()[:3], 0)
    else:
        return None
    if not 1 <= month <= 12 or not 1 <= year <= 9999:
        return None
    return _zoned(datetime(year, month, monthrange(year, month)[1]))


_NO_DAY = "date is no day of the calendar"


def _numeric(match: re.Match[str]) -> Zoned | _Parts | str:
    a, b, c = match["a"], match["b"], match["c"]
    clock = _clock(match)
    if clock is None or len(a) == 3 or len(c) == 3 or (len(a) == 4 and len(c) == 4):
        return f"date is no date {_WRITTEN}"
    if len(a) == 4:
        made = _made(int(a), int(b), int(c), match)
        return made if made is not None else _NO_DAY
    # A year of two digits stands first only where the others have two too, and never before points.
    is_year_first = len(a) == len(b) == len(c) == 2 and match["mark"] != "."
    candidates = tuple(DATE_ORDERS) if is_year_first else ("dmy", "mdy")
    numbers = (int(a), int(b), int(c))
    orders = tuple(order for order in candidates if _day(numbers, order) is not None)
    return _Parts(numbers, orders, clock, _zone(match["zone"])) if orders else _NO_DAY


def _day(numbers: tuple[int, int, int], order: str) -> date | None:
    parts = dict(zip(order, numbers, strict=True))
    year = parts["y"] if parts["y"] > 99 else _century(parts["y"])
    try:
        return date(year, parts["m"], parts["d"])
    except ValueError:
        return None


class _Orders:
    """What the dates of a column tell of the order of day, month and year, part by part."""

    def __init__(self) -> None:
        self._left: set[str] = set(DATE_ORDERS)
        self._told: dict[str, Cell] = {}
        self._open: tuple[Cell, _Parts] | None = None
        self.is_open = False
        """Whether a date needs the order to be read."""

    def look(self, cells: Sequence[Cell]) -> _Part | None:
        """Return the moments of a part none of whose dates needs the order; None: the order must be known first."""
        days = _iso_days(cells)
        if days is not None:
            return _Part(days, np.full(len(cells), NO_ZONE), [])
        known = _known(cells)
        parts = {cell: found for cell, found in known.items() if isinstance(found, _Parts)}
        for cell, found in parts.items():
            self._weigh(cell, found)
        return None if parts else _in_order(cells, known, "")

    def _weigh(self, cell: Cell, parts: _Parts) -> None:
        self.is_open = self.is_open or len(parts.orders) != 3
        if len({_day(parts.numbers, order) for order in parts.orders}) == 1 and len(parts.orders) > 1:
            return
        self._left &= set(parts.orders)
        if len(parts.orders) == 1:
            self._told.setdefault(parts.orders[0], cell)
        else:
            self._open = cell, parts

    def found(self, recalled: str, mistakes: Mistakes) -> str:
        """Return the one order in which every date is a day; empty where none is needed, or there is a mistake."""
        if not self._left:
            cells = " and ".join(shown(cell) for cell in list(self._told.values())[:2])
            mistakes.whole(f"dates are written in two orders of day and month, such as {cells}")
            return ""
        if len(self._left) == 1:
            return next(iter(self._left))
        if self._open is None:
            return ""
        if recalled in self._left:
            return recalled
        cell, parts = self._open
        readings = [(order, _day(parts.numbers, order)) for order in DATE_ORDERS if order in self._left]
        told_as = " or ".join(f"{day} (--date-order {order})" for order, day in readings if day)
        mistakes.whole(f"dates such as {shown(cell)} can be {told_as}: say which", ["date_order"])
        return ""


def _moment(found: Zoned | _Parts | str, order: str) -> Zoned | str:
    if not isinstance(found, _Parts):
        return found
    readings = {_day(found.numbers, each) for each in found.orders}
    day = _day(found.numbers, order) if order else readings.pop() if len(readings) == 1 else None
    if day is None:
        # Where no order could be found that is told once, for the file as a whole.
        return f"date is no day in the order {order}" if order else (0, NO_ZONE)
    return _zoned(datetime.combine(day, found.clock, found.zone))


def _made(year: int, month: int, day: int, match: re.Match[str]) -> Zoned | str | None:
    clock = _clock(match)
    try:
        return None if clock is None else _zoned(datetime.combine(date(year, month, day), clock, _zone(match["zone"])))
    except ValueError:
        return None


def _clock(match: re.Match[str]) -> time | None:
    """Return the time of day of a match, midnight when there is none; None for one that cannot be."""
    if match["hour"] is None:
        return time()
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"][0] in "pP" else 0)
    try:
        return time(hour, int(match["minute"]), int(match["second"] or 0))
    except ValueError:
        return None


def _zone(text: str | None) -> timezone | None:
    if text is None:
        return None
    if text[0] not in "+-":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=minutes if text[0] == "+" else -minutes)) if minutes < 1440 else UTC


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else _century(int(text))


def _century(year: int) -> int:
    return year + (1900 if year >= CENTURY_BEGINS else 2000)


def _zoned(moment: datetime) -> Zoned | str:
    try:
        offset = moment.utcoffset()
        ts = math.floor((moment if offset is not None else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return _OUTSIDE
    return _in_range(ts, NO_ZONE if offset is None else int(offset.total_seconds()))


_OUTSIDE = "date is before 1970 or after 2105"


def _in_range(ts: int, zone: int) -> Zoned | str:
    return (ts, zone) if 0 <= ts <= LATEST_SECONDS else _OUTSIDE
