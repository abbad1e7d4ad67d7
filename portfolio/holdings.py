"""What a position is and what positions come to together, by group and in all; whose reports are whose."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from core.currency import CASH
from portfolio.built_holdings import BuiltReports
from portfolio.freshness import value_stale_after_seconds
from portfolio.fund import Fund
from portfolio.given import has_ended
from storage.state.portfolios import NOT_TRADED
from storage.state.series import Series

if TYPE_CHECKING:
    from storage.state.portfolios import Portfolio

LAST_SECOND = 2**32 - 1
QUANTITY_OFF = 1e-6
"""Of a quantity that trades may fail to explain: fractions that were rounded."""
UNKNOWN = math.nan
Group = Literal["portfolio", "sector", "asset_class", "industry", "currency", "country", "instrument"]
GROUPS: Mapping[Group, str] = {
    "sector": "Sector", "portfolio": "Strategy", "asset_class": "Asset class", "industry": "Industry",
    "currency": "Currency", "country": "Country", "instrument": "Instrument",
}  # fmt: skip
NOBODY_SAID = "not told"


def group_of(by: Group, portfolio: str, instrument: str, currency: str, about: Series) -> str:
    """Return which group a position belongs to; NOBODY_SAID where that is not known. portfolio: its name."""
    match by:
        case "portfolio":
            return portfolio
        case "instrument":
            return instrument
        case "currency":
            return currency or NOBODY_SAID
        case _:
            return str(getattr(about, by)) or NOBODY_SAID


@dataclass(frozen=True, slots=True)
class Holding:
    """One position; money in the portfolio's currency unless it says local; NaN where it is not known."""

    portfolio: str
    """Id of the portfolio that holds it: that of a part, where the fund is looked at."""
    instrument: str
    about: Series
    quantity: float
    price: float
    """Local."""
    average_cost: float
    """Local, of one; as reported, unless portfolio/costs.py worked it out."""
    currency: str
    local_value: float
    value: float
    owned: float
    """Its part of the net asset value: the value, but 0 of a future, whose gains and losses are cash day by day."""
    weight: float
    """Of the net asset value, a ratio; below 0: short."""
    day: float
    month: float
    total: float
    """Profit and loss: since the report of the day before, since the end of last month, since the first trade."""
    day_return: float
    """The day's profit and loss over what the position was worth before and what was bought."""
    unrealised: float
    realised: float
    held_days: float
    """Calendar days since it was last not held, or held on the other side."""
    volume_share: float
    """Quantity over a day's average volume, a ratio."""
    liquidate_days: float
    """Days that selling takes at SHARE_OF_VOLUME of the day's volume."""
    price_before: float = UNKNOWN
    """Local, of one: that of the report of the day before, in ones of after splits."""

    @property
    def moves_with_currency(self) -> bool:
        """Return whether the rate of its currency moves what it is worth: not that of a notional nobody paid."""
        return not is_settled_daily(self.about)

    @property
    def is_cash(self) -> bool:
        """Return whether it is cash in another currency, which is no position."""
        return self.instrument == cash_name(self.currency)

    def group(self, by: Group, names: Mapping[str, str]) -> str:
        """Return which group it belongs to; NOBODY_SAID where that is not known."""
        return group_of(by, names.get(self.portfolio, self.portfolio), self.instrument, self.currency, self.about)


