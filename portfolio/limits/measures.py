"""What the figures that limits are on are worth, of one portfolio: a value, or why it is not known."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from core.alerts.expression import Figure
from core.clock import DAY_SECONDS
from core.format import coarse_duration, first_of
from core.portfolio_limits.figures import RESTRICTED
from core.portfolio_limits.limit import LimitState, PortfolioLimit, nearest
from portfolio.allowed import Limits
from portfolio.concentrated import concentrated
from portfolio.day_holdings import holdings
from portfolio.due import due_of
from portfolio.given import has_ended
from portfolio.histories import exchange, fund
from portfolio.holdings import NOBODY_SAID, Group, Holding, Holdings, report_stale_after_seconds
from portfolio.limits.loss import NotKnown, value_at_risk_ratio
from portfolio.limits.names import known_names
from portfolio.limits.silent import silent_parts
from portfolio.query import PortfolioQuery
from portfolio.rule_figures import figures_of, key_of_figure
from storage.clickhouse.reads.book import report_days
from storage.clickhouse.reads.traded import Traded, traded_since
from storage.state.portfolios import OWN, list_portfolios
from storage.state.series import list_series

if TYPE_CHECKING:
    from portfolio.limits.above import Thought
    from portfolio.thought_trades import Priced
    from storage.state.portfolios import Portfolio
    from storage.stores import Stores

FIGURES_OF_RETURNS = {
    "drawdown": key_of_figure(Figure("current_drawdown")), "daily_loss": key_of_figure(Figure("daily_return")),
}  # fmt: skip
"""The same figures as rules read of portfolios."""
CUTS: Mapping[str, Group] = {
    "sector": "sector", "asset_class": "asset_class", "currency": "currency", "country": "country",
}  # fmt: skip
NO_POSITIONS = "no positions were reported"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a figure is worth."""

    value: float | None
    """In the base unit of the figure; None: it is not known."""
    why: str = ""
    """Why it is not known."""
    of: str = ""
    """The instrument or group whose value it is."""


