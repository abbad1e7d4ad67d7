"""What an import makes beside its values: the portfolios that there are none of, and what is known of its series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from core.currency import ASSUMED_CURRENCY, pair_of
from portfolio.imports.understand import day
from portfolio.series.rates import usual_day_count
from portfolio.tree.settings import CURRENCY_NOT_TOLD
from storage.state.portfolios import OWN, Portfolio
from storage.state.series import Kind, Series, list_series, put_series

if TYPE_CHECKING:
    from portfolio.imports.chain import Chained
    from portfolio.imports.points import Points
    from portfolio.imports.understand import Understood
    from storage.stores import Stores


def new_portfolios(
    points: Points, created: Sequence[str], understood: Understood, chained: Chained | None, first: int
) -> list[Portfolio]:
    """Return the portfolios that are created, placed from `first` on: after those that are there."""
    currencies = dict(understood.currencies)
    begun = dict(chained.begun) if chained else {}
    return [
        Portfolio(
            OWN,
            id,
            id,
            currency=currencies.get(id, ASSUMED_CURRENCY),
            note=" ".join(
                [
                    *([f"Index of its returns, 100 on {day(begun[id])}."] if id in begun else []),
                    *([CURRENCY_NOT_TOLD] if id not in currencies else []),
                ]
            ),
            position=position,
        )
        for position, id in enumerate(points.names, first)
        if id in created
    ]


def tell_series(stores: Stores, understood: Understood, chained: Chained | None) -> None:
    """Add what the file tells of series that nothing is known of, and the currency of those that have none."""
    assert understood.points is not None
    known = {each.symbol: each for each in list_series(stores.state, OWN)}
    currencies = dict(understood.currencies)
    begun = dict(chained.begun) if chained else {}
    told = []
    for symbol in understood.points.names:
        found = _new_series(symbol, currencies.get(symbol, ""), understood, begun.get(symbol))
        old = known.get(symbol)
        if old is None:
            told.append(found)
        elif not old.currency and found.currency:
            told.append(replace(old, currency=found.currency))
    put_series(stores.state, told)


def _new_series(symbol: str, currency: str, understood: Understood, begun: int | None) -> Series:
    pair = pair_of(symbol) if understood.kind == "prices" else None
    if understood.kind == "rates":
        return Series(OWN, symbol, symbol, "rate", currency, usual_day_count(currency))
    if pair is not None:
        return Series(OWN, symbol, symbol, "fx", pair.quote)
    note = "" if begun is None else f"Index of its returns, 100 on {day(begun)}"
    kind: Kind = "total_return" if understood.is_total_return else "price"
    return Series(OWN, symbol, symbol, kind, currency, note=note)
