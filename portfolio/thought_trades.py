"""Trades that are thought of: every figure of what is held before and after them.

A trade is of the largest position in its instrument, or opens one; it is kept in an address as a person would write it:
"buy 100 AAPL; sell 250000 money of XOM".
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from analytics.block import Floats
from analytics.liquidity import SHARE_OF_VOLUME
from analytics.what_if import Change, what_if
from analytics.what_if import Holdings as Held
from core.clock import DAY_SECONDS
from core.format import first_of
from portfolio.book_liquidity import daily_value
from portfolio.histories import exchange
from portfolio.holdings import UNKNOWN, Holding, Holdings, is_settled_daily
from portfolio.instrument_returns import CARRIED_DAYS, date_of
from portfolio.risk import Book, book_with, lost_of, market_of, named_left_out, returns_of
from portfolio.risk_query import RiskQuery
from portfolio.series.reference import catalogue
from storage.clickhouse.reads.prices import daily_prices_many
from storage.state.series import Series, list_series

if TYPE_CHECKING:
    from storage.stores import Stores

MOST_TRADES = 20
MOST_AMOUNT = 1e15
MOST_COST_BP = 1_000.0
ROUNDING = 1e-9
"""Of a trade: what is left of a position is none when it is less."""
BETWEEN = ";"
Unit = Literal["percent", "money", "number", "index"]
LABELS: Mapping[str, tuple[str, Unit]] = {
    "nav": ("Net asset value", "money"),
    "cash": ("Cash", "money"),
    "long_ratio": ("Long", "percent"),
    "short_ratio": ("Short", "percent"),
    "gross_ratio": ("Gross: leverage", "percent"),
    "net_ratio": ("Net", "percent"),
    "herfindahl": ("Concentration (Herfindahl)", "index"),
    "effective_number": ("Effective positions", "number"),
    "largest_share": ("Largest position, of gross", "percent"),
    "beta_adjusted_ratio": ("Beta", "number"),
    "historical_var": ("VaR, historical", "money"),
    "historical_es": ("ES, historical", "money"),
    "parametric_var": ("VaR, parametric", "money"),
    "parametric_es": ("ES, parametric", "money"),
    "out_in_1_days_ratio": ("Out within 1 day", "percent"),
    "out_in_5_days_ratio": ("Out within 5 days", "percent"),
    "out_in_10_days_ratio": ("Out within 10 days", "percent"),
    "out_in_20_days_ratio": ("Out within 20 days", "percent"),
    "out_in_60_days_ratio": ("Out within 60 days", "percent"),
}
"""What figures are called, in the order in which they are shown."""
_TRADE = re.compile(r"(?P<side>buy|sell) (?P<amount>\d+(?:\.\d+)?)(?P<money> money of)? (?P<instrument>[^;]+)")


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade that is thought of."""

    instrument: str
    amount: float
    """Above 0 bought, below 0 sold."""
    is_money: bool = False
    """Whether the amount is in the portfolio's currency; else it is a quantity."""

    def written(self) -> str:
        """Return it as an address has it."""
        side = "buy" if self.amount > 0 else "sell"
        return f"{side} {_plain(abs(self.amount))}{' money of' if self.is_money else ''} {self.instrument}"


@dataclass(frozen=True, slots=True)
class Priced:
    """A trade with what it comes to."""

    trade: Trade
    name: str
    quantity: float
    price: float
    """Of one, in its own currency, as Holdings shows it: without its multiplier."""
    currency: str
    multiplier: float
    value: float
    """In the portfolio's currency."""


@dataclass(frozen=True, eq=False, slots=True)
class Tried:
    """What trades change."""

    trades: tuple[Priced, ...]
    changes: tuple[Change, ...]
    book: Book
    """With what is bought anew, at 0."""
    told: tuple[str, ...]
    """What is left out, and trades that cannot be."""
    after: Holdings | None
    """What would be held; None: trades mean nothing of this net asset value."""


def parse_trades(text: str) -> tuple[tuple[Trade, ...], tuple[str, ...]]:
    """Return the trades of a text, and what of it could not be read, in words."""
    trades: list[Trade] = []
    problems: list[str] = []
    for part in (each.strip() for each in text.split(BETWEEN)):
        if not part:
            continue
        match = _TRADE.fullmatch(part)
        amount = float(match["amount"]) if match else math.nan
        if match is None or not 0 < amount <= MOST_AMOUNT:
            problems.append(f"Trade: “{part[:80]}” is none such as “buy 100 AAPL” or “sell 250000 money of XOM”.")
        elif len(trades) < MOST_TRADES:
            signed = amount if match["side"] == "buy" else -amount
            trades.append(Trade(match["instrument"].strip(), signed, match["money"] is not None))
        elif len(trades) == MOST_TRADES:
            problems.append(f"Trades: {MOST_TRADES} at most; the first are used.")
            break
    return tuple(trades), tuple(problems)


