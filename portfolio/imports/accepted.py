"""Values of a portfolio that were taken although they were doubted: its page says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portfolio.allowed import A_FILE, Limits
from portfolio.imports.doubts import DoubtedRow, doubts_from_json
from portfolio.tree.names import ids_by_name
from storage.state.database import State
from storage.state.imports import doubted_imports
from storage.state.portfolios import OWN, Portfolio
from storage.state.sent_rows import doubted_sent


@dataclass(frozen=True, slots=True)
class AcceptedDoubts:
    """The doubted rows of a portfolio that an import brought, which stands, or that a program sent."""

    source: str
    """What brought them, in words."""
    rows: tuple[DoubtedRow, ...]


def accepted_doubts(state: State, portfolio: Portfolio, limits: Limits) -> Sequence[AcceptedDoubts]:
    """Return what was taken of a portfolio although it was doubted: of imports, then of programs, oldest first.

    Under limits neither the name of the file is told, which may be that of another portfolio, nor who sent it. Raises
    StorageUnavailable.
    """
    if portfolio.origin != OWN:
        return ()
    ids = ids_by_name(state)
    found = []
    brought = [
        (f"import {item.id} ({item.name if limits is None else A_FILE})", item.doubts)
        for item in doubted_imports(state)
    ]
    brought += [
        (f"rows sent by {each.who}" if limits is None and each.who else "rows that were sent", each.doubts)
        for each in doubted_sent(state)
    ]
    by_source: dict[str, dict[tuple[int, float], DoubtedRow]] = {}
    for source, doubts in brought:
        rows = by_source.setdefault(source, {})
        for row in (row for doubt in doubts_from_json(doubts) for row in doubt.rows):
            if ids.get(row.name, row.name) == portfolio.id:
                rows[row.ts, row.value] = row
    for source, rows in by_source.items():
        if rows:
            found.append(AcceptedDoubts(source, tuple(rows[key] for key in sorted(rows))))
    return found
