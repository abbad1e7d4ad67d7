"""What a benchmark is made of, step by step: weights at the start of each, drifted since they were told, and returns.

Weights are those that were told (kind benchmark_weights); of a blend of which none were told, those that it is made by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.block import Floats
from analytics.calendar import Dates, carried
from core.clock import DAY_SECONDS
from core.currency import CASH
from core.format import count, first_of
from portfolio.histories import exchange
from portfolio.series.blend import restored_at
from portfolio.series.reference import catalogue
from storage.clickhouse.reads.constituents import weights_told
from storage.clickhouse.reads.prices import daily_prices_many
from storage.state.series import Blend, Series, list_series

if TYPE_CHECKING:
    from storage.stores import Stores

LONGEST_DAYS = 7
"""How long a price stands in for the days after it."""
WEIGHT_OFF = 0.005
"""What told weights may differ from a whole by rounding."""


@dataclass(frozen=True, eq=False, slots=True)
class Constituents:
    """A benchmark in steps, (steps, instruments)."""

    days: Dates
    """(steps + 1,), the first is the day that the first step begins with."""
    about: tuple[Series, ...]
    weights: Floats
    """At the start of each step."""
    returns: Floats
    """Of each step, in the currency asked for; 0 where there is no price."""
    told: tuple[str, ...]
    """What must be known of them."""

    @property
    def whole(self) -> Floats:
        """Return the return of all of them, a step each."""
        return np.asarray((self.weights * self.returns).sum(axis=1))


@dataclass(frozen=True, eq=False, slots=True)
class _Sets:
    """Weights as they were set: `at` is the place in `days` of the set that each step starts with."""

    instruments: tuple[str, ...]
    targets: Floats
    """(steps, instruments)."""
    since: Dates
    """(steps,) the day from which on they drift."""
    said: tuple[str, ...] = ()


def constituents(stores: Stores, origin: str, key: str, currency: str, days: Dates) -> Constituents | None:
    """Return what a benchmark is made of between `days`, in a currency; None: nobody told.

    Days before the first weights are left out. Raises StorageUnavailable or StorageRejected.
    """
    known = catalogue(stores, origin)
    blend = known.blends.get(key)
    names = [key, *([blend.id] if blend is not None else [])]
    first, last = (int(day.astype("datetime64[s]").astype(np.int64)) for day in days[[0, -1]])
    times, instruments, weights = weights_told(
        stores.clickhouse, origin, names, first + DAY_SECONDS - 1, last + DAY_SECONDS - 1
    )
    if len(times):
        days, sets = _of_told(times, tuple(instruments), weights, days)
    elif blend is not None:
        sets = _of_blend(stores, origin, blend, days)
    else:
        return None
    if len(days) < 2:
        return None
    decided = {each.symbol: each for each in list_series(stores.state, origin)}
    about = tuple(decided.get(name) or Series(origin, name, name) for name in sets.instruments)
    return _drifted(stores, sets, about, currency, days)


def _of_told(times: np.ndarray, instruments: tuple[str, ...], weights: Floats, days: Dates) -> tuple[Dates, _Sets]:
    """Return the days from the first report on, and the newest report of each step's start."""
    told = (times // DAY_SECONDS).astype("datetime64[D]")
    days = days[days >= told[0]]
    at = np.searchsorted(told, days[:-1], side="right") - 1
    sums = weights.sum(axis=1)
    off = np.flatnonzero(np.abs(sums - 1.0) > WEIGHT_OFF)
    said = []
    if len(off):
        which = first_of([f"{100 * sums[place]:.4g} % on {told[place]}" for place in off.tolist()])
        said.append(f"Told weights do not add up to 100 %: {which}. The rest counts as cash.")
    return days, _Sets(instruments, weights[at], told[at], tuple(said))


def _of_blend(stores: Stores, origin: str, blend: Blend, days: Dates) -> _Sets:
    names = tuple(symbol for symbol, _ in blend.parts if symbol != CASH)
    target = np.array([weight / 100.0 for symbol, weight in blend.parts if symbol != CASH])
    prices = daily_prices_many(stores.clickhouse, origin, names)
    every = prices.days[(prices.values > 0).all(axis=0)]
    said: tuple[str, ...] = ()
    if len(names) < len(blend.parts):
        said = (f"{blend.name}: its cash counts without interest here.",)
    if not len(every):
        return _Sets(names, np.tile(target, (len(days) - 1, 1)), days[:-1], said)
    ends = np.minimum(np.searchsorted(every, days[1:]), len(every) - 1)
    since = np.minimum(every[restored_at(every, blend.rebalancing)[ends]], days[:-1])
    return _Sets(names, np.tile(target, (len(days) - 1, 1)), since, said)


def _drifted(stores: Stores, sets: _Sets, about: Sequence[Series], currency: str, days: Dates) -> Constituents:
    prices = daily_prices_many(stores.clickhouse, about[0].origin, sets.instruments)
    rates = exchange(stores, about[0].origin)
    starts, ends, before = (np.full((len(days) - 1, len(about)), np.nan) for _ in range(3))
    for at, each in enumerate(about):
        there = prices.values[at] > 0
        own = prices.days[there]
        level = prices.values[at][there]
        if each.currency and each.currency != currency:
            level = level * rates.rates(each.currency, currency, own)
        starts[:, at], ends[:, at] = _known(own, level, days[:-1]), _known(own, level, days[1:])
        before[:, at] = _known(own, level, sets.since)
    with np.errstate(divide="ignore", invalid="ignore"):
        grown, returns = starts / before, ends / starts - 1.0
    is_priced = np.isfinite(returns) & np.isfinite(grown)
    value = sets.targets * np.where(np.isfinite(grown), grown, 1.0)
    whole = value.sum(axis=1, keepdims=True) + 1.0 - sets.targets.sum(axis=1, keepdims=True)
    weights = value / np.where(whole > 0, whole, 1.0)
    lost = np.flatnonzero(((weights != 0) & ~is_priced).any(axis=0))
    said = list(sets.said)
    if len(lost):
        names = first_of([sets.instruments[place] for place in lost.tolist()])
        said.append(f"{count(len(lost), 'constituent')} without a price on some days, counted as 0 there: {names}.")
    return Constituents(days, tuple(about), weights, np.where(is_priced, returns, 0.0), tuple(said))


def _known(dates: Dates, level: Floats, days: Dates) -> Floats:
    """Return the last price on or before each day, NaN where it is older than a week."""
    found = carried(dates, level, days)
    on = carried(dates, dates.astype(np.int64).astype(np.float64), days, -np.inf)
    return np.where(days.astype(np.int64) - on <= LONGEST_DAYS, found, np.nan)
