"""Which statements took the time of the last minutes: differences of pg_stat_statements, not totals since a reset."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from collectors.base import gauges
from collectors.kinds.postgresql.catalog import STATEMENTS, Catalog, Column, Wanted
from collectors.kinds.postgresql.connection import OWN_MARKS, Server
from core.model import Sample, Table

WINDOW_SECONDS = 300.0
MOST_READ = 10_000
SHOWN = 50
CHARTED = 5
TEXT_CHARACTERS = 1_000
NAME_CHARACTERS = 36
TEXTS_KEPT = 500

Key = tuple[int, int, int, bool]
"""Database, user, query, top level."""

OWN_KEY: Key = (0, 0, 0, True)
OWN_TEXT = "(Fundwatch's own queries)"

COUNTERS: Mapping[str, Wanted] = {
    "calls": "calls",
    "total_ms": ("total_exec_time", "total_time"),
    "rows": "rows",
    "hit_blocks": "shared_blks_hit",
    "read_blocks": "shared_blks_read",
    "temp_blocks": Column("temp_blks_written", "temp_blks_read + temp_blks_written"),
    "wal_bytes": "wal_bytes",
    "io_ms": (
        Column("shared_blk_read_time", "shared_blk_read_time + shared_blk_write_time"),
        Column("blk_read_time", "blk_read_time + blk_write_time"),
    ),
    "plan_ms": "total_plan_time",
}
PRESENT: Mapping[str, Wanted] = {
    "mean_ms": ("mean_exec_time", "mean_time"),
    "stddev_ms": ("stddev_exec_time", "stddev_time"),
    "max_ms": ("max_exec_time", "max_time"),
}


class Spent(NamedTuple):
    """What a statement did over some time. `squares` is the sum of its durations' squares, in ms²."""

    calls: float = 0.0
    total_ms: float = 0.0
    rows: float = 0.0
    hit_blocks: float = 0.0
    read_blocks: float = 0.0
    temp_blocks: float = 0.0
    wal_bytes: float = 0.0
    io_ms: float = 0.0
    plan_ms: float = 0.0
    squares: float = 0.0

    def minus(self, before: Spent) -> Spent | None:
        """Return the difference, None when a counter went backwards: it was reset or thrown out between."""
        found = [now - then for now, then in zip(self, before, strict=True)]
        return Spent._make([*found[:-1], max(found[-1], 0.0)]) if min(found[:-1]) >= -1e-6 else None

    def plus(self, other: Spent) -> Spent:
        """Return the sum."""
        return Spent._make(one + two for one, two in zip(self, other, strict=True))

    @property
    def stddev_ms(self) -> float:
        """Standard deviation of the durations."""
        return math.sqrt(max(self.squares / self.calls - (self.total_ms / self.calls) ** 2, 0.0)) if self.calls else 0.0


@dataclass(frozen=True, slots=True)
class Named:
    """The text of a statement, its database and its user."""

    text: str
    database: str
    user: str


