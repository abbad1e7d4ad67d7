"""What a portfolio gained over the spans of its holdings beside what its positions did, and the capital of both."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.clock import DAY_SECONDS
from portfolio.allowed import Limits
from portfolio.given import said_of
from portfolio.histories import fund
from portfolio.history import Nav
from portfolio.holdings import Holdings

if TYPE_CHECKING:
    from storage.stores import Stores

UNKNOWN = math.nan


@dataclass(frozen=True, slots=True)
class Gained:
    """Of a span; money in the portfolio's currency, NaN where it is not known."""

    positions: float
    """Profit and loss of positions, as far as it is known."""
    whole: float
    """Change of the net asset value less the money that came and went."""
    capital: float
    """Net asset value at the beginning, and the money that came in since."""

    @property
    def other(self) -> float:
        """Return what was gained beside positions: cash in other currencies, interest, fees."""
        return self.whole - self.positions

    @property
    def ratio(self) -> float:
        """Return what positions gained over the capital."""
        return self.positions / self.capital if self.capital > 0 else UNKNOWN


def gained(stores: Stores, found: Holdings, limits: Limits) -> tuple[Gained, Gained]:
    """Return what was gained since the report of the day before, and since the last one of the month before.

    Raises StorageUnavailable, StorageRejected.
    """
    whole = fund(stores, found.portfolio.origin).seen(limits)
    nav = whole.history(found.portfolio.id, said_of(found.portfolio)).nav
    told, (day, month) = found.all(), found.begins
    return _since(found, nav, day, told.day, told.unknown), _since(found, nav, month, told.month, told.unknown)


def _since(found: Holdings, nav: Nav, begin: int, positions: float, unknown: int) -> Gained:
    """Return what was gained since a report. Where values are not of the reports' days, only the capital is known."""
    first = np.datetime64(begin // DAY_SECONDS, "D")
    at = int(np.searchsorted(nav.dates, first, side="right")) - 1
    if not begin or at < 0 or found.nav_day is None:
        return Gained(positions, UNKNOWN, UNKNOWN)
    end = int(np.searchsorted(nav.dates, found.nav_day))
    flow = float(nav.flow[at + 1 : end + 1].sum())
    opening = float(nav.value[at])
    is_same = nav.dates[at] == first and found.nav_day == np.datetime64(found.newest // DAY_SECONDS, "D")
    whole = found.nav - opening - flow if is_same and not unknown else UNKNOWN
    return Gained(positions, whole, opening + max(flow, 0.0))
