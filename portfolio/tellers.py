"""Which portfolios told of trades or orders: a portfolio itself, else those that it is the sum of."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from portfolio.fund import Fund
from portfolio.holdings import below, holders
from storage.clickhouse.reads.trades import tellers_of

if TYPE_CHECKING:
    from storage.stores import Stores


def tellers(stores: Stores, whole: Fund, origin: str, portfolio: str, table: str) -> tuple[str, ...]:
    """Return the portfolios whose rows of a table (trades, orders) are those of `portfolio`, all the way down."""
    there = tellers_of(stores.clickhouse, origin, table, [portfolio, *below(whole, portfolio)])
    return tuple(holders(whole, portfolio, there))


def names_of(whole: Fund, ids: Collection[str]) -> dict[str, str]:
    """Return the names of portfolios by id."""
    return {id: whole.tree[id].name if id in whole.tree else id for id in ids}
