"""When the last value of a portfolio is too old to say how it stands."""

from __future__ import annotations

import math

from core.clock import DAY_SECONDS

SHORTEST_VALUE_DAYS = 4.0
"""Values of a portfolio come on working days: over a weekend they are not stale."""
LATE_PERIODS = 4 / 3
"""A month's value comes some days after its end: it is stale when that of the next month is a third of one late."""


def value_stale_after_seconds(period_days: float) -> float:
    """Return the age in seconds beyond which the last value of a portfolio is stale that has one every `period_days`.

    period_days: longest time between two values as they are expected; infinite where it is not known, as of days.
    """
    known = period_days if math.isfinite(period_days) else 1.0
    return max(SHORTEST_VALUE_DAYS, LATE_PERIODS * known) * DAY_SECONDS
