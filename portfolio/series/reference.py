"""What a portfolio can stand beside: instruments, blends, money at a rate; each as a track in a currency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.calendar import Dates
from analytics.performance import Track
from core.currency import CASH, pair_of
from core.format import first_of
from portfolio.histories import account, exchange, instruments, kept, price_track
from portfolio.series.blend import blended
from portfolio.series.exchange import converted_prices, spans
from portfolio.series.rates import constant, usual_day_count
from storage.state.series import Blend, DayCount, RiskFree, Series, list_blends, list_risk_free, list_series

if TYPE_CHECKING:
    from storage.stores import Stores

BLEND = "blend:"
"""Before the id of a blend: its key is never the symbol of an instrument."""
KNOWN = {"SP500": ("S&P 500", "USD")}
"""Name and currency of instruments of which nobody said them, where the symbol does not."""
_NO_DAYS: Dates = np.array([], dtype="datetime64[D]")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything of an origin that a portfolio can stand beside, or be converted with."""

    series: dict[str, Series]
    """Of each symbol that has values."""
    blends: dict[str, Blend]
    """By key."""
    risk_free: dict[str, RiskFree]
    """By currency."""

    def name(self, key: str) -> str:
        """Return what a benchmark is called; one that is not there by its key."""
        found = self.blends.get(key) or self.series.get(key)
        return found.name if found else instrument_name(key)

    def key(self, said: str) -> str:
        """Return the key of what is called `said`: itself, or that of the blend of this id or name; else as it is."""
        if said in self.series or said in self.blends:
            return said
        return next((key for key, each in self.blends.items() if said in (each.id, each.name)), said)

    def benchmarks(self) -> list[str]:
        """Return the key of everything that can be a benchmark: blends, then instruments and rates, by symbol."""
        return [*self.blends, *(symbol for symbol, each in self.series.items() if each.kind != "fx")]


@dataclass(frozen=True, eq=False, slots=True)
class Reference:
    """A benchmark in a currency."""

    name: str
    track: Track
    none: Dates = field(default_factory=lambda: _NO_DAYS)
    """Days whose price is zero or negative: it is none, and left out."""
    told: tuple[str, ...] = ()
    """How it came to be in that currency, and what could not be done."""
    assumed: tuple[str, ...] = ()
    """Names of the instruments in it that do not say their currency: they are taken for that one."""


def instrument_name(key: str) -> str:
    """Return what a benchmark is called of which only the key is known."""
    return KNOWN[key][0] if key in KNOWN else key.removeprefix(BLEND)


def catalogue(stores: Stores, origin: str) -> Catalogue:
    """Return what there is of an origin. Raises StorageUnavailable or StorageRejected."""
    return kept(stores, ("catalogue", origin), lambda: _catalogue(stores, origin))


def _catalogue(stores: Stores, origin: str) -> Catalogue:
    decided = {each.symbol: each for each in list_series(stores.state, origin)}
    return Catalogue(
        {symbol: decided.get(symbol) or _undecided(origin, symbol) for symbol in instruments(stores, origin)},
        {BLEND + each.id: each for each in list_blends(stores.state, origin)},
        {each.currency: each for each in list_risk_free(stores.state, origin)},
    )


def reference(stores: Stores, origin: str, key: str, currency: str) -> Reference:
    """Return a benchmark in a currency, with an empty track when it has no values.

    Where a currency is not known, or there is no way from one to the other, it stays as it is, and that is told.
    Raises StorageUnavailable or StorageRejected.
    """
    make = lambda: _reference(stores, catalogue(stores, origin), origin, key, currency)  # noqa: E731
    return kept(stores, ("reference", origin, key, currency), make)


def _reference(stores: Stores, known: Catalogue, origin: str, key: str, currency: str) -> Reference:
    blend = known.blends.get(key)
    if blend is not None:
        return _of_blend(stores, known, blend, currency)
    series = known.series.get(key)
    if series is None:
        return Reference(known.name(key), _nothing())
    if series.kind == "rate":
        found = Reference(series.name, account(stores, origin, key, _day_count(series)))
    else:
        prices = price_track(stores, origin, key)
        found = Reference(series.name, prices.track, prices.none)
    return _in_currency(stores, origin, found, series.currency, currency)


