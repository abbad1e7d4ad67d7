"""Undoing an import: what it added goes, what it replaced comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import UndoRejected
from core.format import count, noun
from portfolio.imports.take import ONE_AT_A_TIME, table_of
from portfolio.ingest.trace import NOT_UNDONE, is_of_rows
from storage.clickhouse.import_rows import NAV, Imported, parts
from storage.clickhouse.undo_rows import UndoEffect, undo_effect, undo_import
from storage.state.changes import changed_by_hand
from storage.state.database import Transaction
from storage.state.imports import (
    OF_NAV,
    SAMPLE_FUND,
    TAKEN,
    TAKING,
    UNDOING,
    UNDONE,
    Import,
    busy_names,
    change_import,
    created_names,
    import_in,
    standing_imports,
    start_undo,
)
from storage.state.portfolios import OWN, list_portfolios, remove_unused
from storage.state.series import remove_series
from storage.stores import Stores


@dataclass(frozen=True, slots=True)
class UndoResult:
    """What was undone: how many rows the import had, and the portfolios that went with it."""

    item: Import
    removed: tuple[str, ...]
    """Portfolios."""
    effect: UndoEffect
    later: tuple[int, ...] = ()
    """Numbers of later imports of the same rows, which stand."""

    @property
    def rows(self) -> int:
        """Return how many rows were taken back."""
        return self.effect.removed

    def __str__(self) -> str:
        gone = f"; {', '.join(self.removed)} removed" if self.removed else ""
        what = f"import {self.item.id} ({self.item.name}) undone"
        back = f", {count(self.effect.restored, 'value')} back as they were" if self.effect.restored else ""
        rows = f"{count(self.effect.removed, 'row')} removed" if self.effect.removed else "no row removed"
        if self.item.detail:
            # Of what was merged or deleted since, nobody knows why other rows of it are not there.
            return f"{what}: {rows}{back}{gone} ({self.item.detail})"
        return ". ".join([f"{what}: {rows}{back}{gone}", *self._why()])

    def _why(self) -> list[str]:
        """Return why rows of the import stay, a sentence each."""
        why = []
        anew = self.item.rows - self.effect.standing
        if anew > 0 and self.later:
            numbers = ", ".join(map(str, self.later))
            imports = noun(len(self.later), "import")
            why.append(f"{count(anew, 'row')} of it came again with {imports} {numbers}, and stay")
        if self.effect.same:
            why.append(f"{count(self.effect.same, 'row')} of it had been there before it, and stay")
        return why


def undo(stores: Stores, number: int, who: str = "") -> UndoResult:
    """Undo the import of this number, whole. It may be called again when it was cut off.

    Raises UndoRejected when there is nothing to undo, StorageUnavailable or StorageRejected.
    """
    with ONE_AT_A_TIME:
        return _undo(stores, number, who)


def _undo(stores: Stores, number: int, who: str) -> UndoResult:
    with stores.state.deciding() as connection:
        item = _undoable(connection, number)
        start_undo(connection, number)
    into = table_of(item.kind)
    effect = undo_effect(stores.clickhouse, into, OWN, item.names, item.version)
    undo_import(stores.clickhouse, into, OWN, item.names, item.version, item.first, item.last)
    if into is NAV:
        removed = remove_unused(stores.state, OWN, _empty(stores, into, _brought(stores, item)))
    else:
        removed = _empty(stores, into, item.names)
        remove_series(stores.state, OWN, removed)
    change_import(stores.state, number, outcome=UNDONE, undone=stores.clock.now(), undone_by=who[:80])
    stores.live.bump("portfolio")
    stores.live.bump("imports")
    return UndoResult(item, tuple(removed), effect, _later(stores, item, into))


def _later(stores: Stores, item: Import, into: Imported) -> tuple[int, ...]:
    """Return the later imports that stand and say something of the same days of the same portfolios."""
    return tuple(
        each.id
        for each in standing_imports(stores.state)
        if each.version > item.version
        and table_of(each.kind) is into
        and set(each.names) & set(item.names)
        and each.first <= item.last
        and item.first <= each.last
    )


def _undoable(connection: Transaction, number: int) -> Import:
    """Return the import of this number. Raises UndoRejected, with what to do, when it cannot be undone."""
    item = import_in(connection, number)
    if item is None:
        raise UndoRejected(f"there is no import {number}: `python -m collectors imports` lists them")
    what = f"import {number} ({item.name})"
    if item.name == SAMPLE_FUND and not item.version:
        raise UndoRejected(f"{what} is the sample fund: `python -m sample remove` takes it away")
    if item.outcome == UNDONE:
        raise UndoRejected(f"{what} is undone already")
    if item.outcome not in (TAKEN, TAKING, UNDOING):
        raise UndoRejected(f"{what} was {item.outcome}: nothing of it was taken")
    if is_of_rows(item):
        raise UndoRejected(f"{what} cannot be undone: {NOT_UNDONE}")
    if not item.version:
        raise UndoRejected(f"{what} does not say which rows it brought: it cannot be undone")
    if not item.names:
        raise UndoRejected(f"nothing is left of {what}: {item.detail}")
    busy = busy_names(connection, item.names) if item.kind in OF_NAV else []
    if busy:
        raise UndoRejected(f"{what}: {busy[0]} is being merged or deleted: finish that first")
    return item


def _brought(stores: Stores, item: Import) -> list[str]:
    """Return the portfolios of an import that imports brought, and that nobody has changed or added to."""
    decided = changed_by_hand(stores.state) | {each.parent for each in list_portfolios(stores.state, OWN)}
    return [name for name in created_names(stores.state, item.names) if name not in decided]


def _empty(stores: Stores, into: Imported, names: Sequence[str]) -> list[str]:
    """Return those of `names` that have no row now."""
    sql = f"""
        SELECT DISTINCT {into.name} FROM {into.table}
        WHERE origin = {{origin:String}} AND {into.name} IN {{names:Array(String)}}
    """
    left: set[str] = set()
    for part in parts(names):
        left |= {
            str(name) for (name,) in stores.clickhouse.rows(sql, {"origin": OWN, "names": part}, kind="undo import")
        }
    return [name for name in names if name not in left]
