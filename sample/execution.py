"""How the sample fund's orders were carried out: times, brokers, venues, fills, and orders that came to nothing.

Closes are all that is known of a day, so all of this is made up, the same for the same orders: an order's money, as
`fund` has it, is what its fills sum to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from sample.fund import Fund
from sample.instruments import INSTRUMENTS
from sample.prices import Floats
from sample.strategies import STRATEGIES

Integers = NDArray[np.int64]

MICROSECONDS = 1_000_000
NEW_YORK = ZoneInfo("America/New_York")
SESSION_MICROSECONDS = (6 * 60 + 30) * 60 * MICROSECONDS
DECIDED_BEFORE_OPEN = 45 * 60 * MICROSECONDS
BROKERS = ("IB", "Prime")
BROKER_OF = np.array([0, 1, 1, 0])
"""By strategy."""
ON_CLOSE = np.array([False, True, True, False])
"""By strategy: its orders wait for the auction at the close; those of others are worked over the session."""
ACKNOWLEDGED_MICROSECONDS = np.array([12_000.0, 5_000.0])
"""Median by broker."""
SLOW_SHARE, SLOW_TIMES = 0.004, 60.0
REJECTED_SHARE, CANCELLED_SHARE = 0.012, 0.010
REASONS = ("buying power exceeded", "price outside of the band", "no shares to borrow", "symbol halted")
REPLACED = "replaced by a new order"
MOST_FILLS = 5
SHARES_A_FILL = 40
FILL_DEVIATION = 0.0005
"""Standard deviation of fills' prices around their average, as a ratio."""
ARRIVAL_DEVIATION = 0.004
FEES_SHARE = 0.25
"""Of what a fill costs: exchange's and state's; the rest is the broker's commission."""
OTHER_VENUES = ("BATS", "EDGX", "IEX")
PRIMARY_SHARE = 0.6


@dataclass(frozen=True)
class Sent:
    """Orders as they were sent, a column each, times in microseconds since 1970 (0: it did not happen)."""

    order: Integers
    """Of which of the fund's orders."""
    attempt: NDArray[np.str_]
    """Empty: the order itself; R: rejected before it was sent again, C: cancelled before."""
    decided: Integers
    submitted: Integers
    acknowledged: Integers
    first_filled: Integers
    last_filled: Integers
    ended: Integers
    arrival: Floats
    reason: NDArray[np.str_]
    status: NDArray[np.str_]


@dataclass(frozen=True)
class Fills:
    """Fills, a column each; `order` says of which of the fund's orders, `number` counts those of one from 1."""

    order: Integers
    number: Integers
    at: Integers
    quantity: Floats
    price: Floats
    commission: Floats
    fees: Floats
    venue: NDArray[np.str_]


def carried_out(fund: Fund, rows: Integers) -> tuple[Sent, Fills]:
    """Return how the orders of these numbers were carried out."""
    opens = _opens(tuple(fund.prices.dates[fund.orders.day[rows]].astype(str).tolist()))
    submitted, acknowledged = _sent(fund, rows, opens)
    fills = _fills(fund, rows, opens, acknowledged)
    own = _own(fund, rows, opens, submitted, acknowledged, fills)
    return _joined(own, _attempts(fund, rows, own)), fills


@lru_cache(maxsize=8)
def _opens(dates: tuple[str, ...]) -> Integers:
    """Return when New York opened on each of the dates."""
    known = {
        date: int(datetime.fromisoformat(f"{date}T09:30").replace(tzinfo=NEW_YORK).timestamp()) for date in set(dates)
    }
    return np.array([known[date] * MICROSECONDS for date in dates], dtype=np.int64)