def _of_blend(stores: Stores, known: Catalogue, blend: Blend, currency: str) -> Reference:
    into = blend.currency or currency
    found = [
        (symbol, _reference(stores, known, blend.origin, symbol, into)) for symbol, _ in blend.parts if symbol != CASH
    ]
    parts = dict(found)
    told = [line for _, part in found for line in part.told]
    empty = [symbol for symbol, part in found if not len(part.track)]
    if empty:
        told.append(f"{blend.name} has no values: there are none of {first_of(empty)}")
        return Reference(blend.name, _nothing(), told=tuple(told))
    if not found:
        told.append(f"{blend.name} is cash alone, which has no days of its own: use a series of rates")
        return Reference(blend.name, _nothing(), told=tuple(told))
    if any(symbol == CASH for symbol, _ in blend.parts):
        cash, said = _cash(stores, known, blend.origin, into, [part.track for _, part in found])
        parts[CASH] = Reference(CASH, cash)
        told.append(f"{blend.name}: cash earns {said}")
    tracks = [parts[symbol].track for symbol, _ in blend.parts]
    index = blended(tracks, [weight / 100.0 for _, weight in blend.parts], blend.rebalancing)
    none: Dates = np.unique(np.concatenate([part.none for part in parts.values()]))
    assumed = tuple(name for part in parts.values() for name in part.assumed)
    made = Reference(blend.name, index, none, tuple(dict.fromkeys(told)), assumed)
    return _in_currency(stores, blend.origin, made, into, currency) if blend.currency else made


def _cash(stores: Stores, known: Catalogue, origin: str, currency: str, others: Sequence[Track]) -> tuple[Track, str]:
    """Return what cash of a currency grows to beside one track or more, and at what."""
    rate = known.risk_free.get(currency)
    series = known.series.get(rate.series) if rate is not None else None
    if series is not None and series.kind == "rate":
        return account(stores, origin, series.symbol, _day_count(series)), series.name
    percent = rate.percent if rate is not None and not rate.series else 0.0
    first, last = min(track.dates[0] for track in others), max(track.dates[-1] for track in others)
    why = ""
    if rate is None:
        why = f": {currency or 'its currency'} has no risk-free rate yet"
    elif rate.series:
        why = f": {rate.series}, set for {currency}, {'has no rates' if series is None else 'is no series of rates'}"
    return constant(percent, first, last), f"{percent:g} % a year{why}"


def _in_currency(stores: Stores, origin: str, found: Reference, own: str, currency: str) -> Reference:
    if not currency or own == currency or not len(found.track):
        return found
    if not own:
        return replace(found, assumed=(*found.assumed, found.name))
    rates = exchange(stores, origin)
    path = rates.path(own, currency)
    if not path:
        line = f"{found.name} is in {own}, not in {currency}: there are no prices of {own}{currency} to convert it with"
        return replace(found, told=(*found.told, line))
    at = rates.rates(own, currency, found.track.dates)
    lost = found.track.dates[~np.isfinite(at)]
    told = [f"{found.name} is converted from {own} to {currency} with {' and '.join(map(str, path))}"]
    if len(lost):
        told.append(f"there is no rate on {spans(lost)}: left out")
    return replace(found, track=converted_prices(found.track, at), told=(*found.told, "; ".join(told)))


def _undecided(origin: str, symbol: str) -> Series:
    pair = pair_of(symbol)
    if pair is not None:
        return Series(origin, symbol, symbol, "fx", pair.quote)
    name, currency = KNOWN.get(symbol, (symbol, ""))
    return Series(origin, symbol, name, currency=currency)


def _day_count(series: Series) -> DayCount:
    return series.day_count or usual_day_count(series.currency)


def _nothing() -> Track:
    nothing = np.array([], dtype=np.float64)
    return Track(_NO_DAYS, nothing, nothing)
