"""The book of every day, as arrays: units, cost and gains by position, cash by currency, and NAV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analytics.block import Floats
from analytics.book import Account, Ledger
from analytics.inputs import numbers
from analytics.lots import Method
from analytics.transactions import Transaction, check, refused


@dataclass(frozen=True, eq=False)
class Course:
    """At the end of each day; money in base currency. Positions are (days, symbols), cash (days, currencies)."""

    symbols: tuple[str, ...]
    currencies: tuple[str, ...]
    """"" is the base one and comes first."""
    quantity: Floats
    value: Floats
    cost: Floats
    """At the rates of the time; of shorts below 0."""
    realised: Floats
    """Since the beginning."""
    income: Floats
    """Dividends since the beginning."""
    cash: Floats
    """In each currency."""
    flow: Floats
    """(days,), money and instruments in, less out, within the day."""
    nav: Floats
    """(days,)."""

    @property
    def gain(self) -> Floats:
        """Return what each position gained since the beginning: realised, unrealised and dividends."""
        return self.realised + self.value - self.cost + self.income


def course(
    transactions: Sequence[Transaction],
    ends_seconds: ArrayLike,
    symbols: Sequence[str],
    prices: ArrayLike,
    currencies: Sequence[str] = (),
    rates: ArrayLike | None = None,
    method: Method = "fifo",
) -> Course:
    """Return the book at the end of each day; what happened at that very second is in it.

    prices: (days, symbols), NaN where there is none: only a day on which the symbol is held needs one. rates: (days,
    currencies), base currency for a unit, likewise. Raises BookRefused that names the transaction, or the symbol or
    currency and the day that misses its price or rate; ValueError when lengths differ or days are out of order.
    """
    ends = numbers("ends_seconds", ends_seconds, None)
    names = ("", *currencies)
    found = units(transactions, ends, symbols, currencies, method)
    priced = _table("prices", prices, len(ends), len(symbols))
    exchanged = _rates(rates, len(ends), len(currencies))
    currency_of = np.array([names.index(name) for name in found.currency_of], dtype=np.intp)
    _demand("price", symbols, priced, found.quantity != 0)
    _demand("rate", names, exchanged, found.cash != 0)
    _demand("rate", symbols, exchanged[:, currency_of], found.quantity != 0)
    held = found.quantity * np.where(found.quantity != 0, priced, 0.0) * found.multiplier
    value = held * np.where(held != 0, exchanged[:, currency_of], 0.0)
    cash = (found.cash * np.where(found.cash != 0, exchanged, 0.0)).sum(axis=1)
    return Course(
        symbols=tuple(symbols),
        currencies=names,
        quantity=found.quantity,
        value=value,
        cost=found.cost,
        realised=found.realised,
        income=found.income,
        cash=found.cash,
        flow=np.diff(found.flow, prepend=0.0),
        nav=cash + value.sum(axis=1),
    )


@dataclass(eq=False)
class Units:
    """What the ledger said at the end of each day, before any price or rate. Positions are (days, symbols)."""

    quantity: Floats
    cost: Floats
    """At the rates of the transactions."""
    realised: Floats
    income: Floats
    cash: Floats
    """(days, currencies): the base one first."""
    flow: Floats
    """(days,), since the beginning."""
    multiplier: Floats
    """(symbols,)."""
    currency_of: list[str]
    """(symbols,): "" for the base one."""


def units(
    transactions: Sequence[Transaction],
    ends_seconds: ArrayLike,
    symbols: Sequence[str],
    currencies: Sequence[str] = (),
    method: Method = "fifo",
) -> Units:
    """Return what is held at the end of each day; what happened at that very second is in it.

    Raises BookRefused that names the transaction; ValueError when days are out of order.
    """
    check(transactions)
    ends = numbers("ends_seconds", ends_seconds, None)
    if (np.diff(ends) <= 0).any():
        raise ValueError("ends_seconds: days are out of order or there twice")
    return _built(transactions, ends, list(symbols), ["", *currencies], method)


def _built(
    transactions: Sequence[Transaction], ends: Floats, symbols: list[str], names: list[str], method: Method
) -> Units:
    place = {symbol: at for at, symbol in enumerate(symbols)}
    quantity, cost, realised, income = np.zeros((4, len(ends), len(symbols)))
    cash, flow = np.zeros((len(ends), len(names))), np.zeros(len(ends))
    found = Units(quantity, cost, realised, income, cash, flow, np.ones(len(symbols)), [""] * len(symbols))
    ledger, row = Ledger(method), 0
    for day, end in enumerate(ends.tolist()):
        touched = set()
        while row < len(transactions) and transactions[row].time_seconds <= end:
            given = transactions[row]
            _known(row + 1, given, place, names)
            ledger.take(row + 1, given)
            touched.add(given.symbol)
            row += 1
        if day:
            for table in (found.quantity, found.cost, found.realised, found.income, found.cash):
                table[day] = table[day - 1]
        for symbol in touched & ledger.accounts.keys():
            _write(found, day, place[symbol], ledger.accounts[symbol])
        for currency, amount in ledger.cash.items():
            found.cash[day, names.index(currency)] = amount
        found.flow[day] = ledger.flow_base
    return found


def _write(found: Units, day: int, at: int, account: Account) -> None:
    lots = account.lots.open
    found.quantity[day, at] = account.lots.quantity
    found.cost[day, at] = sum(lot.quantity * lot.cost_base for lot in lots)
    found.realised[day, at] = account.realised_base
    found.income[day, at] = account.income_base
    found.multiplier[at] = account.multiplier
    found.currency_of[at] = account.currency


def _known(row: int, given: Transaction, place: dict[str, int], names: list[str]) -> None:
    if given.symbol and given.symbol not in place:
        refused(row, "symbol", given.symbol, "is none of the symbols", "give its prices as well")
    if given.currency not in names:
        refused(row, "currency", given.currency, "is none of the currencies", "give its rates as well")


def _demand(
    field: str, names: Sequence[str], table: Floats, needed: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
) -> None:
    with np.errstate(invalid="ignore"):
        wrong = needed & ~((table > 0) & (table < np.inf))
    if wrong.any():
        day, at = map(int, np.argwhere(wrong)[0])
        refused(0, field, names[at], f"there is no {field} above 0 on day {day} and it is needed", f"give its {field}")


def _table(field: str, values: ArrayLike, *shape: int) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    if found.shape != shape:
        raise ValueError(f"{field}: {found.shape}, not {shape}; lengths differ")
    return found


def _rates(rates: ArrayLike | None, days: int, count: int) -> Floats:
    given = np.full((days, count), np.nan) if rates is None else _table("rates", rates, days, count)
    return np.concatenate([np.ones((days, 1)), given], axis=1)
