"""Values of a portfolio that were taken although they were doubted: its page says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from portfolio.allowed import A_FILE, Limits
from portfolio.imports.doubts import DoubtedRow, doubts_from_json
from portfolio.tree.names import ids_by_name
from storage.state.database import State
from storage.state.imports import Import, doubted_imports
from storage.state.portfolios import OWN, Portfolio


@dataclass(frozen=True, slots=True)
class AcceptedDoubts:
    """The doubted rows of a portfolio that an import brought, which stands."""

    item: Import
    rows: tuple[DoubtedRow, ...]


def accepted_doubts(state: State, portfolio: Portfolio, limits: Limits) -> Sequence[AcceptedDoubts]:
    """Return what was taken of a portfolio although it was doubted, oldest import first. Raises StorageUnavailable.

    Under limits the name of the file is not told: it may be that of another portfolio.
    """
    if portfolio.origin != OWN:
        return ()
    ids = ids_by_name(state)
    found = []
    for item in doubted_imports(state):
        rows = {
            (row.ts, row.value): row
            for doubt in doubts_from_json(item.doubts)
            for row in doubt.rows
            if ids.get(row.name, row.name) == portfolio.id
        }
        if rows:
            told = item if limits is None else replace(item, name=A_FILE)
            found.append(AcceptedDoubts(told, tuple(rows[key] for key in sorted(rows))))
    return found
