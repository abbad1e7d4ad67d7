"""How the limits of portfolios stand: what every one is used, what is left of it, and where that is not known, why."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.format import percent
from core.portfolio_limits.figures import RESTRICTED, Unit, written
from core.portfolio_limits.limit import GRAVITY, LimitState, PortfolioLimit
from portfolio.allowed import Limits, seen
from portfolio.given import has_ended
from portfolio.limits.known import holding, known_limits, parents_of
from portfolio.limits.measures import Measured, Measures
from storage.state.portfolios import Portfolio, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores


@dataclass(frozen=True, slots=True)
class Finding:
    """How a limit of a portfolio stands."""

    portfolio: Portfolio
    limit: PortfolioLimit
    value: float | None
    """In the base unit of the figure; None: it is not known."""
    of: str
    """The instrument or group that it is of; empty: it is of the whole portfolio."""
    state: LimitState
    why: str
    """One sentence."""
    nav: float
    """NaN where it was not needed, or is not known."""

    @property
    def use(self) -> float:
        """Return how much of the limit is used, a ratio; NaN: that is not known."""
        return math.nan if self.value is None else self.limit.use(self.value)

    @property
    def headroom(self) -> float:
        """Return what is left in the unit of the figure; below 0: beyond; NaN: it is not known, or there is no such."""
        return math.nan if self.value is None or self.limit.figure == RESTRICTED else self.limit.headroom(self.value)

    @property
    def headroom_money(self) -> float:
        """Return what is left in the portfolio's currency; NaN where the figure is no share of the value."""
        about = self.limit.about
        if about.unit is Unit.MONEY:
            return self.headroom
        return self.headroom * self.nav if about.is_of_nav else math.nan

    @property
    def level(self) -> int:
        """Return the severity of what is told of it; 0: nothing is."""
        if self.state is LimitState.BREACHED:
            return int(self.limit.severity)
        return int(self.limit.level_near) if self.state is LimitState.NEAR else 0

    @property
    def stops(self) -> bool:
        """Whether it is a reason not to trade: a limit that matters is broken, or nobody knows whether it is."""
        return self.limit.can_stop and self.state in (LimitState.BREACHED, LimitState.UNKNOWN)


def stands(
    stores: Stores, portfolios: Sequence[Portfolio], limits: Limits, now: float,
) -> list[Finding]:  # fmt: skip
    """Return how every limit that holds for portfolios of one origin stands, the worst first.

    limits: of whoever asks; he is told of no portfolio that he may not see. Raises StorageUnavailable or
    StorageRejected.
    """
    if not portfolios:
        return []
    origin = portfolios[0].origin
    every = list_portfolios(stores.state, origin)
    parents, known = parents_of(every, origin), known_limits(stores, origin)
    ids = {each.id for each in seen(every, limits)}
    found: list[Finding] = []
    for portfolio in portfolios:
        if portfolio.id not in ids or has_ended(portfolio, now):
            continue
        measures = Measures(stores, portfolio, limits, now)
        found += [finding(portfolio, each, measures) for each in holding(known, portfolio.id, parents)]
    return worst_first(found)


def worst_first(found: Iterable[Finding]) -> list[Finding]:
    """Return findings by state, then broken ones by severity, then by use."""

    def key(each: Finding) -> tuple[int, int, float, str, str]:
        use = 0.0 if math.isnan(each.use) else each.use
        return GRAVITY.index(each.state), -each.level, -use, each.portfolio.id, each.limit.figure

    return sorted(found, key=key)


def with_parts(known: Sequence[Portfolio], portfolio: Portfolio) -> list[Portfolio]:
    """Return a portfolio and all below it, of those that are known."""
    parents: Mapping[str, str] = parents_of(known, portfolio.origin)

    def is_below(id: str) -> bool:
        path: set[str] = set()
        while id and id not in path:
            if id == portfolio.id:
                return True
            path.add(id)
            id = parents.get(id, "")
        return False

    return [each for each in known if each.origin == portfolio.origin and is_below(each.id)]


def finding(portfolio: Portfolio, limit: PortfolioLimit, measures: Measures) -> Finding:
    """Return how a limit stands by these measures. Raises StorageUnavailable or StorageRejected."""
    found = measures.of(limit)
    if found.value is None:
        why = f"{_named(limit)} is not known: {found.why}"
        return Finding(portfolio, limit, None, found.of, LimitState.UNKNOWN, why, math.nan)
    nav = measures.nav() if limit.about.is_of_nav else math.nan
    state = limit.state(found.value)
    return Finding(portfolio, limit, found.value, found.of, state, _sentence(portfolio, limit, found), nav)


def _named(limit: PortfolioLimit) -> str:
    return f"{limit.about.inside}{f' {limit.of[0]}' if len(limit.of) == 1 else ''}"


def _sentence(portfolio: Portfolio, limit: PortfolioLimit, found: Measured) -> str:
    about, value = limit.about, found.value if found.value is not None else math.nan
    if about.key == RESTRICTED:
        return f"held or bought, and restricted: {found.of}" if value else "nothing restricted is held"
    said = about.sentence(value, portfolio.currency, found.of)
    allowed = f"{said}, {limit.operator} {written(limit.value, about.unit, portfolio.currency)} allowed"
    return f"{allowed}: {percent(limit.use(value))} used" if limit.state(value) is LimitState.NEAR else allowed
