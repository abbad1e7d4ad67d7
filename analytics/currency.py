"""What currencies did to a return: local return, currency and their product; and currency apart from markets."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from analytics.block import Floats
from analytics.inputs import numbers, positive


@dataclass(frozen=True, eq=False)
class CurrencySplit:
    """Parts of returns, or of profit and loss, in base currency; they add up to it."""

    local: Floats
    currency: Floats
    """The rate's own return on what was there at the start."""
    cross: Floats
    """The rate's return on what was gained or lost locally."""

    @property
    def total(self) -> Floats:
        """Return the returns in base currency."""
        return self.local + self.currency + self.cross


@dataclass(frozen=True, eq=False)
class CurrencyEffects:
    """Effects by market; they add up to R − B of log returns when the weights of each side add up to the same."""

    allocation: Floats
    selection: Floats
    interaction: Floats
    currency: Floats
    """By currency: being more or less in it than the benchmark, hedges counted."""

    @property
    def total(self) -> float:
        """Return all effects of all markets."""
        return float((self.allocation + self.selection + self.interaction + self.currency).sum())


def currency_split(local: ArrayLike, rate_start: ArrayLike, rate_end: ArrayLike, weights: ArrayLike) -> CurrencySplit:
    """Return weight × the local return, the currency's e, and their product: the plain form, exact in every period.

    rates: base currency for a unit of the local one, at the start and the end. Raises ValueError when lengths differ,
    a value is missing or a rate is not above 0.
    """
    held = numbers("weights", weights)
    gained = numbers("local", local, *held.shape)
    start, end = (
        positive(name, given, *held.shape) for name, given in (("rate_start", rate_start), ("rate_end", rate_end))
    )
    moved = end / start - 1.0
    return CurrencySplit(held * gained, held * moved, held * gained * moved)


def currency_pnl(pnl: ArrayLike, before: ArrayLike, rate_start: ArrayLike, rate_end: ArrayLike) -> CurrencySplit:
    """Return parts of profit and loss in base currency; they add up to it, whatever was bought or sold meanwhile.

    before: value at the start. With e the rate's return and P = what was gained locally, at the rate of the start:
    P&L = P (1 + e) + before · e, so local P = (P&L − before · e) / (1 + e), currency before · e, cross P · e. What was
    paid meanwhile counts at the rate of the end. Raises ValueError as `currency_split` does.
    """
    gained = numbers("pnl", pnl)
    held = numbers("before", before, *gained.shape)
    start, end = (
        positive(name, given, *gained.shape) for name, given in (("rate_start", rate_start), ("rate_end", rate_end))
    )
    moved = end / start - 1.0
    local = (gained - held * moved) / (1.0 + moved)
    return CurrencySplit(local, held * moved, local * moved)


def karnosky_singer(
    weights: ArrayLike,
    benchmark_weights: ArrayLike,
    local: ArrayLike,
    benchmark_local: ArrayLike,
    cash: ArrayLike,
    moved: ArrayLike,
    currency_weights: ArrayLike | None = None,
    benchmark_currency_weights: ArrayLike | None = None,
) -> CurrencyEffects:
    """Return effects of markets apart from those of currencies (Karnosky & Singer 1994), each (markets,).

    A market is judged by its premium l − c over its currency's cash rate c, a currency by what its cash earned in base
    currency, c + e: who hedges pays the difference of the cash rates. Returns, `cash` and `moved` (e) are logs of a
    period, in which the two add up; currency weights are asset weights plus hedges, without hedges the former.
    allocation (w − W)(P − ΣWP), selection W (p − P), interaction (w − W)(p − P), currency (h − H)(c + e − ΣH(c + e)).
    """
    own = numbers("weights", weights, None)
    count = len(own)
    other = numbers("benchmark_weights", benchmark_weights, count)
    rate = numbers("cash", cash, count)
    premium = numbers("local", local, count) - rate
    passive = numbers("benchmark_local", benchmark_local, count) - rate
    earned = rate + numbers("moved", moved, count)
    held = own if currency_weights is None else numbers("currency_weights", currency_weights, count)
    given = benchmark_currency_weights
    usual = other if given is None else numbers("benchmark_currency_weights", given, count)
    return CurrencyEffects(
        allocation=(own - other) * (passive - other @ passive),
        selection=other * (premium - passive),
        interaction=(own - other) * (premium - passive),
        currency=(held - usual) * (earned - usual @ earned),
    )