@dataclass(frozen=True, slots=True)
class Held:
    """Positions added up: of a group, or of all. What is not known is left out; NaN where all of it is unknown."""

    name: str
    count: int
    long: float
    short: float
    """0 or below."""
    weight: float
    day: float
    month: float
    total: float
    unknown: int
    """Positions whose profit and loss is not known: it is left out of the sums."""

    @property
    def net(self) -> float:
        """Return long and short together."""
        return self.long + self.short

    @property
    def gross(self) -> float:
        """Return long and short without their signs."""
        return self.long - self.short


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a portfolio holds, as its reports of one day have it."""

    portfolio: Portfolio
    positions: tuple[Holding, ...]
    """The largest first."""
    closed: tuple[Holding, ...]
    """Those that were held once: quantity 0, with what they brought."""
    cash: float
    """In the portfolio's currency; NaN where it is not known."""
    nav: float
    """Of the newest value up to the positions' day, else positions and cash together."""
    nav_day: np.datetime64 | None
    reported: Mapping[str, int]
    """Epoch seconds of the newest report of each portfolio that holds them, by id."""
    no_rate: tuple[str, ...]
    """Currencies of what is held now that cannot be converted: its value is not known."""
    names: Mapping[str, str]
    """Of the portfolios that hold them, by id."""
    built: Mapping[str, BuiltReports]
    """By id, of portfolios that report no positions: what they hold is built from their trades."""
    foreign_cash: tuple[Holding, ...]
    """Cash in other currencies as positions, of each portfolio that holds it: what its rate moves."""
    begins: tuple[int, int] = (0, 0)
    """Midnights of the reports that `day` and `month` are counted from, epoch seconds; 0: none, or several days."""

    @property
    def newest(self) -> int:
        """Return when the newest report came, epoch seconds."""
        return max(self.reported.values())

    @property
    def oldest(self) -> int:
        """Return when the oldest one came among the newest ones of the parts."""
        return min(self.reported.values())

    @property
    def value(self) -> float:
        """Return what positions and cash come to; what is not known is left out, NaN where nothing is known."""
        return sum_of_known([*(each.owned for each in self.positions), self.cash])

    def by(self, group: Group) -> list[Held]:
        """Return the positions added up by group, the largest first."""
        parts: dict[str, list[Holding]] = defaultdict(list)
        for each in (*self.positions, *self.closed):
            parts[each.group(group, self.names)].append(each)
        added = [_sum(name, part) for name, part in parts.items()]
        return sorted(added, key=lambda each: (math.isnan(each.gross), -each.gross))

    def all(self) -> Held:
        """Return all positions added up, with what was held once. What cash gained is not in it (portfolio/gained)."""
        return _sum("All", (*self.positions, *self.closed))


def cash_name(currency: str) -> str:
    """Return what cash in a currency is called as a position."""
    return f"{CASH} {currency}"


def report_stale_after_seconds(portfolio: Portfolio, now: float) -> float | None:
    """Return the age beyond which a report of positions is stale; None: never, as of what is not traded or ended."""
    if portfolio.origin in NOT_TRADED or has_ended(portfolio, now):
        return None
    return value_stale_after_seconds(1.0)


def below(whole: Fund, id: str) -> list[str]:
    """Return the ids of all portfolios under one."""
    return [found for each in whole.parts(id) for found in (each.id, *below(whole, each.id))]


def holders(whole: Fund, id: str, there: Container[str]) -> list[str]:
    """Return whose rows those of a portfolio are: its own, where it told any (`there`), or those of its parts."""
    if id in there:
        return [id]
    return [found for each in whole.parts(id) for found in holders(whole, each.id, there)]


def is_settled_daily(about: Series | None) -> bool:
    """Return whether an instrument is a future: its value is a notional that nobody paid, so that neither is it a part
    of the net asset value nor does a currency move it; each day's gain is settled in cash at the rate of the day.
    """
    return about is not None and about.is_settled_daily


def sum_of_known(values: Collection[float]) -> float:
    """Return the sum of what is not NaN: 0 of nothing, and NaN where all of it is."""
    known = [each for each in values if not math.isnan(each)]
    return math.fsum(known) if known or not values else UNKNOWN


def _sum(name: str, parts: Sequence[Holding]) -> Held:
    held = [each for each in parts if each.quantity]
    return Held(
        name=name,
        count=len(held),
        long=sum_of_known([max(each.value, 0.0) for each in held]),
        short=sum_of_known([min(each.value, 0.0) for each in held]),
        weight=sum_of_known([each.weight for each in held]),
        day=sum_of_known([each.day for each in parts]),
        month=sum_of_known([each.month for each in parts]),
        total=sum_of_known([each.total for each in parts]),
        unknown=sum(any(map(math.isnan, (each.day, each.month, each.total))) for each in parts),
    )
