"""When a market is open: data that stands still is no trouble while nobody trades.

A calendar is named as exchange_calendars names it: XNYS (New York), CMES (CME Globex), XLON, XTKS, 24/7 …
Times are epoch seconds. Regular sessions only: pre-market and after-hours trading count as closed.
"""

from __future__ import annotations

import logging
import threading
from bisect import bisect_right
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from itertools import accumulate

from core.errors import SourceRejected

YEARS_BACK = 2

log = logging.getLogger(__name__)

Span = tuple[float, float]


class MarketHours:
    """The spans in which a market is open; a lunch break parts a session in two. Every question is a bisection."""

    def __init__(self, name: str, spans: Sequence[Span]) -> None:
        self.name = name
        self._spans = _joined(spans)
        self._opens = [start for start, _ in self._spans]
        self._before = [0.0, *accumulate(end - start for start, end in self._spans)]

    def is_open(self, at: float) -> bool:
        """Return whether the market is open at `at`; from the moment of opening to just before that of closing."""
        place = bisect_right(self._opens, at)
        return place > 0 and at < self._spans[place - 1][1]

    def opened(self, at: float) -> float | None:
        """Return when the session that runs at `at` opened, None while the market is closed."""
        return self._opens[bisect_right(self._opens, at) - 1] if self.is_open(at) else None

    def next_open(self, at: float) -> float | None:
        """Return when the market opens next after `at`, None past the end of the calendar."""
        place = bisect_right(self._opens, at)
        return self._opens[place] if place < len(self._opens) else None

    def last_close(self, at: float) -> float | None:
        """Return when the market last closed at or before `at`, None before the first close that is known."""
        place = bisect_right(self._opens, at)
        spans = self._spans[: place - 1] if self.is_open(at) else self._spans[:place]
        return spans[-1][1] if spans else None

    def open_seconds(self, start: float, end: float) -> float:
        """Return how long the market was open between two times: the age that counts. 0 when end is before start."""
        return max(self._until(end) - self._until(start), 0.0)

    def _until(self, at: float) -> float:
        place = bisect_right(self._opens, at)
        if place == 0:
            return 0.0
        opened, closed = self._spans[place - 1]
        return self._before[place - 1] + min(at, closed) - opened


def market_hours(calendar: str, now: float, wait_seconds: float = 0.0) -> MarketHours | None:
    """Return the hours of a calendar, from two years before `now` to the end of the next year.

    None while they are being made, for which a first look waits up to `wait_seconds`: that takes half a second for
    most, ten for calendars that follow the moon. Raises SourceRejected for a name that is none.
    """
    year = datetime.fromtimestamp(now, UTC).year
    try:
        return _asked(calendar, year).result(wait_seconds)
    except TimeoutError:
        before = _made.get((calendar, year - 1))
        return before.result() if before is not None and before.done() else None


_made: dict[tuple[str, int], Future[MarketHours]] = {}
_made_lock = threading.Lock()


def _asked(name: str, year: int) -> Future[MarketHours]:
    with _made_lock:
        if (name, year) not in _made:
            future = _made[name, year] = Future()
            threading.Thread(target=_make, args=(future, name, year), name=f"calendar {name}", daemon=True).start()
        return _made[name, year]


def _make(future: Future[MarketHours], name: str, year: int) -> None:
    try:
        future.set_result(_load(name, year))
    except SourceRejected as error:
        future.set_exception(error)
    except Exception as error:
        log.exception("calendar %s", name)
        future.set_exception(error)


def _load(name: str, year: int) -> MarketHours:
    # Takes most of a second: only where a market is asked for.
    import exchange_calendars

    start = f"{year - YEARS_BACK}-01-01"
    try:
        try:
            calendar = exchange_calendars.get_calendar(name, start=start, end=f"{year + 1}-12-31")
        except ValueError:  # some exchanges announce their holidays for less than that
            calendar = exchange_calendars.get_calendar(name, start=start)
    except exchange_calendars.errors.InvalidCalendarName:
        raise SourceRejected(
            f"there is no market calendar “{name}”; XNYS, CMES, XLON and 24/7 are some that there are"
        ) from None
    return MarketHours(name, _spans(calendar.schedule))


def _spans(schedule: object) -> list[Span]:
    found: list[Span] = []
    for opens, pauses, resumes, closes in zip(*(_seconds(schedule, name) for name in COLUMNS), strict=True):
        parts = ((opens, closes),) if pauses is None or resumes is None else ((opens, pauses), (resumes, closes))
        found += [(start, end) for start, end in parts if start is not None and end is not None]
    return found


COLUMNS = ("open", "break_start", "break_end", "close")


def _seconds(schedule: object, column: str) -> list[float | None]:
    times = schedule[column]  # type: ignore[index]
    return [None if missing else time.timestamp() for time, missing in zip(times, times.isna(), strict=True)]


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Return the spans in order, those that touch made one: markets that trade around the clock."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
