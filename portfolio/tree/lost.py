"""Portfolios that have values and are not in the tree: a kill, or a state database from before, left them out of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from core.errors import StorageError
from core.format import count
from portfolio.tree.settings import CURRENCY_NOT_TOLD
from storage.clickhouse.portfolio_rows import reported_portfolios
from storage.state.changes import unfinished_in
from storage.state.portfolios import OWN, Portfolio, names_in, portfolios_in, put_into

if TYPE_CHECKING:
    from storage.stores import Stores

LONGEST_ID = 64
FOUND = "Found among the values at a start."
"""In the note of a portfolio that was put back."""

log = logging.getLogger(__name__)


def put_back(stores: Stores) -> list[str]:
    """Add the own portfolios that have values and no entry, tell them in one line, and return their ids.

    Those that were merged into another one, or are being changed, are left alone. While ClickHouse does not answer
    nothing is put back. Raises StorageUnavailable or StorageRejected of the state database.
    """
    try:
        there = [name for name in reported_portfolios(stores.clickhouse, OWN) if 1 <= len(name) <= LONGEST_ID]
    except StorageError as error:
        log.warning("whether portfolios with values lack an entry is not known: %s", error)
        return []
    with stores.state.deciding() as connection:
        known = {each.id: each.position for each in portfolios_in(connection, OWN)}
        left = set(known) | set(names_in(connection))
        left |= {name for each in unfinished_in(connection) for name in (each.portfolio, each.into)}
        first = 1 + max(known.values(), default=-1)
        lost = [name for name in there if name not in left]
        put_into(connection, [_entry(id, at) for at, id in enumerate(lost, first)])
    if lost:
        log.warning("%s with values had no entry and got one: %s", count(len(lost), "portfolio"), ", ".join(lost))
        stores.live.bump("portfolio")
    return lost


def _entry(id: str, position: int) -> Portfolio:
    return Portfolio(OWN, id, id, position=position, note=f"{FOUND} {CURRENCY_NOT_TOLD}")
