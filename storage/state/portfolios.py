"""The fund's tree as decided: which portfolios there are, their benchmark, and where their data comes from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.state.database import State, portfolios, upsert

TRADING_DAYS = 252
MOST_PERIODS = 366
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Portfolio:
    """A node of the fund's tree. `origin` is own, sample or replay; ids of different origins never meet.

    Raises ValueError that names the field that cannot be.
    """

    origin: str
    id: str
    name: str
    parent: str = ""
    """Id of the portfolio of the same origin that this one is part of; empty: it is a root."""
    benchmark: str = ""
    """Instrument whose prices it is measured against; empty: none."""
    currency: str = "USD"
    note: str = ""
    position: int = 0
    periods_per_year: int = TRADING_DAYS
    """Days a year on which it has a return: 252 on exchanges' trading days, 365 when every day counts."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.id) <= 64:
            raise ValueError(f"id {self.id[:80]!r} of a portfolio: give 1 to 64 characters")
        if not 1 <= len(self.name) <= 120:
            raise ValueError(f"name {self.name[:130]!r} of portfolio {self.id}: give 1 to 120 characters")
        if self.parent == self.id:
            raise ValueError(f"parent of portfolio {self.id} is itself: name another one, or none")
        if not _CURRENCY.fullmatch(self.currency):
            raise ValueError(f"currency {self.currency!r} of portfolio {self.id}: give three capitals such as USD")
        if not 1 <= self.periods_per_year <= MOST_PERIODS:
            raise ValueError(
                f"periods_per_year {self.periods_per_year} of portfolio {self.id}: give 1 to {MOST_PERIODS}, "
                f"{TRADING_DAYS} for trading days"
            )


def list_portfolios(state: State, origin: str | None = None) -> list[Portfolio]:
    """Return the portfolios of `origin` (all when None): own before replay before sample, then by position."""
    query = sa.select(portfolios).order_by(portfolios.c.origin, portfolios.c.position, portfolios.c.id)
    if origin is not None:
        query = query.where(portfolios.c.origin == origin)
    with state.begin() as connection:
        return [Portfolio(**row._mapping) for row in connection.execute(query)]


def put_portfolios(state: State, items: Sequence[Portfolio]) -> None:
    """Add portfolios, replacing those with the same origin and id.

    Raises ValueError, and adds none, when a parent is unknown or a portfolio would be part of itself.
    """
    with state.begin() as connection:
        _check_parents(connection, items)
        upsert(connection, portfolios, [asdict(item) for item in items])


def _check_parents(connection: Connection, items: Sequence[Portfolio]) -> None:
    """Raise ValueError unless the tree is one with `items` in it."""
    query = sa.select(portfolios.c.origin, portfolios.c.id, portfolios.c.parent)
    parents = {(row.origin, row.id): row.parent for row in connection.execute(query)}
    parents |= {(item.origin, item.id): item.parent for item in items}
    for item in items:
        if item.parent and (item.origin, item.parent) not in parents:
            raise ValueError(f"parent {item.parent!r} of portfolio {item.id} is no portfolio of {item.origin}: add it")
        seen, above = {item.id}, item.parent
        while above:
            if above in seen:
                raise ValueError(f"parent {item.parent!r} of portfolio {item.id} is part of it: name another one")
            seen.add(above)
            above = parents.get((item.origin, above), "")


def add_missing_portfolios(state: State, items: Sequence[Portfolio]) -> list[Portfolio]:
    """Add the portfolios whose origin and id are not there yet, and return those.

    The others stay as a person left them.
    """
    with state.begin() as connection:
        there = {(row.origin, row.id) for row in connection.execute(sa.select(portfolios.c.origin, portfolios.c.id))}
        missing = [item for item in items if (item.origin, item.id) not in there]
        upsert(connection, portfolios, [asdict(item) for item in missing])
        return missing


def remove_origin(state: State, origin: str) -> int:
    """Remove every portfolio of `origin` and return how many there were."""
    with state.begin() as connection:
        return connection.execute(sa.delete(portfolios).where(portfolios.c.origin == origin)).rowcount


def remove_unused(state: State, origin: str, ids: Sequence[str]) -> list[str]:
    """Remove these portfolios, apart from those that others are part of, and return which were removed."""
    with state.begin() as connection:
        query = sa.select(portfolios.c.parent).where(portfolios.c.origin == origin)
        parents = set(connection.execute(query).scalars())
        gone = [id for id in ids if id not in parents]
        connection.execute(sa.delete(portfolios).where(portfolios.c.origin == origin, portfolios.c.id.in_(gone)))
        return gone
