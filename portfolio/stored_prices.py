"""Stored prices of instruments, so that who asks for them again in the same view reads only what is not there yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from analytics.block import Floats
from analytics.calendar import Dates
from storage.clickhouse.reads.prices import daily_prices_many

if TYPE_CHECKING:
    from storage.stores import Stores


@dataclass(frozen=True, eq=False, slots=True)
class StoredPrices:
    """The last price above 0 of each UTC day, of k instruments on the n days that any of them has one."""

    origin: str
    symbols: tuple[str, ...]
    first: date | None
    """The first day that was asked for; None: all that there are."""
    last: date
    days: Dates
    """(n,)."""
    values: Floats
    """(k, n), NaN on days without one."""

    def reaches(self, origin: str, last: date, first: date | None) -> bool:
        """Return whether all days from `first` to `last` are in it."""
        is_early = self.first is None or (first is not None and self.first <= first)
        return is_early and self.origin == origin and self.last == last

    def of(self, symbols: Sequence[str], first: date | None) -> StoredPrices:
        """Return the prices of some of its instruments, in the order asked for, from a day on."""
        row = {symbol: at for at, symbol in enumerate(self.symbols)}
        start = 0 if first is None else int(np.searchsorted(self.days, np.datetime64(first, "D")))
        values = self.values[[row[symbol] for symbol in symbols], start:]
        return StoredPrices(self.origin, tuple(symbols), first, self.last, self.days[start:], values)


def stored_prices(
    stores: Stores, origin: str, symbols: Sequence[str], last: date, first: date | None,
    known: StoredPrices | None = None,
) -> StoredPrices:  # fmt: skip
    """Return the stored prices of `symbols`, in their order; what is among `known` is not read again.

    Raises ValueError when one is named twice, StorageUnavailable or StorageRejected.
    """
    if known is None or not known.reaches(origin, last, first):
        return _read(stores, origin, symbols, last, first)
    there = set(known.symbols)
    found = known.of([symbol for symbol in symbols if symbol in there], first)
    lacking = [symbol for symbol in symbols if symbol not in there]
    return _beside(found, _read(stores, origin, lacking, last, first)).of(symbols, first) if lacking else found


def _read(stores: Stores, origin: str, symbols: Sequence[str], last: date, first: date | None) -> StoredPrices:
    found = daily_prices_many(stores.clickhouse, origin, symbols, last, first)
    values = np.where(found.values > 0, found.values, np.nan)
    return StoredPrices(origin, tuple(symbols), first, last, found.days, values)


def _beside(one: StoredPrices, other: StoredPrices) -> StoredPrices:
    days = np.union1d(one.days, other.days)
    values = np.full((len(one.symbols) + len(other.symbols), len(days)), np.nan)
    values[: len(one.symbols), np.searchsorted(days, one.days)] = one.values
    values[len(one.symbols) :, np.searchsorted(days, other.days)] = other.values
    return StoredPrices(one.origin, one.symbols + other.symbols, one.first, one.last, days, values)
