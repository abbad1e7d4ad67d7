"""ClickHouse: queries, parts, merges, mutations, disks, errors, replication; a server, or the engine inside us.

Costs the watched server, every interval: /ping, and five short queries on system tables (its version; events and
metrics; asynchronous metrics; processes; merges). Beside them at most three of the slower ones a reading: mutations
and errors each 15 s, disks and failed queries each 30 s, tables, query log, replicas, dictionaries, refreshes, Kafka
tables, all events each minute, limits, columns and warnings each five minutes. Together about 80 queries a minute at
5 s, 1 to 3 ms each on one thread; the two on the query log of the last hour take longer where a million queries were
logged, and end with the deadline. Replicas ask Keeper once a minute. Our queries are not written to the query log, and
end when we hang up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from collectors.base import Context, gauges
from collectors.judging.checks import checks_table, summed
from collectors.judging.recent import Pings
from collectors.kinds.clickhouse import samples as figures
from collectors.kinds.clickhouse.actions import act
from collectors.kinds.clickhouse.connection import Engine, HttpEngine, Refused, Row, as_source_error, open_engine, plain
from collectors.kinds.clickhouse.judge import Judge
from collectors.kinds.clickhouse.samples import Numbers
from collectors.net.reach import GRACE_SECONDS, Deadline
from core.errors import SourceRejected
from core.format import count
from core.kinds.clickhouse.source import ClickHouseSource, OwnEngine
from core.model import Reading, Sample, Table
from core.rates import CounterDeltas, Rates
from storage.clickhouse.query_log import QueryLog
from storage.clickhouse.reads.clickhouse_health import ALWAYS, SERVER, TABLES_THERE, Question, questions

__all__ = ["ClickHouseCollector", "act", "make"]

OLDEST = (22, 8)
SLOW_QUESTIONS_EACH_READING = 3
SPARED_SHARE = 0.5
"""With less than this of the deadline left, the slower questions wait for the next reading."""
TABLES_THERE_SECONDS = 300.0
REFUSED_AGAIN = 4
"""A refused question is put this many times more seldom."""
PINGS_JUDGED = 12
"""A minute at 5 s, by its median: one slow answer is no trouble yet."""
EVENTS_SHOWN = 150
MESSAGES = frozenset({"exception", "error", "message", "latest_fail_reason"})
SHOWN = (
    "running", "merges", "mutations", "tables", "columns", "log_top", "log_slow", "log_failed", "detached", "disks",
    "errors", "replicas", "queue", "dictionaries", "refreshes", "kafka", "warnings",
)  # fmt: skip
"""Questions whose rows the page shows as they are."""


def make(context: Context, source: ClickHouseSource | OwnEngine) -> ClickHouseCollector:
    """Return the collector of one server, or of our own engine."""
    return ClickHouseCollector(source, context.stores.clickhouse.query_log)


class ClickHouseCollector:
    """Reads one ClickHouse over one kept connection."""

    def __init__(
        self,
        source: ClickHouseSource | OwnEngine,
        log: QueryLog | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = source.collector
        self.interval_seconds = source.interval_seconds
        self.timeout_seconds = source.timeout_seconds + GRACE_SECONDS
        self._source = source
        self._log = log
        self._monotonic = monotonic
        self._engine: Engine | None = None
        self._questions = questions(source)
        self._due: dict[str, float] = {}
        self._found: dict[str, list[Row]] = {}
        self._refused: dict[str, str] = {}
        self._there: frozenset[str] = frozenset()
        self._there_due = float("-inf")
        self._counters = Rates()
        self._events = Rates()
        self._event_rows: list[tuple[Any, ...]] = []
        self._judge = Judge()
        self._pings = Pings(monotonic)
        self._uptime = 0.0
        self._run = 0

    def collect(self, now: float) -> Reading:
        """Return the reading at `now`. The connection is kept until something goes wrong with it."""
        deadline = Deadline(self._source.timeout_seconds)
        try:
            if self._engine is None:
                self._engine = open_engine(self._source, deadline, self._log)
            self._engine.renew(deadline)
            return self._read(self._engine, deadline)
        except Refused as error:
            self._close()
            raise as_source_error(error) from error
        except BaseException:
            self._close()
            raise

    def _read(self, engine: Engine, deadline: Deadline) -> Reading:
        monotonic = self._monotonic()
        self._pings.take(engine.ping)
        server = self._server(engine)
        asked = self._ask_due(engine, deadline, monotonic)
        numbers = Numbers.of(self._found.get("numbers", ()), self._found.get("asynchronous", ()))
        deltas = self._counters.deltas(self._run, numbers.events, monotonic)
        if "events" in asked:
            self._event_rows = self._event_rates(monotonic)
        limit_bytes = numbers.memory_limit(self._found.get("settings", ()))
        ping_seconds = median(self._pings.last(PINGS_JUDGED))
        checks = self._judge.checks(self._found, numbers, deltas, limit_bytes, ping_seconds, monotonic)
        return Reading(
            samples=self._samples(numbers, deltas, limit_bytes),
            components=[summed(self._source.component, f"{_product(server)}, {_load(numbers)}", checks)],
            tables=[checks_table(checks), self._about(engine, server, numbers, limit_bytes), *self._tables(numbers)],
        )

    def _server(self, engine: Engine) -> Row:
        """Return version, uptime, host and user; counts restarts, after which counters begin anew."""
        row = engine.ask(SERVER)[0]
        version = str(row["version"])
        if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < OLDEST:
            raise SourceRejected(f"ClickHouse {version} is too old: {OLDEST[0]}.{OLDEST[1]} or newer is needed")
        uptime = float(row["uptime_seconds"])
        if uptime < self._uptime:
            self._run += 1
        self._uptime = uptime
        return row

    def _ask_due(self, engine: Engine, deadline: Deadline, monotonic: float) -> set[str]:
        """Ask what is due: all that is always asked, and a few of the rest. Return the names of those answered."""
        if monotonic >= self._there_due:
            self._there = frozenset(str(row["name"]) for row in engine.ask(TABLES_THERE))
            self._there_due = monotonic + TABLES_THERE_SECONDS
        always = [question for question in self._questions if question.every_seconds == ALWAYS]
        due = [
            question
            for question in self._questions
            if question.every_seconds != ALWAYS and monotonic >= self._due.get(question.name, 0.0)
        ]
        due.sort(key=lambda question: self._due.get(question.name, float("-inf")))
        asked = {each.name for each in always if self._put(engine, each, monotonic)}
        for question in due[:SLOW_QUESTIONS_EACH_READING]:
            # A busy server answers the short questions; a long one must not cost us those.
            if not _has_time(deadline):
                break
            if self._put(engine, question, monotonic):
                asked.add(question.name)
        return asked

    def _put(self, engine: Engine, question: Question, monotonic: float) -> bool:
        self._due[question.name] = monotonic + question.every_seconds
        missing = sorted(question.needs - self._there)
        if missing:
            return self._lost(question, f"this server has no system.{missing[0]}")
        try:
            self._found[question.name] = [_plain_row(row) for row in engine.ask(question.sql)]
        except Refused as error:
            self._due[question.name] = monotonic + question.every_seconds * REFUSED_AGAIN
            return self._lost(question, f"code {error.code}: {error}")
        self._refused.pop(question.name, None)
        return True

    def _lost(self, question: Question, why: str) -> bool:
        self._found.pop(question.name, None)
        self._refused[question.name] = why
        return False

    def _event_rates(self, monotonic: float) -> list[tuple[Any, ...]]:
        """Return (event, count, rate over the last minute) of all events, the most frequent first."""
        rows = [
            (row["name"], row["value"], self._events.per_second((self._run, row["name"]), row["value"], monotonic))
            for row in self._found["events"]
        ]
        rows.sort(key=lambda row: (-(row[2] or 0.0), row[0]))
        return rows[:EVENTS_SHOWN]

    def _samples(self, numbers: Numbers, deltas: CounterDeltas, limit_bytes: float | None) -> list[Sample]:
        name, running = self._source.name, self._found.get("running", ())
        values = {
            "clickhouse_uptime_seconds": self._uptime,
            **self._pings.values(
                "clickhouse_ping_seconds", "clickhouse_ping_p50_seconds", "clickhouse_ping_p99_seconds"
            ),
            "clickhouse_longest_query_seconds": max((float(row["elapsed"]) for row in running), default=0.0),
            "clickhouse_parts_per_partition_max": self._most_parts(numbers),
        }
        found = [*figures.samples(numbers, deltas, limit_bytes, name), *gauges(values, instance=name)]
        found += figures.disk_samples(self._found.get("disks", ()), name)
        if "tables" in self._found:
            found += figures.table_samples(self._found["tables"], name)
        delays = [float(row["absolute_delay"]) for row in self._found.get("replicas", ())]
        return [*found, *gauges({"clickhouse_replica_delay_max_seconds": max(delays, default=None)}, instance=name)]

    def _most_parts(self, numbers: Numbers) -> float | None:
        listed = [float(row["most_parts"]) for row in self._found.get("tables", ())]
        return numbers.asynchronous.get("MaxPartCountForPartition", max(listed, default=None))

    def _about(self, engine: Engine, server: Row, numbers: Numbers, limit_bytes: float | None) -> Table:
        settings = {row["name"]: row["value"] for row in self._found.get("limits", ())}
        row: Row = {
            "product": _product(server),
            "host": server["host"],
            "user": server["user"],
            "is_own": not isinstance(engine, HttpEngine),
            "uptime_seconds": self._uptime,
            "memory_limit_bytes": limit_bytes,
            "parts_delay": settings.get("parts_to_delay_insert"),
            "parts_throw": settings.get("parts_to_throw_insert"),
            "parts_active": numbers.metrics.get("PartsActive"),
            "tables": len(self._found.get("tables", ())),
            "changed": ", ".join(f"{each['name']} = {each['value']}" for each in self._changed())[:500],
            "unlimited": isinstance(engine, HttpEngine) and not engine.may_set,
        }
        return Table("about", tuple(row), (tuple(row.values()),))

    def _changed(self) -> Sequence[Row]:
        return [row for row in self._found.get("settings", ()) if row["changed"] and row["value"] != row["usual"]]

    def _tables(self, numbers: Numbers) -> list[Table]:
        found = [_table(name, self._found.get(name, ())) for name in SHOWN]
        pools = [(name, *pool) for name in figures.POOLS if (pool := numbers.pool(name))]
        return [
            *found,
            Table("pools", ("pool", "busy", "size"), tuple(pools)),
            Table("events", ("event", "count", "per_second"), tuple(self._event_rows)),
            Table("refused", ("question", "why"), tuple(sorted(self._refused.items()))),
        ]

    def _close(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None


def _plain_row(row: Row) -> Row:
    """Return the row, its messages without codes, stacks and versions."""
    return {name: plain(value) if value and name in MESSAGES else value for name, value in row.items()}


def _has_time(deadline: Deadline) -> bool:
    try:
        return deadline.left() >= SPARED_SHARE * deadline.seconds
    except TimeoutError:
        return False


def _table(name: str, rows: Sequence[Row]) -> Table:
    columns = tuple(rows[0]) if rows else ()
    return Table(name, columns, tuple(tuple(row[column] for column in columns) for row in rows))


def _product(server: Row) -> str:
    return f"ClickHouse {server['version']}"


def _load(numbers: Numbers) -> str:
    return f"{count(max(numbers.metrics.get('Query', 1.0) - 1, 0), 'query', 'queries')} running"
