"""A portfolio's orders of a day, the life of one of them, and what of orders and fills does not fit each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from core.clock import DAY_SECONDS
from core.memo import Memo
from portfolio.allowed import Limits
from portfolio.histories import fund
from portfolio.tellers import names_of, tellers
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.orders import (
    NARROWED_BY,
    OPEN,
    DayOfOrders,
    Fill,
    Odd,
    Order,
    day_of_orders,
    fills_called,
    newest_order,
    odd,
    orders_called,
    orders_of_day,
)
from storage.clickhouse.reads.trades import stamp_of

if TYPE_CHECKING:
    from storage.state.portfolios import Portfolio
    from storage.stores import Stores

MICROSECONDS = 1_000_000
MOST_ORDERS = 300
"""Orders of a day that are told one by one."""
MOST_FILLS = 500
"""Fills of an order that are told one by one."""
LONGEST_ID = 128
LAST_MICROSECOND = 2**62
ODD_KEPT = 64
_ODD: WeakKeyDictionary[ClickHouse, Memo[Odd]] = WeakKeyDictionary()
LIFE = (
    ("decided_at", "decided"), ("submitted_at", "submitted"), ("acknowledged_at", "acknowledged"),
    ("first_filled_at", "first fill"), ("last_filled_at", "last fill"), ("ended_at", "ended"),
)  # fmt: skip
"""What an order goes through, and when it did."""


@dataclass(frozen=True, eq=False, slots=True)
class Blotter:
    """Orders of a day (UTC): those that were placed then, ended then, or were open."""

    portfolio: Portfolio
    day: np.datetime64
    counted: DayOfOrders
    orders: tuple[Order, ...]
    """The newest of them, MOST_ORDERS at most."""
    names: Mapping[str, str]
    """Of the portfolios that told them, by id."""

    @property
    def start(self) -> float:
        """Return the beginning of the day, epoch seconds."""
        return float(self.day.astype("datetime64[s]").astype(np.int64))

    @property
    def open(self) -> int:
        """Return how many of the orders may still be filled."""
        return sum(many for status, many in self.counted.by_status.items() if status in OPEN)

    def strategy(self, each: Order) -> str:
        """Return what an order was for, by name where it is a portfolio."""
        return self.names.get(each.strategy, each.strategy)


@dataclass(frozen=True, slots=True)
class Step:
    """One step in the life of an order."""

    name: str
    at: float
    """Epoch seconds."""
    took: float
    """Seconds since the step before; NaN of the first. Below 0: the steps are out of order."""


@dataclass(frozen=True, slots=True)
class Called:
    """The order of an id, of each portfolio that has one, and the fills that name it."""

    id: str
    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]
    """The first of them, MOST_FILLS at most."""
    fill_count: int
    names: Mapping[str, str]


def blotter(
    stores: Stores, portfolio: Portfolio, limits: Limits, as_of: np.datetime64 | None, narrowed: Mapping[str, str]
) -> Blotter | None:
    """Return the orders of the newest day that has any, up to `as_of` where that is given; None: none were told.

    narrowed: by some of NARROWED_BY; of an instrument it is the newest day that has orders of it, where one has. Raises
    StorageUnavailable, StorageRejected.
    """
    whole = fund(stores, portfolio.origin).seen(limits)
    ids = tellers(stores, whole, portfolio.origin, portfolio.id, "orders")
    origin, clickhouse = portfolio.origin, stores.clickhouse
    asked = {name: value for name, value in narrowed.items() if name in NARROWED_BY and value}
    until = LAST_MICROSECOND if as_of is None else _microseconds(as_of + 1)
    newest = newest_order(clickhouse, origin, ids, until, asked.get("instrument", "")) if ids else None
    if newest is None and ids and "instrument" in asked:
        newest = newest_order(clickhouse, origin, ids, until)
    if newest is None:
        return None
    day = np.datetime64(newest // (DAY_SECONDS * MICROSECONDS), "D")
    start, end = _microseconds(day), _microseconds(day + 1)
    return Blotter(
        portfolio, day, day_of_orders(clickhouse, origin, ids, start, end, asked),
        tuple(orders_of_day(clickhouse, origin, ids, start, end, asked, MOST_ORDERS)), names_of(whole, ids),
    )  # fmt: skip


def misfits(stores: Stores, portfolio: Portfolio, limits: Limits) -> Odd:
    """Return what of all orders and fills of a portfolio does not fit each other; without orders nothing is said."""
    whole, origin = fund(stores, portfolio.origin).seen(limits), portfolio.origin
    of_orders, of_trades = (tellers(stores, whole, origin, portfolio.id, table) for table in ("orders", "trades"))
    ids = sorted({*of_orders, *of_trades})
    if not of_orders or not of_trades:
        return Odd()
    key = (origin, *ids, *(stamp_of(stores.clickhouse, origin, table, ids) for table in ("orders", "trades")))
    memo = _ODD.setdefault(stores.clickhouse, Memo(ODD_KEPT))
    return memo.get(key, lambda: odd(stores.clickhouse, origin, ids))


def called(stores: Stores, portfolio: Portfolio, limits: Limits, id: str) -> Called | None:
    """Return the orders of an id and the fills that name it; None: there are none."""
    if not 0 < len(id) <= LONGEST_ID:
        return None
    whole = fund(stores, portfolio.origin).seen(limits)
    tables = ("orders", "trades")
    ids = {each for table in tables for each in tellers(stores, whole, portfolio.origin, portfolio.id, table)}
    if not ids:
        return None
    orders = orders_called(stores.clickhouse, portfolio.origin, sorted(ids), id)
    fills, many = fills_called(stores.clickhouse, portfolio.origin, sorted(ids), id, MOST_FILLS)
    if not orders and not fills:
        return None
    return Called(id, tuple(orders), tuple(fills), many, names_of(whole, ids))


def _microseconds(day: np.datetime64) -> int:
    return int(day.astype("datetime64[us]").astype(np.int64))


def life(order: Order) -> list[Step]:
    """Return what an order went through, as far as it and its fills tell."""
    known = {name: getattr(order, name) for name, _ in LIFE}
    firsts = [each for each in (known["first_filled_at"], order.filled.first_at) if each]
    known["first_filled_at"] = min(firsts, default=0)
    known["last_filled_at"] = max(known["last_filled_at"], order.filled.last_at)
    moments = [(name, known[field] / MICROSECONDS) for field, name in LIFE if known[field]]
    return [
        Step(order.status if name == "ended" else name, at, at - moments[place - 1][1] if place else np.nan)
        for place, (name, at) in enumerate(moments)
    ]


def said_of_odd(found: Odd) -> list[tuple[int, str, str]]:
    """Return what does not fit as (how many, of what, what is wrong), where there is any."""
    told = (
        (found.of_no_order, "fill", "without an order"),
        (found.of_unknown_order, "fill", "of an order that nobody told of"),
        (found.before_order, "order", "filled before being placed"),
        (found.overfilled, "order", "filled beyond what was ordered"),
        (found.of_another, "order", "with fills of another instrument or side"),
    )
    return [each for each in told if each[0]]
