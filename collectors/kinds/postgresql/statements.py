"""Which statements took the time of the last minutes: differences of pg_stat_statements, not totals since a reset."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, NamedTuple

from collectors.base import gauges
from collectors.kinds.postgresql.catalog import STATEMENTS_INFO, Catalog, Column, Wanted
from collectors.kinds.postgresql.connection import OWN_MARKS, Row, Server
from core.kinds.postgresql import spec
from core.kinds.postgresql.tables import Statement
from core.literals import without_values
from core.model import Sample

MOST_READ = 10_000
SHOWN = 50
TEXT_CHARACTERS = 1_000
NAME_CHARACTERS = 36
TEXTS_KEPT = 500

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


class Key(NamedTuple):
    """What a statement is told apart by: the numbers of its database, its user and itself, and where it stands."""

    database: int
    user: int
    query: int
    is_top_level: bool

    @classmethod
    def of(cls, row: Row) -> Key:
        """Return the key of a row of pg_stat_statements."""
        return cls(row["dbid"], row["userid"], row["queryid"], row["toplevel"])

    @property
    def id(self) -> str:
        """The last four digits of the statement's number, for lines of charts."""
        return f"#{self.query & 0xFFFF:04x}"


OWN_KEY = Key(0, 0, 0, True)


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
        """Return the difference, None when a counter went backwards: it was reset or evicted between."""
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
    is_own: bool
    """Whether it is one of our own."""


@dataclass(frozen=True, slots=True)
class Step:
    """What statements did between two looks."""

    monotonic: float
    seconds: float
    spent: Mapping[Key, Spent]


@dataclass(frozen=True, slots=True)
class Total:
    """What statements did over the whole window."""

    seconds: float
    spent: Mapping[Key, Spent]
    total_ms: float
    """The time of all statements."""

    @classmethod
    def of(cls, steps: Iterable[Step]) -> Total:
        """Return the sum of steps."""
        seconds = 0.0
        spent: defaultdict[Key, Spent] = defaultdict(Spent)
        for step in steps:
            seconds += step.seconds
            for key, done in step.spent.items():
                spent[key] = spent[key].plus(done)
        return cls(seconds, spent, sum(done.total_ms for done in spent.values()))

    @property
    def busiest(self) -> list[Key]:
        """The statements that took most time, the first SHOWN of them."""
        return sorted(self.spent, key=lambda key: -self.spent[key].total_ms)[:SHOWN]