def _sent(fund: Fund, rows: Integers, opens: Integers) -> tuple[Integers, Integers]:
    """Return when orders were submitted and acknowledged."""
    strategy = fund.orders.strategy[rows]
    share = 0.15 + 0.8 * _uniform(fund, rows, 1) * np.where(ON_CLOSE[strategy], 1.0, 0.25)
    submitted = opens + (share * SESSION_MICROSECONDS).astype(np.int64)
    latency = ACKNOWLEDGED_MICROSECONDS[BROKER_OF[strategy]] * np.exp(0.6 * _normal(fund, rows, 2))
    latency = np.where(_uniform(fund, rows, 4) < SLOW_SHARE, SLOW_TIMES, 1.0) * latency
    return submitted, submitted + latency.astype(np.int64)


def _fills(fund: Fund, rows: Integers, opens: Integers, acknowledged: Integers) -> Fills:
    orders = fund.orders
    done = np.flatnonzero(orders.filled[rows])
    of = rows[done]
    size = np.abs(orders.quantity[of])
    most = np.minimum(MOST_FILLS, 1 + size // SHARES_A_FILL)
    counts = np.minimum(1 + (_uniform(fund, of, 5) * most), np.minimum(most, size)).astype(np.int64)
    order, place = np.repeat(of, counts), np.repeat(np.arange(len(of)), counts)
    first = np.cumsum(counts) - counts
    number = np.arange(len(order)) - first[place] + 1
    quantity = size[place] // counts[place] + (number <= (size % counts)[place])
    price = _prices(fund, order, number, place, quantity, counts)
    cost = orders.commission[order] * quantity / size[place]
    return Fills(
        order, number, _filled_at(fund, order, number, counts[place], opens[done][place], acknowledged[done][place]),
        quantity, price, cost - cost * FEES_SHARE, cost * FEES_SHARE, _venues(fund, order, number),
    )  # fmt: skip


def _prices(
    fund: Fund, order: Integers, number: Integers, place: Integers, quantity: Floats, counts: Integers
) -> Floats:
    """Return fills' prices: around their order's price, which they average to, none beyond its limit."""
    own = fund.orders.price[order]
    off = FILL_DEVIATION * _normal(fund, order, 6, number) * ~ON_CLOSE[fund.orders.strategy[order]]
    size = np.bincount(place, weights=quantity)
    off -= (np.bincount(place, weights=quantity * off) / size)[place] if len(order) else 0.0
    beyond = own * (1.0 + off) > fund.orders.limit[order]
    off = np.where((np.bincount(place, weights=beyond, minlength=len(counts)) > 0)[place], 0.0, off)
    prices: Floats = own * (1.0 + off)
    return prices


def _filled_at(
    fund: Fund, order: Integers, number: Integers, counts: Integers, opens: Integers, acknowledged: Integers
) -> Integers:
    """Return when fills were: seconds after the close in the auction, else over the rest of the session."""
    closes = opens + SESSION_MICROSECONDS
    in_auction = closes + (number * (0.2 + 2.0 * _uniform(fund, order, 8)) * MICROSECONDS).astype(np.int64)
    share = (number - 1 + 0.05 + 0.9 * _uniform(fund, order, 9, number)) / counts
    worked = acknowledged + (share * 0.98 * (closes - acknowledged)).astype(np.int64)
    return np.where(ON_CLOSE[fund.orders.strategy[order]], in_auction, worked)


def _venues(fund: Fund, order: Integers, number: Integers) -> NDArray[np.str_]:
    primary = np.array([INSTRUMENTS[name].venue for name in fund.prices.instruments])[fund.orders.instrument[order]]
    other = np.array(OTHER_VENUES)[(_uniform(fund, order, 10, number) * len(OTHER_VENUES)).astype(np.int64)]
    is_primary = ON_CLOSE[fund.orders.strategy[order]] | (_uniform(fund, order, 11, number) < PRIMARY_SHARE)
    return np.where(is_primary, primary, other)


def _own(
    fund: Fund, rows: Integers, opens: Integers, submitted: Integers, acknowledged: Integers, fills: Fills
) -> Sent:
    orders = fund.orders
    first_filled, last_filled = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
    place = np.searchsorted(rows, fills.order)
    np.maximum.at(last_filled, place, fills.at)
    first_filled[place[::-1]] = fills.at[::-1]
    filled = orders.filled[rows]
    day, instrument = orders.day[rows], orders.instrument[rows]
    last, close = fund.prices.close[day - 1, instrument], fund.prices.close[day, instrument]
    share = (submitted - opens) / SESSION_MICROSECONDS
    noise = ARRIVAL_DEVIATION * np.sqrt(share * (1.0 - share)) * _normal(fund, rows, 12)
    return Sent(
        order=rows,
        attempt=np.full(len(rows), ""),
        decided=opens - DECIDED_BEFORE_OPEN,
        submitted=submitted,
        acknowledged=acknowledged,
        first_filled=first_filled,
        last_filled=last_filled,
        ended=np.where(filled, 0, opens + SESSION_MICROSECONDS),
        arrival=(last + (close - last) * share) * (1.0 + noise),
        reason=np.full(len(rows), ""),
        status=np.where(filled, "filled", "expired"),
    )


def _attempts(fund: Fund, rows: Integers, own: Sent) -> Sent:
    """Return orders that were rejected, or cancelled, before the one that counts was sent."""
    chance = _uniform(fund, rows, 13)
    at = np.flatnonzero(chance < REJECTED_SHARE + CANCELLED_SHARE)
    rejected = chance[at] < REJECTED_SHARE
    minutes = np.where(rejected, 0.3 + _uniform(fund, rows[at], 14), 5.0 + 15.0 * _uniform(fund, rows[at], 14))
    before = own.submitted[at] - (minutes * 60 * MICROSECONDS).astype(np.int64)
    latency = own.acknowledged[at] - own.submitted[at]
    ended = np.where(rejected, before + latency, own.submitted[at] - 2 * MICROSECONDS)
    reasons = np.array(REASONS)[(_uniform(fund, rows[at], 15) * len(REASONS)).astype(np.int64)]
    never = np.zeros(len(at), dtype=np.int64)
    return Sent(
        order=rows[at],
        attempt=np.where(rejected, "R", "C"),
        decided=own.decided[at],
        submitted=before,
        acknowledged=np.where(rejected, 0, before + latency),
        first_filled=never,
        last_filled=never,
        ended=ended,
        arrival=own.arrival[at],
        reason=np.where(rejected, reasons, REPLACED),
        status=np.where(rejected, "rejected", "cancelled"),
    )


def _joined(one: Sent, other: Sent) -> Sent:
    """Return the rows of both, in the order of the fund's orders, attempts before what they came to."""
    names = Sent.__dataclass_fields__
    both = Sent(**{name: np.concatenate([getattr(other, name), getattr(one, name)]) for name in names})
    order = np.argsort(both.order, kind="stable")
    return Sent(**{name: getattr(both, name)[order] for name in names})


def _normal(fund: Fund, rows: Integers, salt: int, number: Integers | int = 0) -> Floats:
    """Return what looks like standard normal numbers; `salt` and the one after it are used."""
    radius = np.sqrt(-2.0 * np.log1p(-_uniform(fund, rows, salt, number)))
    normal: Floats = radius * np.cos(2.0 * np.pi * _uniform(fund, rows, salt + 1, number))
    return normal


def _uniform(fund: Fund, rows: Integers, salt: int, number: Integers | int = 0) -> Floats:
    """Return what looks like random numbers in [0, 1), the same for the same order, salt and number.

    SplitMix64 (Steele, Lea and Flood, 2014) of the order's day, strategy and instrument: cutting history short changes
    none of them.
    """
    orders = fund.orders
    seed = ((orders.day[rows] * len(STRATEGIES) + orders.strategy[rows]) * 1_000 + orders.instrument[rows]) * 1_000
    mixed = (seed + salt * 20 + number).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    uniform: Floats = ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / 2.0**53
    return uniform
