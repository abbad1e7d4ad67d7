"""Times for rows of tables with a retention: ClickHouse drops what is old, by the clock of the day a test runs."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

DAY = 86_400


def _midnight() -> int:
    today = datetime.fromtimestamp(time.time(), UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    found = today - timedelta(days=1)
    return int((found - timedelta(days=1) if found.day == 1 else found).timestamp())


MIDNIGHT = _midnight()
"""The midnight (UTC) that yesterday began with: a day and more after it is past, whenever a test runs.

No month begins with it: what is stored around it is two parts of `samples` and one of each rollup, on every day alike.
"""
