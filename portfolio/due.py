"""When the next value of a portfolio is overdue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.format import coarse_duration
from portfolio.given import Newest, newest_value, said_of
from portfolio.histories import fund
from storage.state.portfolios import OWN, Portfolio

if TYPE_CHECKING:
    from storage.stores import Stores

NO_VALUE = "it has no value yet"


@dataclass(frozen=True, slots=True)
class Due:
    """The newest value of a portfolio, which tells when the next one is overdue."""

    newest: Newest | None
    """None: it has no value yet."""

    def why_overdue(self, now: float) -> str:
        """Return what is to be said where the value that is due has not come; else empty."""
        if self.newest is None:
            return NO_VALUE
        age = self.newest.age_seconds(now)
        return f"the newest value is {coarse_duration(age)} old" if age > self.newest.stale_after_seconds else ""


def due_of(stores: Stores, portfolio: Portfolio) -> Due:
    """Return when the next value of a portfolio is overdue. Raises StorageUnavailable or StorageRejected."""
    history = fund(stores, OWN).history(portfolio.id, said_of(portfolio))
    nav = history.nav
    if not len(nav):
        return Due(None)
    return Due(newest_value(portfolio.calendar, history.cadence, nav.dates[-1], float(nav.newest)))
