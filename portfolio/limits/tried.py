"""How the limits of a portfolio would stand after trades that are thought of, beside how they stand now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.portfolio_limits.figures import RESTRICTED
from core.portfolio_limits.limit import LimitState
from portfolio.allowed import Limits
from portfolio.given import has_ended
from portfolio.limits.judge import Finding, finding, worst_first
from portfolio.limits.known import holding, known_limits, parents_of
from portfolio.limits.measures import Measures
from storage.state.portfolios import list_portfolios

if TYPE_CHECKING:
    from portfolio.thought_trades import Tried
    from storage.state.portfolios import Portfolio
    from storage.stores import Stores


@dataclass(frozen=True, slots=True)
class LimitTried:
    """A limit now, and after the trades."""

    before: Finding
    after: Finding

    @property
    def would_breach(self) -> bool:
        """Whether the trades would break it."""
        if self.after.state is not LimitState.BREACHED:
            return False
        if self.after.limit.figure == RESTRICTED:  # each on the list that is bought is a breach of its own
            return bool({*self.after.of.split(", ")} - {*self.before.of.split(", ")})
        return self.before.state is not LimitState.BREACHED

    @property
    def would_be_lost(self) -> bool:
        """Whether it is known now how it stands, and would not be after the trades."""
        return self.after.state is LimitState.UNKNOWN and self.before.state is not LimitState.UNKNOWN


def limits_tried(stores: Stores, portfolio: Portfolio, seen: Limits, now: float, tried: Tried) -> list[LimitTried]:
    """Return every limit that holds for a portfolio before and after trades, those that would be broken first.

    Trades of a strategy are tried with the strategy's own limits where it is the portfolio. Drawdown and loss of the
    day stay: trades change nothing that was. Raises StorageUnavailable or StorageRejected.
    """
    if tried.after is None or has_ended(portfolio, now):
        return []
    parents = parents_of(list_portfolios(stores.state, portfolio.origin), portfolio.origin)
    limits = holding(known_limits(stores, portfolio.origin), portfolio.id, parents)
    now_is, would_be = (Measures(stores, portfolio, seen, now, each) for each in (None, tried))
    found = [LimitTried(finding(portfolio, each, now_is), finding(portfolio, each, would_be)) for each in limits]
    order = {id(each): at for at, each in enumerate(worst_first(each.after for each in found))}
    return sorted(found, key=lambda each: (not each.would_breach, order[id(each.after)]))