def write_trades(trades: Iterable[Trade]) -> str:
    """Return trades as an address has them."""
    return f"{BETWEEN} ".join(each.written() for each in trades)


def parse_cost(text: str) -> tuple[float, str]:
    """Return costs as a ratio of what is traded, of a text in basis points, and what is wrong with it."""
    if not text.strip():
        return 0.0, ""
    try:
        points = float(text.replace(",", "."))
    except ValueError:
        points = math.nan
    if not 0 <= points <= MOST_COST_BP:
        return 0.0, f"Costs: “{text[:40]}” is no number of basis points from 0 to {MOST_COST_BP:,.0f}. 0 is used."
    return points / 10_000, ""


def tried(stores: Stores, found: Holdings, query: RiskQuery, trades: Sequence[Trade], cost_ratio: float = 0.0) -> Tried:
    """Return every figure before and after trades; a trade of what has no price is told and left out.

    Raises StorageUnavailable, StorageRejected.
    """
    known = [each for each in found.positions if math.isfinite(each.value)]
    opened, unknown = _opened(stores, found, known, trades)
    rows = [*known, *opened]
    largest = {each.instrument: at for at, each in reversed([*enumerate(rows)])}
    bought, priced = np.zeros(len(rows)), []
    for trade in trades:
        at = largest.get(trade.instrument)
        if at is None:
            continue
        one = _worth_of_one(rows[at])
        value = trade.amount if trade.is_money else trade.amount * one
        bought[at] += value
        row, quantity = rows[at], value / one if one else UNKNOWN
        priced.append(Priced(trade, row.about.name, quantity, row.price, row.currency, row.about.multiplier, value))
    # At 0, what is opened has no part in what is held now; its price stands in it until here.
    rows = [replace(each, value=0.0, quantity=0.0) if at >= len(known) else each for at, each in enumerate(rows)]
    book = _book(stores, found, query, rows, bought)
    told = [*unknown, *_lost(book)]
    if not found.nav > 0:
        why = "The net asset value is not above 0: shares of it mean nothing."
        return Tried(tuple(priced), (), book, (*told, why), None)
    costs = cost_ratio * float(np.abs(bought).sum())
    if costs >= found.nav:
        why = "Costs of these trades would take the whole net asset value."
        return Tried(tuple(priced), (), book, (*told, why), None)
    sources = [*known, *opened]
    changes = _changes(stores, book, rows, bought, sources, cost_ratio, query)
    return Tried(tuple(priced), changes, book, tuple(told), _after(found, rows, sources, bought, costs))


def known_instruments(stores: Stores, found: Holdings) -> list[str]:
    """Return the symbols that can be traded here: what is held, and what has prices."""
    priced = catalogue(stores, found.portfolio.origin).series
    return sorted({
        *(each.instrument for each in found.positions),
        *(symbol for symbol, each in priced.items() if each.kind in ("price", "total_return")),
    })  # fmt: skip


def nearest_instrument(wanted: str, known: Sequence[str]) -> str:
    """Return what to write instead of an instrument that there is not."""
    near = difflib.get_close_matches(wanted.upper(), known, n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]}?"
    return f"there are {first_of(known, 8)}" if known else "nothing has a price"


