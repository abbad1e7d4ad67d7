"""Looks whether portfolios keep their limits, again with every change of the data, and writes down each breach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.portfolio_limits.limit import LimitRow, LimitState, PortfolioLimit
from portfolio.given import has_ended
from portfolio.limits.change import LIMITS
from portfolio.limits.judge import Finding, stands
from portfolio.limits.known import known_limits
from storage.state.portfolio_limits import Stands, settle_breaches
from storage.state.portfolios import OWN, Portfolio, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

AGAIN_SECONDS = 30.0
"""Also without a change: what was reported grows old."""
AWAY_SECONDS = 10
"""While Redis does not tell the version of the data they are worked out so often."""
REST = 4.0
"""So many times as long as a look took it rests before the next, where the data change all the time."""
LONGEST_REST_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class LimitsNow:
    """How every limit of the fund's own portfolios stands."""

    found: Sequence[Finding]
    at: float
    """When they were worked out, epoch seconds."""

    def of(self, portfolio: str) -> list[Finding]:
        """Return how those of a portfolio stand, by its id."""
        return [each for each in self.found if each.portfolio.id == portfolio]

    def rows(self) -> list[LimitRow]:
        """Return them as rules of alerts read them."""
        return [
            LimitRow(each.portfolio.id, each.limit.id, each.level, each.state is not LimitState.UNKNOWN, each.why)
            for each in self.found
        ]


class LimitWatch:
    """Remembers what was worked out, and of what. Its method is called by one thread."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._known: LimitsNow | None = None
        self._of: tuple[str, Sequence[PortfolioLimit], Sequence[Portfolio]] | None = None
        self._rests_until = float("-inf")

    def look(self) -> LimitsNow:
        """Return how the limits stand, worked out anew where anything changed. Raises StorageError.

        A breach that began, became worse or is over is written down.
        """
        stores, now = self._stores, self._stores.clock.now()
        going_on = [each for each in list_portfolios(stores.state, OWN) if not has_ended(each, now)]
        of = self._version(now), known_limits(stores), going_on
        began = stores.clock.monotonic()
        if self._known is not None:
            is_old = now - self._known.at >= AGAIN_SECONDS
            is_changed = of != self._of and (began >= self._rests_until or self._is_set_anew(of))
            if not is_old and not is_changed:
                return self._known
        found = stands(stores, going_on, None, now)
        if settle_breaches(stores.state, [_stands(each) for each in found], now):
            stores.live.bump(LIMITS)
        ended = stores.clock.monotonic()
        self._rests_until = ended + min(REST * (ended - began), LONGEST_REST_SECONDS)
        self._of = of
        self._known = LimitsNow(found, now)
        return self._known

    def _is_set_anew(self, of: tuple[str, Sequence[PortfolioLimit], Sequence[Portfolio]]) -> bool:
        """Return whether a person set a limit or a portfolio otherwise: that is not waited for."""
        return self._of is None or of[1:] != self._of[1:]

    def _version(self, now: float) -> str:
        found = self._stores.live.known_version("portfolio")
        return found if found is not None else f"away {int(now // AWAY_SECONDS)}"


def _stands(each: Finding) -> Stands:
    return Stands(each.portfolio.id, each.limit, each.value, each.why)