class Statements:
    """Keeps what each statement did between two looks, for the last minutes."""

    def __init__(self, mask_literals: bool = True) -> None:
        self._mask_literals = mask_literals
        self._before: dict[Key, Spent] = {}
        self._looked: float | None = None
        self._run: Any = None
        self._steps: deque[Step] = deque()
        self._longest: dict[Key, float] = {}
        self._named: dict[Key, Named] = {}
        self._evicted: int | None = None
        self._rows: list[Statement] = []
        self._samples: list[Sample] = []

    @property
    def evicted(self) -> int | None:
        """How many statements the server has evicted for want of room (pg_stat_statements.max), ever."""
        return self._evicted

    def read(self, server: Server, catalog: Catalog, monotonic: float, instance: str) -> None:
        """Look, and work out rows and samples. Raises Refused when our role may not, or it is not loaded."""
        self._check_reset(server, catalog)
        rows = server.ask(_query(catalog))
        now: dict[Key, Spent] = {}
        for row in rows:
            key = Key.of(row)
            now[key] = _spent(row)
            self._longest[key] = row["max_ms"] or 0.0
        if self._looked is not None and monotonic > self._looked:
            self._step(now, monotonic, monotonic - self._looked)
        self._before, self._looked = now, monotonic
        self._longest = {key: value for key, value in self._longest.items() if key in now}
        self._sum_up(server, catalog, instance)

    def rows(self) -> list[Statement]:
        """Return the statements of the last minutes, those that took most time first, ours together as the last."""
        return self._rows

    def samples(self) -> list[Sample]:
        """Return how much time the busiest statements took in the newest step, and their mean duration."""
        return self._samples

    def _check_reset(self, server: Server, catalog: Catalog) -> None:
        if not catalog.has(STATEMENTS_INFO):
            return
        row = server.ask(
            f"SELECT dealloc, stats_reset::text AS run FROM {catalog.statements_schema}.{STATEMENTS_INFO}"
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
        self._steps.append(Step(monotonic, seconds, found))
        while self._steps and self._steps[0].monotonic <= monotonic - spec.STATEMENTS_WINDOW_SECONDS:
            self._steps.popleft()

    def _sum_up(self, server: Server, catalog: Catalog, instance: str) -> None:
        total = Total.of(self._steps)
        busiest = total.busiest
        self._learn(server, catalog, [key for key in busiest if key not in self._named])
        own = [key for key in busiest if self._is_own(key)]
        self._rows = [self._row(key, total) for key in busiest if key not in own]
        if own:
            self._rows.append(self._own_row(own, total))
        self._samples = self._charted(instance)

    def _row(self, key: Key, total: Total) -> Statement:
        named, done, longest = self._named.get(key), total.spent[key], self._longest.get(key)
        row = _statement(key, done, total, longest)
        return replace(row, query=named.text, database=named.database, user=named.user) if named else row

    def _own_row(self, keys: Sequence[Key], total: Total) -> Statement:
        """Return our own statements as one row."""
        spent = reduce(Spent.plus, (total.spent[key] for key in keys))
        longest = max(self._longest.get(key, 0.0) for key in keys)
        return replace(_statement(OWN_KEY, spent, total, longest), id=None, query=OWN_TEXT, database="", user="")

    def _charted(self, instance: str) -> list[Sample]:
        if not self._steps:
            return []
        step = self._steps[-1]
        samples: list[Sample] = []
        foreign = [key for key in step.spent if key in self._named and not self._is_own(key)]
        for key in sorted(foreign, key=lambda key: -step.spent[key].total_ms)[: spec.STATEMENTS_CHARTED]:
            done = step.spent[key]
            values = {
                spec.STATEMENT_BUSY_RATIO: done.total_ms / 1e3 / step.seconds,
                spec.STATEMENT_MEAN: done.total_ms / 1e3 / done.calls,
                spec.STATEMENT_CALLS_RATE: done.calls / step.seconds,
            }
            name = f"{key.id} {self._named[key].text[:NAME_CHARACTERS].strip()}"
            samples += gauges(values, instance=instance, statement=name)
        return samples

    def _is_own(self, key: Key) -> bool:
        named = self._named.get(key)
        return named is not None and named.is_own

    def _learn(self, server: Server, catalog: Catalog, keys: list[Key]) -> None:
        """Fetch the texts of statements seen for the first time; the server reads its whole file of texts for it."""
        if not keys:
            return
        if len(self._named) > TEXTS_KEPT:
            self._named.clear()
        ids = f"{{{','.join(str(key.query) for key in keys)}}}"
        top = catalog.pick(spec.STATEMENTS_VIEW, {"toplevel": ("toplevel", Column("", "true"))})
        sql = (
            f"SELECT s.dbid, s.userid, s.queryid, {top}, left(s.query, {TEXT_CHARACTERS}) AS text, "
            f"d.datname AS database, pg_get_userbyid(s.userid) AS user "
            f"FROM {catalog.statements_schema}.{spec.STATEMENTS_VIEW} s "
            "LEFT JOIN pg_database d ON d.oid = s.dbid WHERE s.queryid = ANY($1::bigint[])"
        )
        for row in server.ask(sql, ids):
            key = Key.of(row)
            is_own = any(mark in row["text"] for mark in OWN_MARKS)
            # The server leaves values in what it does not plan: ALTER ROLE … PASSWORD, SET, COPY.
            text = without_values(row["text"]) if self._mask_literals and not is_own else row["text"]
            self._named[key] = Named(" ".join((text or "").split()), row["database"] or "", row["user"] or "", is_own)


def _query(catalog: Catalog) -> str:
    top: dict[str, Wanted] = {"toplevel": ("toplevel", Column("", "true"))}
    return (
        f"SELECT dbid, userid, queryid, {catalog.pick(spec.STATEMENTS_VIEW, {**top, **COUNTERS, **PRESENT})} "
        # Without the texts: those lie in a file that would be read whole.
        f"FROM {catalog.statements_schema}.{spec.STATEMENTS_VIEW}(false) WHERE queryid IS NOT NULL "
        f"ORDER BY 5 DESC LIMIT {MOST_READ}"
    )


def _spent(row: Mapping[str, Any]) -> Spent:
    counters = [float(row[name] or 0.0) for name in COUNTERS]
    squares = ((row["stddev_ms"] or 0.0) ** 2 + (row["mean_ms"] or 0.0) ** 2) * counters[0]
    return Spent._make([*counters, squares])


def _statement(key: Key, done: Spent, total: Total, longest_ms: float | None) -> Statement:
    """Return the row of a statement without its text."""
    blocks, seconds, total_ms = done.hit_blocks + done.read_blocks, total.seconds, total.total_ms
    return Statement(
        query_id=str(key.query),
        id=key.id,
        query=None,
        database=None,
        user=None,
        calls=done.calls,
        calls_per_second=done.calls / seconds if seconds else None,
        total_seconds=done.total_ms / 1e3,
        share=done.total_ms / total_ms if total_ms else None,
        busy_ratio=done.total_ms / 1e3 / seconds if seconds else None,
        mean_seconds=done.total_ms / 1e3 / done.calls,
        stddev_seconds=done.stddev_ms / 1e3,
        longest_seconds=longest_ms / 1e3 if longest_ms is not None else None,
        rows_per_call=done.rows / done.calls,
        hit_ratio=done.hit_blocks / blocks if blocks else None,
        temp_blocks=done.temp_blocks,
        wal_bytes=done.wal_bytes,
        io_seconds=done.io_ms / 1e3,
    )