def _opened(
    stores: Stores, found: Holdings, known: Sequence[Holding], trades: Sequence[Trade]
) -> tuple[list[Holding], list[str]]:
    """Return a position of one for each instrument that is not held, and what is told of those without a price."""
    held = {each.instrument for each in known}
    new = sorted({each.instrument for each in trades} - held)
    if not new:
        return [], []
    portfolio, day = found.portfolio, np.datetime64(found.newest // DAY_SECONDS, "D")
    there = known_instruments(stores, found)
    symbols = [each for each in new if each in there]
    prices = daily_prices_many(stores.clickhouse, portfolio.origin, symbols, date_of(day), date_of(day - CARRIED_DAYS))
    about = {each.symbol: each for each in list_series(stores.state, portfolio.origin)}
    opened, told = [], [
        f"Trade: there is no instrument “{each[:64]}”; {nearest_instrument(each, there)}"
        for each in new if each not in symbols
    ]  # fmt: skip
    for symbol, row in zip(symbols, prices.values, strict=True):
        series = about.get(symbol) or Series(portfolio.origin, symbol, symbol)
        currency = series.currency or portfolio.currency
        levels = row[np.isfinite(row) & (row > 0)]
        rate = float(exchange(stores, portfolio.origin).rates(currency, portfolio.currency, np.array([day]))[0])
        worth = float(levels[-1]) * series.multiplier * rate if len(levels) else math.nan
        if math.isfinite(worth):
            opened.append(_one(found, series, currency, float(levels[-1]), worth))
        else:
            told.append(f"Trade: {symbol} has no price, or its currency no rate, of the last {CARRIED_DAYS} days.")
    return opened, told


def _one(found: Holdings, about: Series, currency: str, price: float, worth: float) -> Holding:
    return Holding(
        portfolio=found.portfolio.id, instrument=about.symbol, about=about, quantity=1.0, price=price,
        average_cost=UNKNOWN, currency=currency, local_value=price * about.multiplier, value=worth,
        owned=0.0 if is_settled_daily(about) else worth, weight=UNKNOWN,
        day=UNKNOWN, month=UNKNOWN, total=UNKNOWN, day_return=UNKNOWN, unrealised=UNKNOWN, realised=UNKNOWN,
        held_days=UNKNOWN, volume_share=UNKNOWN, liquidate_days=UNKNOWN,
    )  # fmt: skip


def _worth_of_one(each: Holding) -> float:
    return each.value / each.quantity if each.quantity else 0.0


def _after(
    found: Holdings, rows: Sequence[Holding], priced: Sequence[Holding], bought: Floats, costs: float
) -> Holdings:
    """Return what would be held; priced: the rows with the price of one in them. What has no known value stays."""
    held, paid = [], costs
    for row, source, money in zip(rows, priced, bought.tolist(), strict=True):
        paid += money if row.moves_with_currency else 0.0
        held.append(_traded(row, source, money) if money else row)
    unknown = [each for each in found.positions if not math.isfinite(each.value)]
    nav = found.nav - costs
    weighed = [replace(each, weight=each.value / nav) for each in held if each.quantity]
    return replace(
        found,
        positions=(*sorted(weighed, key=lambda each: -abs(each.value)), *unknown),
        cash=found.cash - paid,
        nav=nav,
    )


def _traded(row: Holding, priced: Holding, money: float) -> Holding:
    """Return a position after a trade for so much money, with what follows from quantity and value."""
    one = _worth_of_one(priced)
    quantity, value = row.quantity + (money / one if one else UNKNOWN), row.value + money
    if abs(value) <= ROUNDING * abs(money):
        quantity = value = 0.0
    volume = row.about.daily_volume or UNKNOWN
    return replace(
        row, quantity=quantity, value=value, local_value=quantity * priced.local_value / priced.quantity,
        owned=value if row.moves_with_currency else 0.0, volume_share=abs(quantity) / volume,
        liquidate_days=abs(quantity) / (volume * SHARE_OF_VOLUME),
    )  # fmt: skip


def _book(stores: Stores, found: Holdings, query: RiskQuery, rows: Sequence[Holding], bought: Floats) -> Book:
    sized = [
        (each, max(abs(each.value), abs(each.value + money))) for each, money in zip(rows, bought.tolist(), strict=True)
    ]
    cash = [each for each in found.foreign_cash if math.isfinite(each.value)]
    sized += [(each, abs(each.value)) for each in cash]
    return book_with(found, returns_of(stores, found, sized, query), [*rows, *cash])


def _changes(
    stores: Stores, book: Book, rows: Sequence[Holding], bought: Floats, priced: Sequence[Holding], cost_ratio: float,
    query: RiskQuery,
) -> tuple[Change, ...]:  # fmt: skip
    """Return the figures in their order: of all positions, and risk of those that have returns."""
    nav = book.found.nav
    values = np.array([each.value for each in rows], dtype=np.float64)
    volumes = np.array([daily_value(each) for each in priced], dtype=np.float64)
    _, instruments = np.unique([each.instrument for each in rows], return_inverse=True)
    is_paid = np.array([each.moves_with_currency for each in rows], dtype=np.bool_)
    held = Held(
        values, nav, volumes=volumes if (volumes > 0).any() else None, instruments=instruments, is_paid=is_paid
    )  # fmt: skip
    changes = {each.name: each for each in what_if(held, bought, cost_ratio)}
    if book.unpriced:
        changes["cash"] = Change("cash", UNKNOWN, UNKNOWN)
    if not book.returns.lacks:
        at = {id(each): number for number, each in enumerate(rows)}
        # Trades are paid in the portfolio's currency: none moves cash in another one.
        in_part = np.array([bought[at[id(each)]] if id(each) in at else 0.0 for each in book.positions])
        _, betas = market_of(stores, book)
        matrix = book.matrix()[np.ix_(book.columns, book.columns)]
        of_risk = Held(
            book.values, nav, None if betas is None else betas[book.columns], returns=book.wide, matrix=matrix
        )
        for each in what_if(of_risk, in_part, cost_ratio, query.level, query.horizon):
            changes.setdefault(each.name, each)
    return tuple(changes[name] for name in LABELS if name in changes)


def _lost(book: Book) -> list[str]:
    """Return what is told of positions that have no part in VaR and beta, or in any figure."""
    if book.returns.lacks:
        return [f"VaR and beta are not known: {book.returns.lacks}.", *lost_of(book)]
    lost = named_left_out(book)
    return [*([f"Not in VaR and beta: {lost}."] if lost else []), *lost_of(book)]


def _plain(amount: float) -> str:
    """Return a number as it is typed, without a power of ten."""
    return f"{amount:.6f}".rstrip("0").rstrip(".")
