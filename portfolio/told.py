"""How the figures of a portfolio came about, where that is not by its own values in its own currency alone."""

from __future__ import annotations

from core.format import count, first_of, noun
from portfolio.data import PortfolioData, whole_history_in
from portfolio.given import said_of
from portfolio.series.exchange import spans


def told(data: PortfolioData) -> list[str]:
    """Return a sentence for each: what is set of the portfolio, its parts, its benchmark, its risk-free rate."""
    return [*_parts(data), *_ended(data.own.told), *_converted(data), *_benchmark(data), *_risk_free(data)]


def _parts(data: PortfolioData) -> list[str]:
    name, fund = data.own.name, data.fund
    if data.own.made_of:
        names = [fund.tree[id].name for id in data.own.made_of]
        parts = f"its {count(len(names), 'part')}" if len(names) > 1 else "its part"
        return [f"{name} is the sum of {parts}: {first_of(names)}.", *_built(data), *_exchanged(data)]
    if data.own.built:
        return _built(data)
    alone = fund.days_of_parts_alone(data.portfolio.id)
    if data.query.as_of is not None:
        alone = alone[alone <= data.query.as_of]
    if not len(alone) or not len(data.nav):
        return []
    return [f"{name} has values of its own, which count; those of its parts alone do not: {spans(alone)}."]


def _built(data: PortfolioData) -> list[str]:
    """Return whose values are built from trades, and from when on."""
    tree, said = data.fund.tree, []
    for each in (tree[id] for id in data.own.built):
        days = data.fund.history(each.id, said_of(each)).nav.dates
        said.append(f"{each.name} reports no values: they are built from its trades, transactions and prices, "
                    f"from {days[0]} on.")  # fmt: skip
    return said


def _exchanged(data: PortfolioData) -> list[str]:
    """Return of each other currency among the parts what is converted with which rates."""
    into, told = data.portfolio.currency, []
    of = {each.name: each.currency for each in (data.fund.tree[id] for id in data.own.made_of)}
    for currency in sorted({*of.values()} - {into}):
        path = data.fund.exchange().path(currency, into)
        names = [name for name, its in of.items() if its == currency]
        if path:
            told.append(f"Converted from {currency} to {into} with {' and '.join(map(str, path))}: {first_of(names)}.")
    return told


def _converted(data: PortfolioData) -> list[str]:
    """Return what of the parts of a portfolio with values of its own has no rate to its currency."""
    if data.own.made_of:
        return []
    own = [line for line in data.family if line.portfolio and line.portfolio.parent == data.portfolio.id]
    lost = [line for part in own for line in whole_history_in(data, part, data.family_currency).told]
    return [f"Contribution and shares: {line}." for line in dict.fromkeys(lost)]


def _benchmark(data: PortfolioData) -> list[str]:
    if data.reference is None or data.benchmark is None:
        return []
    return [*_ended(data.reference.told), *_assumed(data.reference.assumed, data.portfolio.currency)]


def _assumed(names: tuple[str, ...], currency: str) -> list[str]:
    if not names:
        return []
    do = noun(len(names), "does not say its currency", "do not say their currency")
    return [f"{first_of(names)} {do}: taken for {currency}."]


def _risk_free(data: PortfolioData) -> list[str]:
    if data.query.risk_free is not None or not data.risk_free.is_set:
        return []
    said = [f"Risk-free rate: {data.risk_free.said}."]
    missing = data.risk_free.missing(data.part.dates)
    if len(missing):
        share = f"{len(missing):,} of the {max(len(data.part) - 1, 0):,} {data.units} shown"
        said.append(f"It is not known in {share}: ratios leave their returns out.")
    return said


def _ended(lines: tuple[str, ...]) -> list[str]:
    return [line if line.endswith(".") else f"{line}." for line in lines]
