"""Undoing an import: what it added goes, what it replaced comes back."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import UndoRejected
from core.format import count
from portfolio.imports.take import ONE_AT_A_TIME, ORIGIN
from storage.clickhouse.import_rows import NAV, PRICES, Imported, parts
from storage.clickhouse.undo_rows import UndoEffect, undo_effect, undo_import
from storage.state.imports import (
    TAKEN,
    TAKING,
    UNDOING,
    UNDONE,
    Import,
    change_import,
    created_names,
    find_import,
    standing_imports,
)
from storage.state.portfolios import remove_unused
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
        back = f", {count(self.effect.restored, 'value')} back as they were" if self.effect.restored else ""
        rows = f"{count(self.effect.removed, 'row')} removed" if self.effect.removed else "no row removed"
        told = [f"import {self.item.id} ({self.item.name}) undone: {rows}{back}{gone}", *self._why()]
        return ". ".join(told)

    def _why(self) -> list[str]:
        """Return why rows of the import stay, a sentence each."""
        why = []
        anew = self.item.rows - self.effect.standing
        if anew > 0 and self.later:
            numbers = ", ".join(map(str, self.later))
            plural = "s" if len(self.later) > 1 else ""
            why.append(f"{count(anew, 'row')} of it came again with import{plural} {numbers}, and stay")
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
    into = PRICES if item.kind == "prices" else NAV
    effect = undo_effect(stores.clickhouse, into, ORIGIN, item.names, item.version)
    undo_import(stores.clickhouse, into, ORIGIN, item.names, item.version, item.first, item.last)
    removed = remove_unused(stores.state, ORIGIN, _empty(stores, item)) if item.kind != "prices" else []
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
        and (each.kind == "prices") == (into is PRICES)
        and set(each.names) & set(item.names)
        and each.first <= item.last
        and item.first <= each.last
    )


def _empty(stores: Stores, item: Import) -> list[str]:
    """Return the portfolios of an import that imports brought, and that have no NAV now."""
    sql = "SELECT DISTINCT portfolio FROM nav WHERE origin = {origin:String} AND portfolio IN {names:Array(String)}"
    left: set[str] = set()
    created = created_names(stores.state, item.names)
    for part in parts(created):
        left |= {
            str(name) for (name,) in stores.clickhouse.rows(sql, {"origin": ORIGIN, "names": part}, kind="undo import")
        }
    return [name for name in created if name not in left]
