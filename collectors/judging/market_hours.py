"""When markets are open: what "old" means for data that comes only while they are.

    market("XNYS").open_seconds(start, end)    market("24/7")    market("24/5")

Calendars are those of exchange_calendars (ISO 10383 codes); the library is loaded when the first one is asked for.
Times are epoch seconds. The list of sessions reaches two years back and a year ahead and is made anew each day.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from core.clock import DAY_SECONDS
from core.errors import SourceRejected

ALWAYS = "24/7"
BACK_DAYS, AHEAD_DAYS = 730, 300


@dataclass(frozen=True)
class Market:
    """The hours of one market; `opens[i]` to `closes[i]` is open, in order, not overlapping."""

    name: str
    opens: Sequence[float] = ()
    closes: Sequence[float] = ()
    dates: frozenset[date] = frozenset()
    """The dates that its sessions bear."""

    @property
    def is_always(self) -> bool:
        """Whether it never closes."""
        return self.name == ALWAYS

    def is_open(self, ts: float) -> bool:
        """Return whether the market is open at `ts`."""
        place = bisect_right(self.opens, ts) - 1
        return self.is_always or (place >= 0 and ts < self.closes[place])

    def opened(self, ts: float) -> float | None:
        """Return when the session that runs at `ts` opened; None while it is closed, or when it never closes."""
        return self.opens[bisect_right(self.opens, ts) - 1] if self.is_open(ts) and not self.is_always else None

    def open_seconds(self, start: float, end: float) -> float:
        """Return how much of `start` to `end` the market was open."""
        if self.is_always or end <= start:
            return max(end - start, 0.0)
        total = 0.0
        first = max(bisect_right(self.opens, start) - 1, 0)
        for place in range(first, bisect_left(self.opens, end)):
            total += max(min(self.closes[place], end) - max(self.opens[place], start), 0.0)
        if self.opens and start < self.opens[0]:
            # Older than the list reaches: as open on average as in the list.
            share = sum(self._lengths) / (self.closes[-1] - self.opens[0])
            total += (min(self.opens[0], end) - start) * share
        return total

    def next_open(self, ts: float) -> float | None:
        """Return when the market opens next after `ts`; None when it never closes or the list ends."""
        place = bisect_right(self.opens, ts)
        return self.opens[place] if place < len(self.opens) else None

    def same_time_on_a_session(self, ts: float, zone: str = "UTC") -> float:
        """Return `ts`, or the same time of the first later day that is the date of a session; days are those of `zone`.

        A session that opens the evening before has the date of the day on which it closes.
        """
        if self.is_always or not self.dates:
            return ts
        first = at = datetime.fromtimestamp(ts, ZoneInfo(zone))
        while at.date() not in self.dates:
            at += timedelta(days=1)
            if at.timestamp() > self.closes[-1]:
                break
        return ts if at is first else at.timestamp()

    @cached_property
    def _lengths(self) -> list[float]:
        return [close - opened for opened, close in zip(self.opens, self.closes, strict=True)]


_known: dict[tuple[str, int], Market] = {}
_lock = threading.Lock()


def market(name: str, now: float | None = None) -> Market:
    """Return the hours of a market around `now`: "XNYS", "24/5", or "24/7". Raises SourceRejected for another name."""
    if name in ("", ALWAYS):
        return Market(ALWAYS)
    today = int((time.time() if now is None else now) // DAY_SECONDS)
    with _lock:
        if (name, today) not in _known:
            made = _made(name, today)
            for key in [key for key in _known if key[0] == name]:
                del _known[key]
            _known[name, today] = made
        return _known[name, today]


_coming: dict[str, threading.Thread] = {}
_wrong: dict[str, SourceRejected] = {}


def market_soon(name: str, now: float) -> Market | None:
    """Return the hours of a market without waiting for them: those of the day before, or None, while they are made.

    Making them takes half a second for most markets, ten for those whose holidays follow the moon. Raises
    SourceRejected for a name that is none.
    """
    if name in ("", ALWAYS):
        return Market(ALWAYS)
    if name in _wrong:
        raise _wrong[name]
    known = dict(_known)
    found = known.get((name, int(now // DAY_SECONDS)))
    if found is None and not (name in _coming and _coming[name].is_alive()):
        thread = _coming[name] = threading.Thread(
            target=_come, args=(name, now), name=f"market hours {name}", daemon=True
        )
        thread.start()
    return found or next((market for (known_name, _), market in known.items() if known_name == name), None)


def _come(name: str, now: float) -> None:
    try:
        market(name, now)
    except SourceRejected as error:
        _wrong[name] = error


def _made(name: str, today: int) -> Market:
    import exchange_calendars
    from exchange_calendars.errors import CalendarError

    middle = datetime.fromtimestamp(today * DAY_SECONDS, UTC).replace(tzinfo=None)
    try:
        calendar = exchange_calendars.get_calendar(
            name, start=middle - timedelta(BACK_DAYS), end=middle + timedelta(AHEAD_DAYS)
        )
    except (CalendarError, ValueError) as error:
        raise SourceRejected(f"{name} is no market that we know: XNYS, XLON, CMES, 24/5 and 24/7 are") from error
    opens, closes = calendar.opens, calendar.closes
    starts = [float(each.timestamp()) for each in opens]
    ends = [float(each.timestamp()) for each in closes]
    dates = frozenset(each.date() for each in calendar.sessions)
    return Market(name, *_without_breaks(calendar, starts, ends), dates)


def _without_breaks(calendar: object, starts: list[float], ends: list[float]) -> tuple[list[float], list[float]]:
    """Return opens and closes with the breaks at noon cut out, where the market has them (XHKG, XTKS)."""
    breaks = zip(getattr(calendar, "break_starts", ()), getattr(calendar, "break_ends", ()), strict=False)
    begins: list[float] = []
    closes: list[float] = []
    pauses = [(begin, end) for begin, end in breaks] or [(None, None)] * len(starts)
    for start, end, (rest, again) in zip(starts, ends, pauses, strict=True):
        begins.append(start)
        if rest is not None and rest == rest:  # NaT: no break that day
            closes.append(float(rest.timestamp()))
            begins.append(float(again.timestamp()))
        closes.append(end)
    return begins, closes
