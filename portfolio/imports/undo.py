"""Undoing an import: what it added goes, what it replaced comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import UndoRejected
from portfolio.imports.take import ORIGIN, table_of
from storage.clickhouse.import_rows import NAV, Imported, parts
from storage.clickhouse.undo_rows import undo_import
from storage.state.imports import (
    TAKEN,
    TAKING,
    UNDOING,
    UNDONE,
    Import,
    change_import,
    created_names,
    find_import,
)
from storage.state.portfolios import remove_unused
from storage.state.series import remove_series
from storage.stores import Stores


@dataclass(frozen=True, slots=True)
class UndoResult:
    """What was undone: how many rows the import had, and the portfolios that went with it."""

    item: Import
    removed: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Return how many rows were taken back."""
        return self.item.rows

    def __str__(self) -> str:
        gone = f"; {', '.join(self.removed)} removed" if self.removed else ""
        back = f", {self.item.restated} values back as they were" if self.item.restated else ""
        return f"import {self.item.id} ({self.item.name}) undone: {self.item.added} rows removed{back}{gone}"


def undo(stores: Stores, number: int, who: str = "") -> UndoResult:
    """Undo the import of this number, whole. It may be called again when it was cut off.

    Raises UndoRejected when there is nothing to undo, StorageUnavailable or StorageRejected.
    """
    item = find_import(stores.state, number)
    if item is None:
        raise UndoRejected(f"there is no import {number}: `python -m collectors imports` lists them")
    if item.outcome == UNDONE:
        raise UndoRejected(f"import {number} ({item.name}) is undone already")
    if item.outcome not in (TAKEN, TAKING, UNDOING):
        raise UndoRejected(f"import {number} ({item.name}) was {item.outcome}: nothing of it was taken")
    if not item.version:
        raise UndoRejected(f"import {number} ({item.name}) does not say which rows it brought: it cannot be undone")
    change_import(stores.state, number, outcome=UNDOING)
    into = table_of(item.kind)
    undo_import(stores.clickhouse, into, ORIGIN, item.names, item.version, item.first, item.last)
    if into is NAV:
        removed = remove_unused(stores.state, ORIGIN, _empty(stores, into, created_names(stores.state, item.names)))
    else:
        removed = _empty(stores, into, item.names)
        remove_series(stores.state, ORIGIN, removed)
    change_import(stores.state, number, outcome=UNDONE, undone=stores.clock.now(), undone_by=who[:80])
    stores.live.bump("portfolio")
    return UndoResult(item, tuple(removed))


def _empty(stores: Stores, into: Imported, names: Sequence[str]) -> list[str]:
    """Return those of `names` that have no row now."""
    sql = f"""
        SELECT DISTINCT {into.name} FROM {into.table}
        WHERE origin = {{origin:String}} AND {into.name} IN {{names:Array(String)}}
    """
    left: set[str] = set()
    for part in parts(names):
        left |= {
            str(name) for (name,) in stores.clickhouse.rows(sql, {"origin": ORIGIN, "names": part}, kind="undo import")
        }
    return [name for name in names if name not in left]
