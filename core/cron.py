"""Schedules written as a cron line, as crontab(5) of Debian reads them.

Five fields: minute, hour, day of the month, month, day of the week; lists, ranges, steps, names; 0 and 7 are Sunday.
Where both days are restricted either is enough. When the clocks change a fixed time comes once: in autumn the first of
the two, in spring, where the hour is missing, as soon as it is over. The rules are those of cronsim, which follows
Debian's cron.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from core.format import count

FIELDS = 5
NAMED = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
"""Words that stand for a line."""


def check_cron(line: str, zone: str) -> None:
    """Raise ValueError, with what is wrong, when `line` is no cron line or none of its times ever comes."""
    try:
        if next_time(line, zone, 0.0) is None:
            raise ValueError("it never comes")
    except CronSimError as error:
        raise ValueError(_lower(str(error))) from error


def next_time(line: str, zone: str, ts: float) -> float | None:
    """Return the first time of a schedule after `ts` (epoch seconds), in the time zone `zone`; None: never again.

    Raises CronSimError for a line that is none.
    """
    # Within the hour that comes twice, cronsim looks for the first of the two: that may be over.
    return next((time for time in _times(line, zone, ts) if time > ts), None)


def last_time(line: str, zone: str, ts: float) -> float | None:
    """Return the last time of a schedule at or before `ts` (epoch seconds); None: never before.

    Raises CronSimError for a line that is none.
    """
    found = next((time for time in _times(line, zone, ts + 1, backwards=True) if time <= ts), None)
    # In the second of the two hours it finds what is late in that hour only a day back: the first had it.
    while found is not None and (later := next_time(line, zone, found)) is not None and later <= ts:
        found = later
    return found


def _times(line: str, zone: str, ts: float, *, backwards: bool = False) -> map[float]:
    fields = NAMED.get(line.strip().lower(), line)
    if len(fields.split()) != FIELDS:
        raise CronSimError(f"it has {count(len(fields.split()), 'field')}, and a cron line has {FIELDS}")
    found = CronSim(fields, datetime.fromtimestamp(ts, ZoneInfo(zone)), reverse=backwards)
    return map(datetime.timestamp, found)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
