"""What a portfolio holds on a day: each position's worth, weight, profit and loss, how long and how liquid.

Profit and loss of a span is what the position is worth at its end, less what it was worth at its beginning, less what
was paid for it meanwhile (dividends received count as paid back). It is known where the trades between explain the
change of the quantity; elsewhere it is NaN, never a guess.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analytics.liquidity import SHARE_OF_VOLUME
from core.clock import DAY_SECONDS
from core.currency import CASH
from portfolio.allowed import Limits
from portfolio.built_holdings import BuiltReports, built_reports
from portfolio.fund import Fund
from portfolio.given import said_of
from portfolio.histories import fund
from portfolio.holdings import (
    LAST_SECOND,
    QUANTITY_OFF,
    UNKNOWN,
    Holding,
    Holdings,
    below,
    cash_name,
    holders,
    is_settled_daily,
    sum_of_known,
)
from portfolio.reports import covers
from storage.clickhouse.reads.book import (
    Paid,
    Position,
    cash_told,
    history_of_instrument,
    paid_since,
    positions_at,
    report_days,
    sides_held,
)
from storage.state.series import Series, list_series

if TYPE_CHECKING:
    from storage.state.portfolios import Portfolio
    from storage.stores import Stores


def holdings(
    stores: Stores, portfolio: Portfolio, limits: Limits, as_of: np.datetime64 | None = None
) -> Holdings | None:
    """Return what a portfolio holds as of the end of a day (UTC), the newest when left out; None: nothing was told.

    A portfolio that tells no positions of its own is the sum of its parts; one that has none is built from its trades.
    Raises StorageUnavailable, StorageRejected.
    """
    whole = fund(stores, portfolio.origin).seen(limits)
    end = LAST_SECOND if as_of is None else int((as_of + 1).astype("datetime64[s]").astype(np.int64))
    end = min(max(end, 0), LAST_SECOND)
    every = [portfolio.id, *below(whole, portfolio.id)]
    days = report_days(stores.clickhouse, portfolio.origin, every, end)
    about = {each.symbol: each for each in list_series(stores.state, portfolio.origin)}
    silent = [id for id in every if not holders(whole, id, days)]
    built = built_reports(stores, whole, about, silent, end)
    days = {**days, **{id: each.at for id, each in built.items()}}
    ids = holders(whole, portfolio.id, days)
    if not ids:
        return None
    marks = {id: _marks(days[id]) for id in ids}
    moments = [(id, at) for id, at_ in marks.items() for at in at_ if at > 0]
    told = positions_at(stores.clickhouse, portfolio.origin, [each for each in moments if each[0] not in built])
    told = {key: [_valued(each, about.get(each.instrument)) for each in rows] for key, rows in told.items()}
    told |= {(id, at): built[id].positions(at) for id, at in moments if id in built}
    book = _Book(stores, portfolio, marks, told, days, about, whole, end, built)
    nav, nav_day = _nav(whole, portfolio, as_of, max(mark[0] for mark in marks.values()))
    by_currency = book.cash(ids)
    cash = math.fsum(value for _, value in by_currency.values()) if by_currency else UNKNOWN
    rows = book.rows()
    if math.isnan(nav):
        nav = sum_of_known([*(each.owned for each in rows if each.quantity), cash])
    weighed = sorted(
        (_weighed(each, nav) for each in rows if each.quantity),
        key=lambda each: (math.isnan(each.value), -abs(each.value)),
    )
    closed = tuple(each for each in rows if not each.quantity)
    unrated = {each.currency for each in weighed if math.isfinite(each.local_value) and math.isnan(each.value)}
    return Holdings(
        portfolio, tuple(weighed), closed, cash, nav, nav_day, {id: mark[0] for id, mark in marks.items()},
        tuple(sorted(unrated)),
        {id: whole.tree[id].name if id in whole.tree else id for id in ids},
        {id: each for id, each in built.items() if id in ids},
        tuple(
            _weighed(_foreign_cash(portfolio, id, currency, *amounts), nav)
            for (id, currency), amounts in sorted(by_currency.items())
            if currency != portfolio.currency and amounts[0]
        ),
        begins=(_common_day(mark[1] for mark in marks.values()), _common_day(mark[2] for mark in marks.values())),
    )  # fmt: skip


def _foreign_cash(portfolio: Portfolio, id: str, currency: str, amount: float, value: float) -> Holding:
    name = cash_name(currency)
    about = Series(portfolio.origin, name, f"Cash in {currency}", asset_class="cash")
    return Holding(
        portfolio=id, instrument=name, about=about, quantity=amount, price=1.0, average_cost=UNKNOWN, currency=currency,
        local_value=amount, value=value, owned=value, weight=UNKNOWN, day=UNKNOWN, month=UNKNOWN, total=UNKNOWN,
        day_return=UNKNOWN, unrealised=UNKNOWN, realised=UNKNOWN, held_days=UNKNOWN, volume_share=UNKNOWN,
        liquidate_days=UNKNOWN,
    )  # fmt: skip


def _marks(days: NDArray[np.int64]) -> tuple[int, int, int]:
    """Return the newest report, the last one of a day before, the last one of a month before; 0: there is none."""
    newest = int(days[-1])
    day = newest // DAY_SECONDS * DAY_SECONDS
    month = int(np.datetime64(newest, "s").astype("datetime64[M]").astype("datetime64[s]").astype(np.int64))
    before = days[days < day]
    earlier = days[days < month]
    return newest, int(before[-1]) if len(before) else 0, int(earlier[-1]) if len(earlier) else 0


def _common_day(reports: Iterable[int]) -> int:
    """Return the midnight of the day that reports are of; 0: of several. A part without one had nothing before."""
    days = {at // DAY_SECONDS * DAY_SECONDS for at in reports if at}
    return days.pop() if len(days) == 1 else 0


def _nav(
    whole: Fund, portfolio: Portfolio, as_of: np.datetime64 | None, newest: int
) -> tuple[float, np.datetime64 | None]:
    history = whole.history(portfolio.id, said_of(portfolio)).nav
    day = np.datetime64(newest // DAY_SECONDS, "D")
    at = int(np.searchsorted(history.dates, day if as_of is None else min(day, as_of), side="right")) - 1
    return (float(history.value[at]), history.dates[at]) if at >= 0 else (UNKNOWN, None)


def _valued(each: Position, about: Series | None) -> Position:
    """Return a position with what has accrued in its value, which is worked out with the multiplier of today.

    A future's value is its notional, whatever value was told of it.
    """
    if about is not None and is_settled_daily(about):
        return replace(each, value=each.quantity * each.price * about.multiplier)
    is_told = about is None or math.isnan(each.multiplier)
    times = 1.0 if is_told or about is None else about.multiplier / each.multiplier
    return replace(each, value=each.value * times + each.accrued)


def _weighed(each: Holding, nav: float) -> Holding:
    return replace(each, weight=each.value / nav if nav > 0 else UNKNOWN)


class _Book:
    """Works out the rows of one look: what was told, and what was paid meanwhile."""

    def __init__(
        self, stores: Stores, portfolio: Portfolio, marks: Mapping[str, tuple[int, int, int]],
        told: Mapping[tuple[str, int], list[Position]], days: Mapping[str, NDArray[np.int64]],
        about: Mapping[str, Series], whole: Fund, end: int, built: Mapping[str, BuiltReports],
    ) -> None:  # fmt: skip
        self._built = built
        self._stores, self._portfolio, self._exchange, self._end = stores, portfolio, whole.exchange, end
        self._marks, self._told, self._days, self._about = marks, told, days, about
        self._own = {id: whole.tree[id].currency if id in whole.tree else portfolio.currency for id in marks}
        self._rates: dict[tuple[str, int], float] = {}

    def rows(self) -> list[Holding]:
        """Return every position, and those that were held once, without their weights."""
        held = [each for id, mark in self._marks.items() for each in self._told[id, mark[0]] if each.instrument != CASH]
        symbols = sorted({each.instrument for each in held})
        paid = self._paid()
        held += self._closed(held, paid)
        sides = sides_held(self._stores.clickhouse, self._portfolio.origin, list(self._marks), symbols, self._end)
        for each in self._built.values():
            sides |= each.sides()
        before = {key: {each.instrument: each for each in rows} for key, rows in self._told.items()}
        return [self._row(each, before, paid, sides) for each in held]

    def cash(self, ids: Sequence[str]) -> dict[tuple[str, str], tuple[float, float]]:
        """Return the cash of portfolios by id and currency: local, and in the portfolio's currency (NaN: no rate)."""
        told = cash_told(self._stores.clickhouse, self._portfolio.origin, ids, self._end)
        reported = {id for id, _, _, _ in told}
        told += [
            (id, currency, int(each.at[-1]), amount)
            for id, each in self._built.items() if id in ids and id not in reported
            for currency, amount in each.cash().items()
        ]  # fmt: skip
        newest: dict[tuple[str, str], tuple[int, float]] = {}
        for id, currency, at, amount in told:
            key = id, currency or self._own[id]
            newest[key] = max(newest.get(key, (0, 0.0)), (at, amount), key=lambda each: each[0])
        return {key: (amount, amount * self._rate(key[1], at)) for key, (at, amount) in newest.items()}

    def _paid(self) -> dict[tuple[str, str], list[Paid]]:
        found: dict[tuple[str, str], list[Paid]] = defaultdict(list)
        multipliers = {symbol: each.multiplier for symbol, each in self._about.items() if each.multiplier != 1}
        since = {id: (covers(mark[1]), covers(mark[2]), -1) for id, mark in self._marks.items()}
        until = {id: covers(mark[0]) for id, mark in self._marks.items()}
        for each in paid_since(
            self._stores.clickhouse, self._portfolio.origin, since, until, self._own, self._portfolio.currency,
            multipliers,
        ):  # fmt: skip
            found[each.portfolio, each.instrument].append(each)
        return found

    def _closed(self, held: Sequence[Position], paid: Mapping[tuple[str, str], list[Paid]]) -> list[Position]:
        """Return as positions of 0 what was held or traded once and is not held any more."""
        there = {(each.portfolio, each.instrument) for each in held}
        once = {(id, each.instrument): each.currency for (id, _), rows in self._told.items() for each in rows}
        gone = {key: once.get(key, "") for key in (*once, *paid) if key not in there and key[1] != CASH}
        return [
            Position(id, self._marks[id][0], symbol, 0.0, UNKNOWN, 0.0, UNKNOWN, currency, 0.0)
            for (id, symbol), currency in gone.items()
        ]

    def _row(
        self, each: Position, before: Mapping[tuple[str, int], Mapping[str, Position]],
        paid: Mapping[tuple[str, str], list[Paid]],
        sides: Mapping[tuple[str, str], tuple[NDArray[np.int64], NDArray[np.int64]]],
    ) -> Holding:  # fmt: skip
        id, symbol = each.portfolio, each.instrument
        about = self._about.get(symbol) or Series(self._portfolio.origin, symbol, symbol)
        currency = each.currency or self._own[id]
        rate = self._rate(currency, each.ts)
        marks = self._marks[id]
        bought = paid.get((id, symbol), [])
        begins = [before[id, at].get(symbol) if at else None for at in marks[1:]]
        day, month, total = (
            self._profit(each, rate, begin, bought, number, since)
            for number, (begin, since) in enumerate(zip((*begins, None), (*marks[1:], 0), strict=True))
        )
        cost = each.average_cost
        unrealised = (each.price - cost) * each.quantity * about.multiplier * rate if each.quantity else 0.0
        worth_before = self._base(begins[0]) if begins[0] is not None else 0.0
        put_in = abs(worth_before) + max(self._cost(bought, 0) * np.sign(each.quantity), 0.0)
        volume = about.daily_volume or UNKNOWN
        return Holding(
            portfolio=id, instrument=symbol, about=about, quantity=each.quantity, price=each.price, average_cost=cost,
            currency=currency, local_value=each.value, value=each.value * rate,
            owned=0.0 if is_settled_daily(about) else each.value * rate, weight=UNKNOWN, day=day, month=month,
            total=total, day_return=day / put_in if put_in > 0 else UNKNOWN, unrealised=unrealised,
            realised=total - unrealised, held_days=_held_days(sides.get((id, symbol)), self._days[id], each.ts),
            volume_share=abs(each.quantity) / volume, liquidate_days=abs(each.quantity) / (volume * SHARE_OF_VOLUME),
            price_before=begins[0].price / _split(bought, 0) if begins[0] is not None else UNKNOWN,
        )  # fmt: skip

    def _profit(
        self, each: Position, rate: float, begin: Position | None, bought: Sequence[Paid], number: int, since: int
    ) -> float:  # fmt: skip
        """Return profit and loss since a moment; NaN where trades do not explain the change of the quantity."""
        held = begin.quantity * _split(bought, number) if begin is not None else 0.0
        explained = held + math.fsum(part.quantity[number] for part in bought)
        if abs(each.quantity - explained) > QUANTITY_OFF * max(abs(each.quantity), abs(held), 1.0):
            return UNKNOWN
        about = self._about.get(each.instrument)
        of_closed = about.currency if about is not None and not each.quantity else ""
        currency = each.currency or of_closed or self._own[each.portfolio]
        if is_settled_daily(about) and currency != self._portfolio.currency:
            return self._settled(each, currency, bought, number, since)
        worth = self._base(begin) if begin is not None else 0.0
        return each.value * rate - worth - self._cost(bought, number)

    def _settled(self, each: Position, currency: str, bought: Sequence[Paid], number: int, since: int) -> float:
        """Return what a future in another currency gained since a report, each day's gain at that day's rate."""
        days = self._days[each.portfolio]
        reports = days[(days > since) & (days <= each.ts)]
        reports = reports[np.append(np.diff(reports // DAY_SECONDS) > 0, True)]
        told = self._notionals(each.portfolio, each.instrument)
        worth = np.array([told.get(int(at), 0.0) for at in (since, *reports)])
        gained = np.diff(worth)
        for part in bought:
            at = min(int(np.searchsorted(reports // DAY_SECONDS, part.day or each.ts // DAY_SECONDS)), len(reports) - 1)
            when = (part.day or each.ts // DAY_SECONDS) * DAY_SECONDS
            paid_rate = self._rate(part.currency or self._portfolio.currency, when)
            gained[at] -= part.cost[number] * paid_rate / self._rate(currency, when) if part.cost[number] else 0.0
        return math.fsum(gain * self._rate(currency, int(at)) for gain, at in zip(gained, reports, strict=True) if gain)

    def _notionals(self, id: str, instrument: str) -> dict[int, float]:
        """Return quantity × price × multiplier of an instrument in every report of a portfolio, by its time."""
        if id in self._built:
            rows = self._built[id].history(instrument)
        else:
            rows = history_of_instrument(self._stores.clickhouse, self._portfolio.origin, [id], instrument, self._end)
        times = self._about[instrument].multiplier
        return {ts: quantity * price * times for _, ts, quantity, price, _ in rows if quantity}

    def _cost(self, bought: Sequence[Paid], number: int) -> float:
        return math.fsum(
            part.cost[number] * self._rate(part.currency or self._portfolio.currency, part.day * DAY_SECONDS)
            for part in bought
        )

    def _base(self, position: Position) -> float:
        return position.value * self._rate(position.currency or self._own[position.portfolio], position.ts)

    def _rate(self, currency: str, at: int) -> float:
        """Return what one unit of a currency is worth in the portfolio's on a day; NaN without a rate."""
        if currency == self._portfolio.currency:
            return 1.0
        day = at // DAY_SECONDS
        if (currency, day) not in self._rates:
            days = np.array([day], dtype="datetime64[D]")
            self._rates[currency, day] = float(self._exchange().rates(currency, self._portfolio.currency, days)[0])
        return self._rates[currency, day]


def _split(bought: Sequence[Paid], number: int) -> float:
    """Return how many ones of now were one at a moment."""
    return math.exp(math.fsum(part.splits[number] for part in bought))


def _held_days(
    sides: tuple[NDArray[np.int64], NDArray[np.int64]] | None, days: NDArray[np.int64], newest: int
) -> float:
    """Return calendar days since a position was first told on its side, in every report since then."""
    if sides is None or not len(sides[0]):
        return UNKNOWN
    at, side = sides
    breaks = np.flatnonzero((side[1:] != side[:-1]) | (np.diff(np.searchsorted(days, at)) > 1))
    first = int(breaks[-1]) + 1 if len(breaks) else 0
    return float((newest - int(at[first])) // DAY_SECONDS)
