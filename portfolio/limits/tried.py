"""How the limits of a portfolio would stand after trades that are thought of, beside how they stand now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.portfolio_limits.figures import RESTRICTED
from core.portfolio_limits.limit import LimitState
from portfolio.allowed import Limits, seen
from portfolio.day_holdings import holdings
from portfolio.given import has_ended
from portfolio.limits.above import Thought, thought_above
from portfolio.limits.judge import Finding, finding, worst_first
from portfolio.limits.known import above, holding, known_limits, parents_of
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


def limits_tried(stores: Stores, portfolio: Portfolio, limits: Limits, now: float, tried: Tried) -> list[LimitTried]:
    """Return every limit that holds for a portfolio before and after trades, those that would be broken first.

    Behind them those of the portfolios above it, as far as they may be seen, that would be broken or not be known.
    Drawdown and loss of the day stay: trades change nothing that was. Raises StorageUnavailable or StorageRejected.
    """
    if tried.after is None or has_ended(portfolio, now):
        return []
    every = list_portfolios(stores.state, portfolio.origin)
    parents = parents_of(every, portfolio.origin)
    found = _tried(stores, portfolio, limits, now, Thought(tried.after, tried.trades), parents)
    return found + (_above(stores, portfolio, limits, now, tried, every) if tried.trades else [])


def _above(
    stores: Stores, portfolio: Portfolio, limits: Limits, now: float, tried: Tried, every: Sequence[Portfolio]
) -> list[LimitTried]:
    """Return the limits of the portfolios above that would be broken or not be known, the nearest portfolio first."""
    there = {each.id: each for each in seen(every, limits)}
    parents = parents_of(every, portfolio.origin)
    found: list[LimitTried] = []
    for id in above(portfolio.id, parents_of([*there.values()], portfolio.origin)):
        higher = there[id]
        held = None if has_ended(higher, now) else holdings(stores, higher, limits)
        if held is None:
            continue
        thought = thought_above(stores, held, tried, parents)
        of = _tried(stores, higher, limits, now, thought, parents)
        found += [each for each in of if each.would_breach or each.would_be_lost]
    return found


def _tried(
    stores: Stores, portfolio: Portfolio, limits: Limits, now: float, thought: Thought, parents: Mapping[str, str]
) -> list[LimitTried]:
    of = holding(known_limits(stores, portfolio.origin), portfolio.id, parents)
    now_is, would_be = (Measures(stores, portfolio, limits, now, each) for each in (None, thought))
    found = [LimitTried(finding(portfolio, each, now_is), finding(portfolio, each, would_be)) for each in of]
    order = {id(each): at for at, each in enumerate(worst_first(each.after for each in found))}
    return sorted(found, key=lambda each: (not each.would_breach, order[id(each.after)]))
