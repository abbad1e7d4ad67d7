"""The fund's tree as decided: which portfolios there are, their benchmark, and where their data comes from."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from storage.state import State, imports, portfolios, upsert


@dataclass(frozen=True, slots=True)
class Portfolio:
    """A node of the fund's tree. `origin` is own, sample or replay; ids of different origins never meet."""

    origin: str
    id: str
    name: str
    parent: str = ""
    benchmark: str = ""
    currency: str = "USD"
    note: str = ""
    position: int = 0


@dataclass(frozen=True, slots=True)
class Import:
    """A file that was taken or refused."""

    imported: float
    name: str
    sha256: str
    rows: int
    outcome: str
    detail: str = ""


def list_portfolios(state: State, origin: str | None = None) -> list[Portfolio]:
    """Return the portfolios of `origin` (all when None): own before replay before sample, then by position."""
    query = sa.select(portfolios).order_by(portfolios.c.origin, portfolios.c.position, portfolios.c.id)
    if origin is not None:
        query = query.where(portfolios.c.origin == origin)
    with state.begin() as connection:
        return [Portfolio(**row._mapping) for row in connection.execute(query)]


def put_portfolios(state: State, items: Sequence[Portfolio]) -> None:
    """Add portfolios, replacing those with the same origin and id."""
    with state.begin() as connection:
        upsert(connection, portfolios, [asdict(item) for item in items])


def add_missing_portfolios(state: State, items: Sequence[Portfolio]) -> None:
    """Add the portfolios whose origin and id are not there yet; the others stay as a person left them."""
    with state.begin() as connection:
        there = {(row.origin, row.id) for row in connection.execute(sa.select(portfolios.c.origin, portfolios.c.id))}
        upsert(connection, portfolios, [asdict(item) for item in items if (item.origin, item.id) not in there])


def remove_origin(state: State, origin: str) -> int:
    """Remove every portfolio of `origin` and return how many there were."""
    with state.begin() as connection:
        return connection.execute(sa.delete(portfolios).where(portfolios.c.origin == origin)).rowcount


def record_import(state: State, name: str, sha256: str, rows: int, outcome: str, detail: str = "") -> None:
    """Remember that a file was taken or refused."""
    with state.begin() as connection:
        connection.execute(
            sa.insert(imports).values(
                imported=time.time(), name=name, sha256=sha256, rows=rows, outcome=outcome, detail=detail
            )
        )


def recent_imports(state: State, limit: int = 20) -> list[Import]:
    """Return the newest imports, newest first."""
    query = sa.select(imports).order_by(imports.c.id.desc()).limit(limit)
    with state.begin() as connection:
        return [
            Import(row.imported, row.name, row.sha256, row.rows, row.outcome, row.detail)
            for row in connection.execute(query)
        ]


def was_imported(state: State, name: str) -> bool:
    """Return whether something of this name was ever taken, refused or removed."""
    query = sa.select(imports.c.id).where(imports.c.name == name).limit(1)
    with state.begin() as connection:
        return connection.execute(query).first() is not None
