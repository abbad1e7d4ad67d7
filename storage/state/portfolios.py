"""The fund's tree as decided: which portfolios there are, their benchmark, and where their data comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.currency import ASSUMED_CURRENCY
from core.portfolios import RULES, mistakes
from storage.state.database import State, known_names, portfolios, upsert
from storage.state.limits import forget_in_limits

OWN = "own"
"""Origin of the fund's own portfolios and instruments."""
NOT_TRADED = ("sample", "replay")
"""The other origins. Any further one is a word of a program's, or of a Prometheus."""


@dataclass(frozen=True, slots=True)
class Portfolio:
    """A node of the fund's tree. `origin` is own, sample or replay; ids of different origins never meet.

    What each field may be is in core/portfolios.py. Raises ValueError that names the field that cannot be.
    """

    origin: str
    id: str
    name: str
    parent: str = ""
    """Id of the portfolio of the same origin that this one is part of; empty: it is a root."""
    benchmark: str = ""
    """Instrument whose prices it is measured against; empty: none."""
    currency: str = ASSUMED_CURRENCY
    note: str = ""
    position: int = 0
    periods_per_year: int = 0
    """Returns a year; 0: found from the data."""
    inception: str = ""
    """First day, as 2020-01-31: values before it are left out. Empty: its first value."""
    ended: str = ""
    """Last day: values after it are left out, and none is expected any more. Empty: it goes on."""
    frequency: str = ""
    """How often it is valued: D, W, M or Q. Empty: found from the data."""
    calendar: str = ""
    """Days on which a value is expected: weekdays, 7-day, the code of an exchange. Empty: found from the data."""
    strategy: str = ""
    colour: str = ""
    """Series 1 to 6 of the charts' colours; empty: by its place among those compared."""
    management_fee: str = ""
    """Percent of the value a year. Empty, as of the next six: nobody said."""
    management_accrual: str = ""
    """One of core.portfolios.ACCRUALS; empty: daily."""
    performance_fee: str = ""
    """Percent of what is gained."""
    hurdle: str = ""
    """Percent a year that is gained before a performance fee is due."""
    high_water_mark: str = ""
    """yes or no; empty: yes."""
    crystallisation: str = ""
    """month, quarter, halfyear or year, at whose end a performance fee is paid; empty: year."""
    nav_is: str = ""
    """net or gross of these fees; empty: net."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.id) <= 64:
            raise ValueError(f"id {self.id[:80]!r} of a portfolio: give 1 to 64 characters")
        if self.parent == self.id:
            raise ValueError(f"parent of portfolio {self.id} is itself: name another one, or none")
        for name, give in mistakes({rule.name: getattr(self, rule.name) for rule in RULES}).items():
            raise ValueError(f"{name} {str(getattr(self, name))[:130]!r} of portfolio {self.id}: {give}")


def list_portfolios(state: State, origin: str | None = None) -> list[Portfolio]:
    """Return the portfolios of `origin` (all when None): own before replay before sample, then by position."""
    with state.reading() as connection:
        return portfolios_in(connection, origin)


def portfolios_in(connection: Connection, origin: str | None = None) -> list[Portfolio]:
    """Do what `list_portfolios` does as part of a transaction."""
    query = sa.select(portfolios).order_by(portfolios.c.origin, portfolios.c.position, portfolios.c.id)
    if origin is not None:
        query = query.where(portfolios.c.origin == origin)
    return [Portfolio(**row._mapping) for row in connection.execute(query)]


def parents_in(connection: Connection, origin: str) -> dict[str, str]:
    """Return the id of what each portfolio of `origin` is part of, by its id; empty: it is part of none."""
    query = sa.select(portfolios.c.id, portfolios.c.parent).where(portfolios.c.origin == origin)
    return {row.id: row.parent for row in connection.execute(query)}


def put_portfolios(state: State, items: Sequence[Portfolio]) -> None:
    """Add portfolios, replacing those with the same origin and id.

    Raises ValueError, and adds none, when a parent is unknown or a portfolio would be part of itself.
    """
    with state.begin() as connection:
        put_into(connection, items)


def put_into(connection: Connection, items: Sequence[Portfolio]) -> None:
    """Do what `put_portfolios` does as part of a transaction."""
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
        connection.execute(sa.delete(known_names).where(known_names.c.portfolio.in_(gone)))
        return gone


def list_known_names(state: State) -> dict[str, str]:
    """Return the id of the own portfolio that each name of another time stands for."""
    with state.reading() as connection:
        return names_in(connection)


def names_in(connection: Connection) -> dict[str, str]:
    """Do what `list_known_names` does as part of a transaction."""
    return {row.name: row.portfolio for row in connection.execute(sa.select(known_names))}


def know_as(connection: Connection, names: Mapping[str, str]) -> None:
    """Remember that each name stands for the own portfolio of this id."""
    rows = [{"name": name, "portfolio": id} for name, id in names.items()]
    upsert(connection, known_names, rows)


def forget_name(connection: Connection, name: str) -> None:
    """Let a name stand for no portfolio any more."""
    connection.execute(sa.delete(known_names).where(known_names.c.name == name))


def forget_portfolio(connection: Connection, id: str) -> None:
    """Remove an own portfolio and the names it was known by; no limit means what gets its id next."""
    forget_in_limits(connection, id)
    connection.execute(sa.delete(known_names).where(known_names.c.portfolio == id))
    connection.execute(sa.delete(portfolios).where(portfolios.c.origin == OWN, portfolios.c.id == id))
