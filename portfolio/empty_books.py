"""Days on which a portfolio is known to have held nothing yet: its cash was told, and nothing was bought so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.clock import DAY_SECONDS
from storage.clickhouse.reads.book_days import cash_by_day
from storage.clickhouse.reads.booked import traded_days

if TYPE_CHECKING:
    from storage.stores import Stores


def with_empty_days(
    stores: Stores, origin: str, reports: Mapping[str, NDArray[np.int64]], start: int
) -> dict[str, NDArray[np.int64]]:  # fmt: skip
    """Return when each portfolio told its positions, preceded by the days from `start` on that it held nothing yet.

    reports: all of each, epoch seconds, oldest first. Those days are told by their midnights. Raises
    StorageUnavailable or StorageRejected.
    """
    first = {
        id: int(at[0]) // DAY_SECONDS for id, at in reports.items() if int(at[0]) // DAY_SECONDS > start // DAY_SECONDS
    }
    if not first:
        return dict(reports)
    told: dict[str, set[int]] = {}
    for id, _, day, _ in cash_by_day(stores.clickhouse, origin, list(first), max(first.values()) * DAY_SECONDS):
        if day < first[id]:
            # Cash stands until other cash is told: that of before is what the first day begins with.
            told.setdefault(id, set()).add(max(day, start // DAY_SECONDS))
    found = dict(reports)
    for id, days in told.items():
        booked = traded_days(stores.clickhouse, origin, id, (first[id] + 1) * DAY_SECONDS)
        if not booked:
            continue  # nobody told what was bought: what was held before the first report is not known
        bought = min(day for _, day, _ in booked)
        empty = np.array(sorted(day for day in days if day < bought), dtype=np.int64) * DAY_SECONDS
        found[id] = np.concatenate([empty, reports[id]])
    return found
