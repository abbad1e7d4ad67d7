"""How often the returns of a portfolio can be measured, and over which windows: never finer than it is valued."""

from __future__ import annotations

import math

from analytics.cadence import Cadence, Rhythm
from analytics.performance import WINDOWS, Window
from portfolio.query import FREQUENCIES, Frequency

PERIODS: dict[Frequency, float] = {"D": math.inf, "W": 52, "M": 12, "Q": 4}
"""Returns a year of a frequency at most; those of values as they come are what the history has."""
PERIOD_DAYS: dict[Frequency, int] = {"W": 7, "M": 31, "Q": 92}
FREQUENCY_OF: dict[Rhythm, Frequency] = {
    "daily": "D",
    "weekly": "W",
    "monthly": "M",
    "quarterly": "Q",
    "irregular": "D",
}
"""How often a portfolio has a return, by how often it is valued."""

TOO_SHORT: dict[Rhythm, frozenset[Window]] = {
    "weekly": frozenset({"1D"}),
    "monthly": frozenset({"1D", "WTD"}),
    "quarterly": frozenset({"1D", "WTD", "MTD"}),
}
"""Windows that never hold more than the last value."""


def windows_offered(cadence: Cadence) -> tuple[Window, ...]:
    """Return the windows that a history can be seen in: none that is shorter than the time between two values."""
    return tuple(each for each in WINDOWS if each not in TOO_SHORT.get(cadence.rhythm, ()))


def offered(cadence: Cadence) -> tuple[Frequency, ...]:
    """Return the frequencies that a history can be measured in: its own and coarser ones, never a finer one."""
    own = FREQUENCY_OF[cadence.rhythm]
    coarser = FREQUENCIES[FREQUENCIES.index(own) + 1 :]
    if cadence.rhythm == "irregular":
        coarser = tuple(each for each in coarser if PERIOD_DAYS[each] >= 2 * cadence.longest_days)
    return (own, *coarser)


def measured_in(cadence: Cadence, wanted: Frequency | None) -> Frequency:
    """Return the frequency asked for where it is offered, else the history's own."""
    choices = offered(cadence)
    return wanted if wanted in choices else choices[0]