class Statements:
    """Keeps what each statement did between two looks, for the last minutes."""

    def __init__(self) -> None:
        self._before: dict[Key, Spent] = {}
        self._looked: float | None = None
        self._run: Any = None
        self._steps: deque[tuple[float, float, dict[Key, Spent]]] = deque()
        self._longest: dict[Key, float] = {}
        self._named: dict[Key, Named] = {}
        self._evicted: int | None = None
        self._table = Table("statements", _COLUMNS, ())
        self._samples: list[Sample] = []

    @property
    def evicted(self) -> int | None:
        """How many statements the server has thrown out for want of room (pg_stat_statements.max), ever."""
        return self._evicted

    def read(self, server: Server, catalog: Catalog, monotonic: float, instance: str) -> None:
        """Look, and work out table and samples. Raises Refused when our role may not, or it is not loaded."""
        self._check_reset(server, catalog)
        rows = server.ask(_query(catalog))
        now: dict[Key, Spent] = {}
        for row in rows:
            key = (row["dbid"], row["userid"], row["queryid"], row["toplevel"])
            now[key] = _spent(row)
            self._longest[key] = row["max_ms"] or 0.0
        if self._looked is not None and monotonic > self._looked:
            self._step(now, monotonic, monotonic - self._looked)
        self._before, self._looked = now, monotonic
        self._longest = {key: value for key, value in self._longest.items() if key in now}
        self._sum_up(server, catalog, instance)

    def table(self) -> Table:
        """Return the statements of the last minutes, those that took most time first."""
        return self._table

    def samples(self) -> list[Sample]:
        """Return how much time the busiest statements took in the newest step, and their mean duration."""
        return self._samples

    def _check_reset(self, server: Server, catalog: Catalog) -> None:
        if not catalog.has("pg_stat_statements_info"):
            return
        row = server.ask(
            f"SELECT dealloc, stats_reset::text AS run FROM {catalog.statements_schema}.pg_stat_statements_info"
        )[0]
        self._evicted = row["dealloc"]
        if row["run"] != self._run:
            self._run, self._before, self._looked = row["run"], {}, None

    def _step(self, now: Mapping[Key, Spent], monotonic: float, seconds: float) -> None:
        found: dict[Key, Spent] = {}
        for key, spent in now.items():
            # A statement that is new to the view began at zero: all that it did was since the last look.
            done = spent.minus(self._before.get(key, Spent()))
            if done is not None and done.calls > 0:
                found[key] = done
        self._steps.append((monotonic, seconds, found))
        while self._steps and self._steps[0][0] <= monotonic - WINDOW_SECONDS:
            self._steps.popleft()

    def _sum_up(self, server: Server, catalog: Catalog, instance: str) -> None:
        total: defaultdict[Key, Spent] = defaultdict(Spent)
        seconds = sum(step[1] for step in self._steps)
        for _, _, found in self._steps:
            for key, done in found.items():
                total[key] = total[key].plus(done)
        busiest = sorted(total, key=lambda key: -total[key].total_ms)[:SHOWN]
        self._learn(server, catalog, [key for key in busiest if key not in self._named])
        all_ms = sum(done.total_ms for done in total.values())
        own = [key for key in busiest if self._is_own(key)]
        rows = [
            _row(key, total[key], self._named.get(key), all_ms, seconds, self._longest.get(key))
            for key in busiest
            if key not in own
        ]
        if own:
            spent = Spent._make(sum(parts) for parts in zip(*(total[key] for key in own), strict=True))
            longest = max(self._longest.get(key, 0.0) for key in own)
            rows.append(_row(OWN_KEY, spent, Named(OWN_TEXT, "", ""), all_ms, seconds, longest))
        self._table = Table("statements", _COLUMNS, tuple(rows))
        self._samples = self._charted(instance)

    def _charted(self, instance: str) -> list[Sample]:
        if not self._steps:
            return []
        _, seconds, found = self._steps[-1]
        samples: list[Sample] = []
        foreign = [key for key in found if key in self._named and not self._is_own(key)]
        for key in sorted(foreign, key=lambda key: -found[key].total_ms)[:CHARTED]:
            done, named = found[key], self._named[key]
            values = {
                "postgresql_statement_busy_ratio": done.total_ms / 1e3 / seconds,
                "postgresql_statement_mean_seconds": done.total_ms / 1e3 / done.calls,
                "postgresql_statement_calls_per_second": done.calls / seconds,
            }
            samples += gauges(values, instance=instance, statement=_short(named.text, key[2]))
        return samples

    def _is_own(self, key: Key) -> bool:
        named = self._named.get(key)
        return named is not None and any(mark in named.text for mark in OWN_MARKS)

    def _learn(self, server: Server, catalog: Catalog, keys: list[Key]) -> None:
        """Fetch the texts of statements seen for the first time; the server reads its whole file of texts for it."""
        if not keys:
            return
        if len(self._named) > TEXTS_KEPT:
            self._named.clear()
        ids = f"{{{','.join(str(key[2]) for key in keys)}}}"
        top = catalog.pick(STATEMENTS, {"toplevel": ("toplevel", Column("", "true"))})
        sql = (
            f"SELECT s.dbid, s.userid, s.queryid, {top}, left(s.query, {TEXT_CHARACTERS}) AS text, "
            f"d.datname AS database, pg_get_userbyid(s.userid) AS user "
            f"FROM {catalog.statements_schema}.pg_stat_statements s "
            "LEFT JOIN pg_database d ON d.oid = s.dbid WHERE s.queryid = ANY($1::bigint[])"
        )
        for row in server.ask(sql, ids):
            key = (row["dbid"], row["userid"], row["queryid"], row["toplevel"])
            self._named[key] = Named(" ".join(row["text"].split()), row["database"] or "", row["user"] or "")


def _query(catalog: Catalog) -> str:
    top: dict[str, Wanted] = {"toplevel": ("toplevel", Column("", "true"))}
    return (
        f"SELECT dbid, userid, queryid, {catalog.pick(STATEMENTS, {**top, **COUNTERS, **PRESENT})} "
        # Without the texts: those lie in a file that would be read whole.
        f"FROM {catalog.statements_schema}.pg_stat_statements(false) WHERE queryid IS NOT NULL "
        f"ORDER BY 5 DESC LIMIT {MOST_READ}"
    )


def _spent(row: Mapping[str, Any]) -> Spent:
    counters = [float(row[name] or 0.0) for name in COUNTERS]
    squares = ((row["stddev_ms"] or 0.0) ** 2 + (row["mean_ms"] or 0.0) ** 2) * counters[0]
    return Spent._make([*counters, squares])


_COLUMNS = (
    "query_id", "id", "query", "database", "user", "calls", "calls_per_second", "total_seconds", "share", "busy_ratio",
    "mean_seconds", "stddev_seconds", "longest_seconds", "rows_per_call", "hit_ratio", "temp_blocks", "wal_bytes",
    "io_seconds", "window_seconds", "is_nested",
)  # fmt: skip


def _row(
    key: Key, done: Spent, named: Named | None, all_ms: float, seconds: float, longest_ms: float | None
) -> tuple[Any, ...]:
    blocks = done.hit_blocks + done.read_blocks
    return (
        str(key[2]),
        _id(key[2]) if named is None or named.text != OWN_TEXT else None,
        named.text if named else None,
        named.database if named else None,
        named.user if named else None,
        done.calls,
        done.calls / seconds if seconds else None,
        done.total_ms / 1e3,
        done.total_ms / all_ms if all_ms else None,
        done.total_ms / 1e3 / seconds if seconds else None,
        done.total_ms / 1e3 / done.calls,
        done.stddev_ms / 1e3,
        longest_ms / 1e3 if longest_ms is not None else None,
        done.rows / done.calls,
        done.hit_blocks / blocks if blocks else None,
        done.temp_blocks,
        done.wal_bytes,
        done.io_ms / 1e3,
        seconds,
        not key[3],
    )


def _short(text: str, query_id: int) -> str:
    """Return a name that a line of a chart can carry: four digits of the statement's number, and how it begins."""
    return f"{_id(query_id)} {text[:NAME_CHARACTERS].strip()}"


def _id(query_id: int) -> str:
    return f"#{query_id & 0xFFFF:04x}"
