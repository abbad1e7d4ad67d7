"""On which days something is valued: weekdays, every day, or the sessions of an exchange (exchange_calendars)."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from core.portfolios import EVERY_DAY, WEEKDAYS

OF_WEEKDAYS = np.busdaycalendar(weekmask="1111100")
OF_EVERY_DAY = np.busdaycalendar(weekmask="1111111")
_STARTS = ("1980-01-01", "1997-01-01", None)
"""First days asked for, one after the other: some exchanges are not known for long."""


def trading_days(name: str) -> np.busdaycalendar:
    """Return the days of a calendar: weekdays, 7-day, or the code of an exchange.

    The sessions of an exchange reach a year ahead and back to 1980 at most, and are weekdays outside. Making them takes
    half a second for most exchanges, once a year of the process; seven for Korea's. Raises ValueError for another name.
    """
    if name == WEEKDAYS:
        return OF_WEEKDAYS
    if name == EVERY_DAY:
        return OF_EVERY_DAY
    return _sessions(name, datetime.now(UTC).year)


@lru_cache(64)
def _sessions(name: str, _year: int) -> np.busdaycalendar:
    import exchange_calendars
    from exchange_calendars.errors import CalendarError

    if name not in exchange_calendars.get_calendar_names(include_aliases=True):
        raise ValueError(
            f"calendar {name!r} is none that is known: give {WEEKDAYS}, {EVERY_DAY}, or an exchange such as XNYS, XLON"
        )
    for start in _STARTS:
        try:
            calendar = exchange_calendars.get_calendar(name, start=start)
            break
        except (CalendarError, ValueError):
            continue
    else:
        raise ValueError(f"calendar {name!r} cannot be made by exchange_calendars: give another one, or {WEEKDAYS}")
    sessions = calendar.sessions.to_numpy().astype("datetime64[D]")
    # 1970-01-01 was a Thursday.
    weekdays = (sessions.astype(np.int64) + 3) % 7
    # A lone session on a Saturday, such as an exchange makes up for, is no expected day of every week.
    usual = [bool((weekdays == day).mean() > 0.05) for day in range(7)]
    days = np.arange(sessions[0], sessions[-1] + 1)
    closed = days[np.is_busday(days, weekmask=usual) & ~np.isin(days, sessions)]
    return np.busdaycalendar(weekmask=usual, holidays=closed)