class Measures:
    """Works out the figures of a portfolio as somebody may see it; what they share is read once.

    thought: trades that are thought of; figures of positions are then those after them.
    """

    def __init__(
        self, stores: Stores, portfolio: Portfolio, seen: Limits, now: float, thought: Thought | None = None
    ) -> None:
        self._stores, self._portfolio, self._seen, self._now, self._thought = stores, portfolio, seen, now, thought

    def of(self, limit: PortfolioLimit) -> Measured:
        """Return what the figure of a limit is worth. Raises StorageUnavailable or StorageRejected."""
        try:
            found = self._measured(limit)
        except NotKnown as unknown:
            return Measured(None, str(unknown))
        if found.value is None or math.isfinite(found.value):
            return found
        return Measured(None, "it cannot be worked out", found.of)

    def nav(self) -> float:
        """Return the net asset value that shares are of; NaN where it is not known."""
        try:
            return self._nav
        except NotKnown:
            return math.nan

    def _measured(self, limit: PortfolioLimit) -> Measured:
        figure, named = limit.figure, limit.of[0] if limit.of else ""
        if figure in FIGURES_OF_RETURNS:
            return self._loss(figure)
        if figure == RESTRICTED:
            return self._restricted(limit.of)
        if figure in ("position", "position_money"):
            self._check_named(limit, self._by_instrument)
            return _pick(self._by_instrument, named, 1.0 if figure == "position_money" else self._nav)
        if figure in CUTS:
            return self._of_group(limit, CUTS[figure], named)
        return Measured(self._of_whole(figure))

    def _check_named(self, limit: PortfolioLimit, held: Container[str]) -> None:
        """Raise NotKnown where a limit names what nobody ever heard of: one of the settings may be mistyped."""
        for each in limit.of:
            if each not in held and each not in (known := known_names(self._stores, limit)):
                raise NotKnown(f"no {limit.about.cut.replace('_', ' ')} {each} is known{nearest(each, known)}")

    def _of_whole(self, figure: str) -> float:
        """Return a figure of all positions together."""
        match figure:
            case "gross" | "leverage":
                return self._long_short[0] / self._nav + self._long_short[1] / self._nav
            case "net":
                return (self._long_short[0] - self._long_short[1]) / self._nav
            case "long":
                return self._long_short[0] / self._nav
            case "short":
                return self._long_short[1] / self._nav
            case "turnover":
                return self._turnover / self._nav
            case "liquidate_days":
                return self._liquidate_days
            case "var_95" | "var_99":
                _ = self._valued
                level = 0.95 if figure == "var_95" else 0.99
                return value_at_risk_ratio(self._stores, self._holdings, self._nav, level)
            case _:
                return self._concentration[figure]

    @cached_property
    def _holdings(self) -> Holdings:
        found = self._thought.after if self._thought else holdings(self._stores, self._portfolio, self._seen)
        if found is None:
            raise NotKnown(NO_POSITIONS)
        whole = fund(self._stores, self._portfolio.origin).seen(self._seen)
        if silent := silent_parts(whole, self._portfolio, found.names, self._now):
            raise NotKnown(f"no positions of {first_of([each.name for each in silent])} were reported")
        stale_after = report_stale_after_seconds(self._portfolio, self._now)
        if stale_after is not None and self._now - found.oldest > stale_after:
            oldest = self._oldest_of_those_going_on(list(found.names))
            if self._now - oldest > stale_after:
                raise NotKnown(f"a report of positions is {coarse_duration(self._now - oldest)} old")
        return found

    def _oldest_of_those_going_on(self, holders: Sequence[str]) -> float:
        """Return when the first of the newest reports came, but for portfolios that have ended; now without any."""
        known = {each.id: each for each in list_portfolios(self._stores.state, self._portfolio.origin)}
        going_on = [id for id in holders if id not in known or not has_ended(known[id], self._now)]
        days = report_days(self._stores.clickhouse, self._portfolio.origin, going_on, int(self._now) + 1)
        return min((float(each[-1]) for each in days.values()), default=self._now)

    @cached_property
    def _valued(self) -> tuple[Holding, ...]:
        """Return the positions, each of a known value."""
        found = self._holdings
        if found.no_rate:
            raise NotKnown(f"there is no rate for {first_of(found.no_rate)}")
        unknown = [each.instrument for each in found.positions if not math.isfinite(each.value)]
        if unknown:
            raise NotKnown(f"the value of {first_of(unknown)} is not known")
        return found.positions

    @cached_property
    def _nav(self) -> float:
        found = self._holdings
        if found.nav_day is not None and (overdue := self._overdue):
            raise NotKnown(overdue)
        if found.nav_day is None:
            _ = self._valued
            if not math.isfinite(found.cash):
                raise NotKnown("no net asset value was reported, and the cash is not known")
        if not found.nav > 0:
            raise NotKnown("the net asset value is not above 0")
        return found.nav

    @cached_property
    def _overdue(self) -> str:
        """Return why the value is overdue; what is no money of the fund is never."""
        return due_of(self._stores, self._portfolio).why_overdue(self._now) if self._portfolio.origin == OWN else ""

    @cached_property
    def _long_short(self) -> tuple[float, float]:
        """Return long and short, both at least 0."""
        values = [each.value for each in self._valued]
        return math.fsum(max(each, 0.0) for each in values), math.fsum(max(-each, 0.0) for each in values)

    @cached_property
    def _by_instrument(self) -> dict[str, float]:
        """Return the value of each instrument without its sign: of all strategies that hold it together."""
        found: defaultdict[str, float] = defaultdict(float)
        for each in self._valued:
            found[each.instrument] += each.value
        return {name: abs(value) for name, value in found.items()}

    def _gross_by(self, group: Group) -> dict[str, float]:
        found: defaultdict[str, float] = defaultdict(float)
        for each in self._valued:
            found[each.group(group, self._holdings.names)] += abs(each.value)
        return found

    def _of_group(self, limit: PortfolioLimit, group: Group, named: str) -> Measured:
        """Return the gross exposure to a group; NotKnown where positions whose group nobody told could break it."""
        values = self._gross_by(group)
        self._check_named(limit, values)
        untold = 0.0 if named == NOBODY_SAID else values.pop(NOBODY_SAID, 0.0)
        found = _pick(values, named, self._nav)
        least = found.value or 0.0
        states = limit.state(least), limit.state(least + untold / self._nav)
        if states[0] is not LimitState.BREACHED and states[1] is LimitState.BREACHED:
            names = self._holdings.names
            lack = sorted({each.instrument for each in self._valued if each.group(group, names) == NOBODY_SAID})
            raise NotKnown(f"the {group.replace('_', ' ')} of {first_of(lack)} was not told")
        return found

    @cached_property
    def _concentration(self) -> dict[str, float]:
        if not any(self._by_instrument.values()):
            return dict.fromkeys(("hhi", "largest_1", "largest_5", "largest_10"), 0.0)
        found = concentrated(self._valued)
        one, five, ten = (float(each) for each in found.top[0])
        return {"hhi": float(found.herfindahl[0]), "largest_1": one, "largest_5": five, "largest_10": ten}

    @cached_property
    def _liquidate_days(self) -> float:
        unknown = [each.instrument for each in self._holdings.positions if not math.isfinite(each.liquidate_days)]
        if unknown:
            raise NotKnown(f"the average daily volume of {first_of(unknown)} is not known")
        together: defaultdict[str, float] = defaultdict(float)
        for each in self._holdings.positions:
            together[each.instrument] += math.copysign(each.liquidate_days, each.quantity)
        return max(map(abs, together.values()), default=0.0)

    @cached_property
    def _traded(self) -> Sequence[Traded]:
        """Return what each portfolio traded from the day of its newest report on."""
        since = {id: at // DAY_SECONDS for id, at in self._holdings.reported.items()}
        return traded_since(self._stores.clickhouse, self._portfolio.origin, since)

    @property
    def _thought_of(self) -> Sequence[Priced]:
        return self._thought.trades if self._thought else ()

    @cached_property
    def _turnover(self) -> float:
        """Return the money bought and sold on the newest day with a report of positions or a trade."""
        state, origin = self._stores.state, self._portfolio.origin
        own = {each.id: each.currency for each in list_portfolios(state, origin)}
        multipliers = {each.symbol: each.multiplier for each in list_series(state, origin)}

        def money(each: Traded) -> float:
            rate = self._rate(each.currency or own[each.portfolio], each.day)
            return each.money * multipliers.get(each.instrument, 1.0) * rate

        newest = max((self._holdings.newest // DAY_SECONDS, *(each.day for each in self._traded)))
        told = math.fsum(money(each) for each in self._traded if each.day == newest)
        return told + math.fsum(abs(each.value) for each in self._thought_of)

    def _rate(self, currency: str, day: int) -> float:
        """Return what one unit of a currency is worth in the portfolio's on a day (days since 1970)."""
        if currency == self._portfolio.currency:
            return 1.0
        days = np.array([day], dtype="datetime64[D]")
        rate = float(exchange(self._stores, self._portfolio.origin).rates(currency, self._portfolio.currency, days)[0])
        if math.isnan(rate):
            raise NotKnown(f"there is no rate for {currency}")
        return rate

    def _restricted(self, named: Sequence[str]) -> Measured:
        held = {each.instrument for each in self._holdings.positions}
        bought = {each.instrument for each in self._traded if each.bought > 0}
        bought |= {each.trade.instrument for each in self._thought_of if each.trade.amount > 0}
        found = [each for each in named if each in held or each in bought]
        return Measured(float(len(found)), of=", ".join(found))

    @cached_property
    def _of_returns(self) -> Mapping[str, tuple[float | None, str]]:
        keys = FIGURES_OF_RETURNS.values()
        return figures_of(self._stores, self._portfolio, PortfolioQuery(), keys)

    def _loss(self, figure: str) -> Measured:
        if self._overdue:
            return Measured(None, self._overdue)
        value, why = self._of_returns[FIGURES_OF_RETURNS[figure]]
        return Measured(None, why) if value is None else Measured(max(0.0, -value))


def _pick(values: Mapping[str, float], named: str, over: float) -> Measured:
    """Return the value that is named, 0 where it is not held; unnamed the largest."""
    if named:
        return Measured(values.get(named, 0.0) / over, of=named)
    largest = max(values, key=lambda name: values[name], default="")
    return Measured(values.get(largest, 0.0) / over, of=largest)
