"""Who changed what of the fund's tree, its benchmarks and rates, and what is still being done of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.state.audit import Entry, add_entry
from storage.state.database import State, portfolio_changes

OF_SERIES, OF_BLEND, OF_RATE = "series", "blend", "rate"
"""What a change is that is none of the tree: of a series, a blend, a risk-free rate."""
DROPPING, MOVING, CLEARING, DONE = "dropping", "moving", "clearing", "done"
"""Stages. A process that ended in the middle leaves another one than `done`: the same change goes on from there."""
TOLD = {
    "add": "portfolio added", "set": "portfolio changed", "merge": "portfolio merged", "delete": "portfolio deleted",
    OF_SERIES: "series changed", OF_BLEND: "blend changed", OF_RATE: "risk-free rate changed",
}  # fmt: skip
"""What a change is called in the audit."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of an own portfolio, or of a series, a blend or a risk-free rate. `at` is in epoch seconds."""

    at: float
    who: str
    portfolio: str
    """Its id; the symbol of a series, the id of a blend, the currency of a rate."""
    what: str
    """add, set, merge or delete; of what is no portfolio what it is."""
    detail: str = ""
    """What was changed, in words."""
    into: str = ""
    """Of a merge: the id of the portfolio that it became part of."""
    wins: str = ""
    """Of a merge: the id of the portfolio whose values stay on days that both have."""
    stage: str = DONE
    id: int = 0


def record_change(connection: Connection, change: Change) -> int:
    """Remember a change as part of the transaction that makes it, in the audit too, and return its number."""
    values = {name: value for name, value in asdict(change).items() if name != "id"}
    values["who"] = change.who[:80]
    add_entry(
        connection,
        Entry(change.at, change.who, TOLD[change.what], change.portfolio, detail=change.detail),
    )
    (number,) = connection.execute(sa.insert(portfolio_changes).values(**values)).inserted_primary_key or (0,)
    return int(number)


def set_stage(connection: Connection, number: int, stage: str) -> None:
    """Remember how far a change has come."""
    which = portfolio_changes.c.id == number
    connection.execute(sa.update(portfolio_changes).where(which).values(stage=stage))


def unfinished_in(connection: Connection) -> list[Change]:
    """Return the changes that are going on or were cut off, oldest first."""
    query = sa.select(portfolio_changes).where(portfolio_changes.c.stage != DONE).order_by(portfolio_changes.c.id)
    return [Change(**row._mapping) for row in connection.execute(query)]


def unfinished_changes(state: State) -> list[Change]:
    """Return the changes that are going on or were cut off, oldest first."""
    with state.reading() as connection:
        return unfinished_in(connection)


def recent_changes(state: State, limit: int = 20) -> list[Change]:
    """Return the newest changes, newest first."""
    query = sa.select(portfolio_changes).order_by(portfolio_changes.c.id.desc()).limit(limit)
    with state.reading() as connection:
        return [Change(**row._mapping) for row in connection.execute(query)]


def changed_by_hand(state: State) -> set[str]:
    """Return the ids of the portfolios that somebody has changed."""
    of_tree = portfolio_changes.c.what.not_in((OF_SERIES, OF_BLEND, OF_RATE))
    with state.reading() as connection:
        return set(connection.execute(sa.select(portfolio_changes.c.portfolio).where(of_tree).distinct()).scalars())
