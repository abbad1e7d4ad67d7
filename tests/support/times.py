"""Times for rows of tables with a retention: ClickHouse drops what is old, by the clock of the day a test runs."""

from __future__ import annotations

import time

DAY = 86_400
MIDNIGHT = int(time.time()) // DAY * DAY - DAY
"""The midnight (UTC) that yesterday began with: a day and more after it is past, whenever a test runs."""
