"""Taking an import out again: what it added goes, what it replaced comes back as it was.

A row is told by its version. Every step may be repeated: the marks, which say what was before, are the last to go.
What was before is stored after the import's row is gone, because a merge would drop it under a newer one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.clickhouse.change_rows import delete_where, insert_select
from storage.clickhouse.client import ClickHouse, quoted
from storage.clickhouse.import_rows import NAV, Imported, parts

RANK_VERSION = "bitAnd(rank, toUInt128(18446744073709551615))"
"""Of a day's close in `nav_daily`: the version of its point."""


@dataclass(frozen=True, slots=True)
class UndoEffect:
    """What undoing an import does to the rows of it that still stand: those that no later import gave anew."""

    removed: int
    """Rows that there was nothing of before."""
    restored: int
    """Rows that replaced another value, which comes back."""
    same: int
    """Rows that said what was there before."""

    @property
    def standing(self) -> int:
        """Return how many rows of the import stand."""
        return self.removed + self.restored + self.same


def undo_effect(clickhouse: ClickHouse, into: Imported, origin: str, names: Sequence[str], version: int) -> UndoEffect:
    """Return what undoing the import of this version would do. Raises StorageUnavailable or StorageRejected."""
    differs = " OR ".join(f"{was} != {now}" for was, now in zip(into.was, into.now, strict=True))
    sql = f"""
        SELECT count(), countIf(m.version != 0), countIf(m.version != 0 AND ({differs}))
        FROM (SELECT * FROM {into.table} FINAL WHERE {{whose}}) AS n
        GLOBAL LEFT JOIN (SELECT * FROM {into.marks} FINAL WHERE {{whose}} AND version = {{{{version:UInt64}}}}) AS m
        USING (origin, {into.name}, ts)
        WHERE n.version = {{{{version:UInt64}}}}
    """.format(whose=f"origin = {{origin:String}} AND {into.name} IN {{names:Array(String)}}")
    asked = {"origin": origin, "version": version}
    found = [clickhouse.rows(sql, asked | {"names": part}, kind="undo import")[0] for part in parts(names)]
    rows, marked, changed = (sum(int(row[at]) for row in found) for at in range(3))
    return UndoEffect(rows - marked, changed, marked - changed)


def undo_import(
    clickhouse: ClickHouse,
    into: Imported,
    origin: str,
    names: Sequence[str],
    version: int,
    first: int,
    last: int,
) -> None:
    """Remove what the import of this version added to `into` for `names`, and bring back what it replaced.

    Its points lie between `first` and `last` (epoch seconds).
    What a later import said of the same points stays; undoing that one then goes back to what was before both.
    Raises StorageUnavailable or StorageRejected: call it again.
    """
    for part in parts(names):
        _Undo(clickhouse, into, origin, part, version).run(first, last)


class _Undo:
    def __init__(self, clickhouse: ClickHouse, into: Imported, origin: str, names: Sequence[str], version: int) -> None:
        self._clickhouse, self._into = clickhouse, into
        self._whose = f"origin = '{origin}' AND {into.name} IN ({quoted(names)})"
        self._version = int(version)

    def run(self, first: int, last: int) -> None:
        self._relink()
        self._delete(self._into.marks, f"was_version = {self._version}")
        self._delete(self._into.table, f"version = {self._version}")
        self._restore()
        if self._into is NAV:
            self._delete("nav_daily", f"{RANK_VERSION} = {self._version}")
            self._close_days(first, last)
        self._delete(self._into.marks, f"version = {self._version}")

    def _relink(self) -> None:
        """Let what later imports replaced be what was there before this one, where something was."""
        into = self._into
        was, now = ", ".join(f"before.{name}" for name in into.was), ", ".join(f"later.{name}" for name in into.now)
        self._insert(
            into.marks,
            f"origin, {into.name}, ts, was_version, version, {', '.join((*into.was, *into.now))}, at, source",
            f"""
            SELECT later.origin, later.{into.name}, later.ts, before.was_version, later.version, {was}, {now},
                   later.at, later.source
            FROM (SELECT * FROM {into.marks} FINAL WHERE {self._whose} AND was_version = {self._version}) AS later
            GLOBAL INNER JOIN
                 (SELECT * FROM {into.marks} FINAL WHERE {self._whose} AND version = {self._version}) AS before
            USING (origin, {into.name}, ts)
            """,
        )

    def _restore(self) -> None:
        into = self._into
        self._insert(
            into.table,
            f"origin, {into.name}, ts, {', '.join(into.values)}, version",
            f"""
            SELECT origin, {into.name}, ts, {", ".join(into.was)}, was_version
            FROM {into.marks} FINAL WHERE {self._whose} AND version = {self._version}
            """,
        )

    def _close_days(self, first: int, last: int) -> None:
        """Work out anew the days that the import touched, all of them: a merge may have left an older close of any."""
        self._insert(
            "nav_daily",
            "origin, portfolio, day, ts, nav, rank",
            f"""
            SELECT origin, portfolio, toDate(n.ts) AS day, max(n.ts) AS ts,
                argMax(n.nav, bitShiftLeft(toUInt128(toUnixTimestamp(n.ts)), 64) + version) AS nav,
                max(bitShiftLeft(toUInt128(toUnixTimestamp(n.ts)), 64) + version) AS rank
            FROM nav AS n
            WHERE {self._whose} AND n.ts BETWEEN toStartOfDay(toDateTime({first}, 'UTC'))
                AND toStartOfDay(toDateTime({last}, 'UTC')) + 86399
            GROUP BY origin, portfolio, day
            """,
        )

    def _insert(self, table: str, columns: str, select: str) -> None:
        insert_select(self._clickhouse, table, columns, select, "undo import")

    def _delete(self, table: str, which: str) -> None:
        delete_where(self._clickhouse, table, f"{self._whose} AND {which}", "undo import")
