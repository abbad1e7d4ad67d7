"""What the page of benchmarks and rates shows, as read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.currency import Pair, pair_of
from portfolio.series.reference import Catalogue, catalogue
from storage.clickhouse.reads.portfolio import PriceSpan, price_spans
from storage.state.portfolios import Portfolio, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

OWN = "own"


@dataclass(frozen=True, slots=True)
class Facts:
    """Series, blends and rates of the fund's own data."""

    known: Catalogue
    spans: dict[str, PriceSpan]
    """By symbol."""
    portfolios: list[Portfolio]

    @property
    def currencies(self) -> list[str]:
        """Return the currency of every portfolio, once."""
        return sorted({each.currency for each in self.portfolios})

    @property
    def pairs(self) -> list[Pair]:
        """Return the pairs of currencies that have prices."""
        return [pair for symbol in self.known.series if (pair := pair_of(symbol)) is not None]

    def users(self, key: str) -> list[str]:
        """Return the names of the portfolios whose benchmark this is."""
        return [each.name for each in self.portfolios if each.benchmark == key]

    def lacking(self) -> list[str]:
        """Return, in words, which portfolios cannot be added up or compared for want of a rate."""
        by_id = {each.id: each for each in self.portfolios}
        wanted: dict[Pair, list[str]] = {}
        for each in self.portfolios:
            above = by_id.get(each.parent)
            beside = self.known.series.get(each.benchmark)
            if above is not None and above.currency != each.currency:
                wanted.setdefault(Pair(each.currency, above.currency), []).append(f"{each.name} in {above.name}")
            if beside is not None and beside.currency not in ("", each.currency):
                told = f"{beside.name} beside {each.name}"
                wanted.setdefault(Pair(beside.currency, each.currency), []).append(told)
        return [f"{pair}: {', '.join(of)}" for pair, of in wanted.items() if not self._leads(pair)]

    def _leads(self, pair: Pair) -> bool:
        """Return whether there is a way from one currency to the other, through at most one more."""
        steps = {(a, b) for known in self.pairs for a, b in (known, known[::-1])}
        return tuple(pair) in steps or any((pair.base, b) in steps and (b, pair.quote) in steps for _, b in steps)


def facts(stores: Stores) -> Facts:
    """Return what there is. Raises StorageUnavailable or StorageRejected."""
    spans = {each.instrument: each for each in price_spans(stores.clickhouse, OWN)}
    return Facts(catalogue(stores, OWN), spans, list_portfolios(stores.state, OWN))
