"""What the page of benchmarks and rates shows, as read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.currency import Pair, pair_of
from portfolio.allowed import Limits, seen
from portfolio.fund import Fund
from portfolio.histories import exchange, fund
from portfolio.series.exchange import Exchange
from portfolio.series.reference import Catalogue, catalogue
from storage.clickhouse.reads.prices import PriceSpan, price_spans
from storage.state.portfolios import OWN, Portfolio, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores


@dataclass(frozen=True, slots=True)
class Facts:
    """Series, blends and rates of the fund's own data."""

    known: Catalogue
    spans: dict[str, PriceSpan]
    """By symbol."""
    portfolios: list[Portfolio]
    fund: Fund
    exchange: Exchange

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
        wanted: dict[Pair, list[str]] = {}
        for each in self.portfolios:
            for pair, told in (*self._added_up(each), *self._beside(each)):
                if told not in wanted.setdefault(pair, []):
                    wanted[pair].append(told)
        return [f"{pair}: {', '.join(of)}" for pair, of in wanted.items() if not self.exchange.path(*pair)]

    def _added_up(self, whole: Portfolio) -> list[tuple[Pair, str]]:
        """Return what the parts of a portfolio are converted with: each that has values, straight to its currency."""
        found = [self.fund.tree[id] for part in self.fund.parts(whole.id) for id in self.fund.sources(part.id)]
        return [
            (Pair(each.currency, whole.currency), f"{each.name} in {whole.name}")
            for each in found
            if each.currency != whole.currency
        ]

    def _beside(self, portfolio: Portfolio) -> list[tuple[Pair, str]]:
        """Return what the benchmark of a portfolio is converted with: a blend's parts first, then the blend."""
        own, blend = portfolio.currency, self.known.blends.get(portfolio.benchmark)
        into = (blend.currency if blend else "") or own
        symbols = [symbol for symbol, _ in blend.parts] if blend else [portfolio.benchmark]
        series = [found for symbol in symbols if (found := self.known.series.get(symbol)) is not None]
        told = f"in {blend.name}" if blend and blend.currency else f"beside {portfolio.name}"
        steps = [(each.currency, into, f"{each.name} {told}") for each in series]
        if blend and blend.currency:
            steps.append((blend.currency, own, f"{blend.name} beside {portfolio.name}"))
        return [(Pair(one, other), words) for one, other, words in steps if one not in ("", other)]


def facts(stores: Stores, limits: Limits) -> Facts:
    """Return what there is: series are shared by all, portfolios those that may be seen.

    Raises StorageUnavailable or StorageRejected.
    """
    spans = {each.instrument: each for each in price_spans(stores.clickhouse, OWN)}
    portfolios = seen(list_portfolios(stores.state, OWN), limits)
    return Facts(catalogue(stores, OWN), spans, portfolios, fund(stores, OWN).seen(limits), exchange(stores, OWN))
